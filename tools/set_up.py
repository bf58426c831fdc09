"""Makes openbook's environment in .venv from the locked, hash-checked packages, and explains what stops it.

    python tools/set_up.py run     what openbook needs; the page as well, where it can be built
    python tools/set_up.py page    the same, and the page must be built
    python tools/set_up.py dev     the same, and what tests and checks need, a browser among it

Standard library only: this runs before anything is installed. What was installed is noted in .venv, so that
a second call does nothing and needs no network.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import build_page

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
ENVIRONMENT = ROOT / ".venv"
NOTE = ENVIRONMENT / "openbook-set-up.json"
LOG = ENVIRONMENT / "openbook-set-up.log"

# Noted while packages are unpacked: when it is still there, a kill or a full disk left some of them in parts.
UNFINISHED = "unfinished"

# Noted when the page could not be built, with the digest of its sources: `make demo` does not try them again.
PAGE_FAILED = "page failed"

# Each lock holds all that the ones before it hold (tests/setup_test.py).
LOCKS = {"run": ["run.lock"], "page": ["run.lock"], "dev": ["run.lock", "dev.lock"]}

# What a lock takes to download at most, in MB. node.lock is for machines without Node.
DOWNLOADS_MB = {"run.lock": 250, "dev.lock": 330, "node.lock": 62}

# A finished environment takes 1.2 GB; the downloads lie beside it until they are unpacked.
NEEDED_BYTES = 2_000_000_000

SUPPORTED = "Linux (x86-64 or arm64, glibc 2.28 or newer), macOS on Apple silicon, Windows on x86-64"

# Settings that would put packages elsewhere than in .venv, or other ones. Index, proxy, certificate stay.
MISLEADING_VARIABLES = (
    "PIP_CONSTRAINT",
    "PIP_PREFIX",
    "PIP_REQUIRE_HASHES",
    "PIP_ROOT",
    "PIP_TARGET",
    "PYTHONHOME",
    "PYTHONPATH",
)

NETWORK_ADVICE = (
    "Is this machine online? When it is, the same command again. Behind a proxy, set HTTPS_PROXY. "
    "With a package index of your own, tell pip of it: pip config set global.index-url ADDRESS"
)

# What pip prints, in the order to look for it, with what happened and what to do.
EXPLANATIONS = (
    (
        ("No space left on device", "Errno 28", "not enough space on the disk", "Disk quota exceeded"),
        "the disk is full.",
        f"Free about {NEEDED_BYTES / 1e9:.0f} GB where {ROOT} lies and in the temporary folder (another one: "
        "TMPDIR=/some/folder make demo), or empty pip's cache with: python -m pip cache purge",
    ),
    (
        ("DO NOT MATCH THE HASHES",),
        "a downloaded package is not the one openbook was tested with, so it was refused.",
        "Empty pip's cache (python -m pip cache purge) and try again. If it stays so, the package index that "
        "pip is set to serves altered files: ask whoever runs it.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLCertVerificationError", "SSLError"),
        "the package index answered with a certificate that this machine does not trust.",
        "Behind a company's proxy, give pip its certificate: export PIP_CERT=/path/to/certificate.pem. "
        "Otherwise check that the machine's clock is right.",
    ),
    (
        (
            "NewConnectionError",
            "NameResolutionError",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "ProxyError",
            "ProtocolError",
            "ConnectionResetError",
            "RemoteDisconnected",
            "Network is unreachable",
            "name resolution",
            "Connection refused",
            "Tunnel connection failed",
        ),
        "the package index could not be reached.",
        NETWORK_ADVICE,
    ),
    (
        ("Could not find a version that satisfies", "No matching distribution found"),
        "a package is not to be had in a form that fits this Python and this system.",
        f"openbook is tried with Python 3.11 to 3.13 on {SUPPORTED}. Choose another Python with: make demo "
        "PYTHON=python3.13. With a package index of your own, see that it holds the package named below.",
    ),
    (
        ("Permission denied", "Errno 13", "Read-only file system"),
        "a file could not be written.",
        f"Give yourself the right to write in {ROOT}, or clone openbook into a folder of your own.",
    ),
)


class SetUpError(Exception):
    """Set-up cannot go on; the message says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Make or complete the environment; return the exit code."""
    parser = argparse.ArgumentParser(prog="set_up", description="Make openbook's environment in .venv.")
    parser.add_argument("kind", choices=sorted(LOCKS))
    parser.add_argument("--chosen", action="store_true", help="this Python was asked for: use no other")
    options = parser.parse_args(arguments)
    try:
        set_up(options.kind, chosen=options.chosen)
        make_page(is_needed=options.kind != "run")
        if options.kind == "dev":
            bring_browser()
    except SetUpError as error:
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\nSet-up stopped: {error}\n{explain(str(error))[1]}".rstrip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up was interrupted; it is completed by the same command.", file=sys.stderr)
        return 130
    return 0


def set_up(kind: str, *, chosen: bool) -> None:
    """Bring .venv to the state that the locks and pyproject.toml describe, doing only what is missing."""
    check_python()
    if UNFINISHED in read_note() or not is_healthy(chosen=chosen):
        make_environment()
    note = read_note()
    wanted = {name: digest(ROOT / "requirements" / name) for name in LOCKS[kind]}
    # The folder belongs to it: the `openbook` command holds the path of .venv.
    project = digest(ROOT / "pyproject.toml", str(ROOT))
    if any(note.get(name) != value for name, value in wanted.items()):
        install_packages(LOCKS[kind][-1])
        note |= wanted
        note.pop("project", None)
        write_note(note)
    if note.get("project") != project:
        say("Installing openbook itself.")
        run_pip(["install", "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)])
        write_note(note | {"project": project})


def check_python() -> None:
    """Stop with a reason where openbook cannot run on this Python or this machine."""
    system, machine = platform.system(), platform.machine().lower()
    if sys.implementation.name != "cpython" or sys.maxsize < 2**32:
        kind = f"{platform.python_implementation()}, {platform.architecture()[0]}"
        raise SetUpError(
            f"{sys.executable} is {kind}; what openbook computes with exists for 64-bit CPython only.\n"
            "Choose another with: make demo PYTHON=/path/to/python3"
        )
    way_out = ""
    if system == "Darwin" and machine == "x86_64":
        way_out = (
            "On an Apple-silicon Mac, this Python is one for Intel: install another (brew install "
            "python@3.13). On an Intel Mac, use a hosted notebook or another machine."
        )
    elif system == "Windows" and machine not in ("amd64", "x86_64"):
        way_out = "Install the x86-64 Python, or use WSL."
    elif system == "Linux" and "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
        way_out = "Use a system or container with glibc: Debian, Ubuntu, Fedora."
    if way_out:
        kind = f"{sysconfig.get_platform()}{' with musl' if system == 'Linux' else ''}"
        raise SetUpError(f"JAX is published for {SUPPORTED}; not for {kind}.\n{way_out}")


def is_healthy(*, chosen: bool) -> bool:
    """Whether .venv is there, its Python and pip start, and it is the one to use.

    Args:
        chosen: the Python running this was asked for, so a .venv of another one will not do.

    Raises:
        SetUpError: .venv is something else than an environment.
    """
    if not ENVIRONMENT.exists():
        return False
    settings = ENVIRONMENT / "pyvenv.cfg"
    if not settings.is_file():
        if not any(ENVIRONMENT.iterdir()):
            return False
        raise SetUpError(
            f"{ENVIRONMENT} is no Python environment, and openbook deletes only what it made.\n"
            "Move it away, then the same command again."
        )
    made_with = re.search(r"^version\s*=\s*(\d+)\.(\d+)", settings.read_text("utf-8"), re.MULTILINE)
    probe = "import pip, sys; print(*sys.version_info[:2], sys.base_prefix, sep='|')"
    try:
        answer = subprocess.run(
            [str(environment_python()), "-I", "-c", probe], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return False
    # The packages lie in a folder named after the version: an upgraded base Python no longer sees them.
    if made_with is None or not answer.startswith(f"{made_with[1]}|{made_with[2]}|"):
        return False
    here = f"{sys.version_info[0]}|{sys.version_info[1]}|{sys.base_prefix}"
    return not chosen or answer == here


def make_environment() -> None:
    """Make .venv anew with this Python."""
    try:
        import ensurepip  # noqa: F401  # Debian ships it apart, in python3-venv
        import venv
    except ImportError as error:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetUpError(
            f"{sys.executable} cannot make environments: its module {error.name!r} is missing.\n"
            f"  Debian, Ubuntu   sudo apt install python{version}-venv\n"
            "  Fedora           sudo dnf install python3-pip\n"
            "  elsewhere        install Python with pip, from python.org or with conda\n"
            "Then the same command again."
        ) from None
    free_bytes = shutil.disk_usage(ROOT).free
    if free_bytes < NEEDED_BYTES:
        raise SetUpError(
            f"openbook needs {NEEDED_BYTES / 1e9:.0f} GB on the disk of {ROOT}, "
            f"where {free_bytes / 1e9:.1f} GB are free.\n"
            "Make room, or clone openbook onto another disk."
        )
    say(f"Making .venv with Python {platform.python_version()} ({sys.executable}).")
    venv.EnvBuilder(clear=True, with_pip=False, symlinks=os.name != "nt").create(ENVIRONMENT)
    run_checked([str(environment_python()), "-I", "-m", "ensurepip", "--default-pip"])
    write_note({})


def install_packages(lock: str) -> None:
    """Install what the lock names, each file checked against its hash."""
    path = ROOT / "requirements" / lock
    say(f"Installing the packages of requirements/{lock}: up to {DOWNLOADS_MB[lock]} MB to download.")
    run_pip(["install", "--require-hashes", "--only-binary", ":all:", "--requirement", str(path)])


def make_page(*, is_needed: bool) -> None:
    """Build the page from frontend/, unless it is there and its sources are the same.

    Args:
        is_needed: what stops it is an error; else one line says how to have it later.

    Raises:
        SetUpError: the page is needed and cannot be built.
    """
    if build_page.is_built():
        return
    sources = build_page.source_digest()
    if not is_needed and read_note().get(PAGE_FAILED) == sources:
        return
    say("Building the page: up to 100 MB to download.")
    try:
        build_page_in_environment()
    except SetUpError as error:
        if is_needed:
            raise
        say(f"  {str(error).splitlines()[0]} All else works; the page can be built later with: make page")
        write_note(read_note() | {PAGE_FAILED: sources})


def build_page_in_environment() -> None:
    """Build the page; where there is no Node, with one that pip brings into .venv.

    Raises:
        SetUpError: says why it was not built.
    """
    command = [str(environment_python()), "-I", str(TOOLS / "build_page.py")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode == build_page.NO_NODE:
        note = read_note()
        install_packages("node.lock")
        write_note(note)
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        raise SetUpError(done.stderr.strip())


def bring_browser() -> None:
    """See that the browser tests find a Chromium; without one they fail, and say the same as this."""
    command = [str(environment_python()), str(TOOLS / "find_browser.py")]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return
    say("Bringing Chromium for the browser tests: up to 200 MB to download.")
    subprocess.run([*command, "--install"], stdout=subprocess.DEVNULL, check=False)


def run_pip(arguments: Sequence[str]) -> None:
    """Run the environment's pip, showing what it downloads.

    Raises:
        SetUpError: pip failed; says why, as far as its output tells.
    """
    run_checked([str(environment_python()), "-m", "pip", "--disable-pip-version-check", *arguments])


def run_checked(command: Sequence[str]) -> None:
    """Run a command, keep its output in the log, and explain a failure by it."""
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING_VARIABLES}
    # The variable PIP_USER is stronger than the same setting in a file.
    environment |= {"PIP_USER": "0", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            show(lines[-1])
            if lines[-1].startswith("Installing collected packages"):
                with contextlib.suppress(OSError):
                    write_note(read_note() | {UNFINISHED: "true"})
    logged = write_log(command, lines)
    if process.returncode == 0:
        return
    reason, advice, sign = explain("\n".join(lines))
    last = max((index for index, line in enumerate(lines) if sign and sign in line), default=-12)
    telling = lines[last:][:12]
    shown = "\n".join(f"  | {line.strip()[:200]}" for line in telling)
    where = f"\nAll that was printed: {LOG}" if logged else ""
    advice = advice or "Try from the start: make clean, then the same command again."
    raise SetUpError(f"{reason or 'pip failed.'}\n{advice}\n{shown}{where}")


def show(line: str) -> None:
    """Print the lines of pip that say how far it is; of the downloads, those one waits for."""
    package = re.match(r"\s*Downloading \S*?([^/\s-]+)-(\d[^\s-]*)-\S+ \((.+ MB)\)", line)
    if package is not None:
        say(f"  {package[1]} {package[2]}, {package[3]}")
    elif line.startswith("Installing collected packages: ") and line.count(",") > 1:
        say("  unpacking")
    elif "Retrying (" in line:
        say("  the package index does not answer; trying again")


def explain(output: str) -> tuple[str, str, str]:
    """What happened, what to do about it, and the text that says so; all empty for the unknown."""
    for signs, reason, advice in EXPLANATIONS:
        for sign in signs:
            if sign in output:
                return reason, advice, sign
    return "", "", ""


def environment_python() -> Path:
    """The Python of .venv."""
    return ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def digest(path: Path, *more: str) -> str:
    """SHA-256 of a file and of what else counts with it."""
    return hashlib.sha256(b"\0".join([path.read_bytes(), *(text.encode() for text in more)])).hexdigest()


def read_note() -> dict[str, str]:
    """What was installed in .venv; empty when nothing is known of it."""
    try:
        note = json.loads(NOTE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def write_note(note: dict[str, str]) -> None:
    """Write what is installed now, whole or not at all."""
    beside = NOTE.with_suffix(".part")
    beside.write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    beside.replace(NOTE)


def write_log(command: Sequence[str], lines: Sequence[str]) -> bool:
    """Add a command's output to the log; whether it could, since a full disk must not hide what it caused."""
    try:
        with LOG.open("a", encoding="utf-8") as log:
            log.write("\n".join([" ".join(command), *lines, ""]))
    except OSError:
        return False
    return True


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
