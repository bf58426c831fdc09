"""Set-up: the locks, the environment that `make` makes, what it says when something is missing, the wheel."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK_NAMES = ("run.lock", "dev.lock", "node.lock")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named_in(requirements: list[str]) -> set[str]:
    return {canonical(re.match(r"[A-Za-z0-9._-]+", requirement)[0]) for requirement in requirements}


def group(name: str) -> list[str]:
    requirements = []
    for entry in PROJECT["dependency-groups"][name]:
        requirements += group(entry["include-group"]) if isinstance(entry, dict) else [entry]
    return requirements


def read_lock(name: str) -> dict[str, list[str]]:
    """Requirement lines of a lock, each with its hashes."""
    text = (ROOT / "requirements" / name).read_text("utf-8").replace("\\\n", " ")
    locked = {}
    for line in text.splitlines():
        requirement, *hashes = line.split(" --hash=")
        locked[requirement.strip()] = [value.strip() for value in hashes]
    return locked


@pytest.fixture
def set_up(tmp_path: Path) -> ModuleType:
    """tools/set_up.py, working on a folder of its own."""
    spec = importlib.util.spec_from_file_location("set_up", ROOT / "tools" / "set_up.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    module.ROOT = tmp_path
    module.TOOLS = tmp_path / "tools"
    module.ENVIRONMENT = tmp_path / ".venv"
    module.NOTE = module.ENVIRONMENT / "openbook-set-up.json"
    module.LOG = module.ENVIRONMENT / "openbook-set-up.log"
    return module


@pytest.fixture
def commands(set_up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pip commands that set-up would run, on an environment that is healthy."""
    ran: list[str] = []
    set_up.ENVIRONMENT.mkdir()
    monkeypatch.setattr(set_up, "is_healthy", lambda *, chosen: True)
    monkeypatch.setattr(set_up, "run_pip", lambda arguments: ran.append(Path(arguments[-1]).name))
    return ran


# The locks


@pytest.mark.parametrize("lock_name", LOCK_NAMES)
def test_every_locked_package_has_one_version_and_hashes(lock_name: str) -> None:
    for requirement, hashes in read_lock(lock_name).items():
        assert re.fullmatch(r"[a-z0-9-]+==[^ ;]+( ; .+)?", requirement), requirement
        assert hashes, f"{requirement} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), requirement


@pytest.mark.parametrize("lock_name", LOCK_NAMES)
def test_lock_names_no_address(lock_name: str) -> None:
    text = (ROOT / "requirements" / lock_name).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash=", ""), re.MULTILINE)


def test_locks_hold_every_dependency_of_the_project() -> None:
    build_time = PROJECT["build-system"]["requires"]
    needed = named_in(PROJECT["project"]["dependencies"]) | named_in(group("build")) | named_in(build_time)
    assert needed <= named_in(list(read_lock("run.lock")))
    assert needed | named_in(group("dev")) <= named_in(list(read_lock("dev.lock")))


def test_builder_is_locked_in_the_version_that_the_build_asks_for() -> None:
    for requirement in PROJECT["build-system"]["requires"]:
        assert requirement in read_lock("run.lock")


def test_packages_for_development_come_on_top_of_the_same_packages_to_run() -> None:
    run, dev = read_lock("run.lock"), read_lock("dev.lock")
    assert {requirement: dev.get(requirement) for requirement in run} == run


def test_node_for_the_page_is_locked() -> None:
    assert named_in(group("node")) == named_in(list(read_lock("node.lock")))


def test_lock_of_the_page_holds_hashes_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), f"{name} has no hash"
        assert "resolved" not in entry, f"{name} names its registry"
    wanted = json.loads((ROOT / "frontend" / "package.json").read_text("utf-8"))
    for kind in ("dependencies", "devDependencies"):
        assert lock["packages"][""].get(kind) == wanted.get(kind)


# Set-up


def test_second_set_up_runs_nothing(set_up: ModuleType, commands: list[str]) -> None:
    set_up.set_up("run", chosen=False)
    assert commands == ["run.lock", set_up.ROOT.name]
    set_up.set_up("run", chosen=False)
    assert commands == ["run.lock", set_up.ROOT.name]


def test_environment_for_tests_also_serves_to_run(set_up: ModuleType, commands: list[str]) -> None:
    set_up.set_up("dev", chosen=False)
    set_up.set_up("run", chosen=False)
    assert commands == ["dev.lock", set_up.ROOT.name]


def test_changed_lock_is_installed_again(set_up: ModuleType, commands: list[str]) -> None:
    set_up.set_up("run", chosen=False)
    lock = set_up.ROOT / "requirements" / "run.lock"
    lock.write_text(lock.read_text("utf-8") + "\n", "utf-8")
    set_up.set_up("run", chosen=False)
    assert commands == ["run.lock", set_up.ROOT.name] * 2


def test_moved_folder_needs_only_openbook_itself_installed_again(
    set_up: ModuleType, commands: list[str]
) -> None:
    set_up.set_up("run", chosen=False)
    note = json.loads(set_up.NOTE.read_text("utf-8"))
    set_up.NOTE.write_text(json.dumps(note | {"project": "of another folder"}), "utf-8")
    commands.clear()
    set_up.set_up("run", chosen=False)
    assert commands == [set_up.ROOT.name]


def test_environment_killed_while_unpacking_is_made_anew(
    set_up: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(set_up, "make_environment", lambda: (made.append(True), set_up.write_note({})))
    set_up.set_up("run", chosen=False)
    set_up.write_note(set_up.read_note() | {set_up.UNFINISHED: "true"})
    assert not made
    set_up.set_up("run", chosen=False)
    assert made
    assert commands == ["run.lock", set_up.ROOT.name] * 2


def test_failure_while_unpacking_is_noted_and_one_before_is_not(set_up: ModuleType) -> None:
    set_up.ENVIRONMENT.mkdir()
    for printed, is_noted in (("Collecting a", False), ("Installing collected packages: a, b", True)):
        with pytest.raises(set_up.SetUpError):
            set_up.run_checked([sys.executable, "-c", f"print({printed!r}); raise SystemExit(1)"])
        assert (set_up.UNFINISHED in set_up.read_note()) == is_noted


def test_damaged_note_is_as_good_as_none(set_up: ModuleType) -> None:
    set_up.ENVIRONMENT.mkdir()
    for text in ("", "[1]", '{"run.lock": '):
        set_up.NOTE.write_text(text, "utf-8")
        assert set_up.read_note() == {}


@pytest.mark.parametrize("chosen", [False, True])
def test_missing_or_empty_environment_is_not_healthy(set_up: ModuleType, chosen: bool) -> None:
    assert not set_up.is_healthy(chosen=chosen)
    set_up.ENVIRONMENT.mkdir()
    assert not set_up.is_healthy(chosen=chosen)


@pytest.fixture
def page_build(set_up: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A page whose building fails until its text stands among the things that do not; what was tried."""
    tried: list[str] = []

    def fail() -> None:
        tried.append("page")
        raise set_up.SetUpError("npm's registry could not be reached.\nIs this machine online?")

    monkeypatch.setattr(set_up, "build_page_in_environment", fail)
    monkeypatch.setattr(set_up.build_page, "is_built", lambda: False)
    monkeypatch.setattr(set_up.build_page, "source_digest", lambda: "of these sources")
    return tried


def test_page_that_cannot_be_built_stops_no_demo_and_is_not_tried_again(
    set_up: ModuleType, page_build: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    set_up.make_page(is_needed=False)
    assert "npm's registry could not be reached. All else works" in capsys.readouterr().out
    set_up.make_page(is_needed=False)
    assert page_build == ["page"]
    assert capsys.readouterr().out == ""


def test_page_whose_sources_changed_is_tried_again(
    set_up: ModuleType, page_build: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up.make_page(is_needed=False)
    monkeypatch.setattr(set_up.build_page, "source_digest", lambda: "of others")
    set_up.make_page(is_needed=False)
    assert page_build == ["page", "page"]


def test_tests_stop_with_the_reason_where_the_page_cannot_be_built(
    set_up: ModuleType, page_build: list[str]
) -> None:
    with pytest.raises(set_up.SetUpError, match="Is this machine online"):
        set_up.make_page(is_needed=True)


def test_built_page_is_left_alone(
    set_up: ModuleType, page_build: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_up.build_page, "is_built", lambda: True)
    set_up.make_page(is_needed=True)
    assert page_build == []


def test_machine_without_node_gets_it_from_pip(
    set_up: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_up, "environment_python", lambda: Path(sys.executable))
    script = "import pathlib, sys; here = pathlib.Path({!r}); first = not here.exists(); here.touch(); "
    (set_up.TOOLS / "build_page.py").write_text(
        script.format(str(set_up.ROOT / "tried")) + f"sys.exit({set_up.build_page.NO_NODE} if first else 0)",
        "utf-8",
    )
    set_up.build_page_in_environment()
    assert commands == ["node.lock"]


def test_folder_that_is_no_environment_is_left_alone(set_up: ModuleType) -> None:
    set_up.ENVIRONMENT.mkdir()
    (set_up.ENVIRONMENT / "letters.txt").write_text("dear", "utf-8")
    with pytest.raises(set_up.SetUpError, match="Move it away"):
        set_up.is_healthy(chosen=False)


def test_environment_whose_python_is_gone_or_another_version_is_not_healthy(set_up: ModuleType) -> None:
    set_up.ENVIRONMENT.mkdir()
    settings = set_up.ENVIRONMENT / "pyvenv.cfg"
    settings.write_text("version = 3.11.7\n", "utf-8")
    assert not set_up.is_healthy(chosen=False)
    set_up.environment_python = lambda: Path(sys.executable)
    settings.write_text("version = 3.5.1\n", "utf-8")
    assert not set_up.is_healthy(chosen=False)
    settings.write_text(f"home = /x\nversion = {sys.version_info[0]}.{sys.version_info[1]}.9\n", "utf-8")
    assert set_up.is_healthy(chosen=False)
    assert set_up.is_healthy(chosen=True)


@pytest.mark.parametrize(
    ("printed", "reason", "advice"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full", "Free about 2 GB"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "refused", "cache purge"),
        ("SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'))", "certificate", "PIP_CERT"),
        ("NewConnectionError: Temporary failure in name resolution", "not be reached", "HTTPS_PROXY"),
        ("ERROR: No matching distribution found for jaxlib==0.10.2", "fits this Python", "PYTHON=python3.13"),
        ("ERROR: [Errno 13] Permission denied: '/x/.venv'", "not be written", "folder of your own"),
        ("Segmentation fault", "pip failed", "make clean"),
    ],
)
def test_failure_of_pip_is_explained(set_up: ModuleType, printed: str, reason: str, advice: str) -> None:
    set_up.ENVIRONMENT.mkdir()
    with pytest.raises(set_up.SetUpError) as caught:
        set_up.run_checked([sys.executable, "-c", f"print({printed!r}); raise SystemExit(1)"])
    message = str(caught.value)
    assert reason in message
    assert advice in message
    assert printed in message
    assert printed in set_up.LOG.read_text("utf-8")


def test_no_network_is_not_taken_for_a_missing_package(set_up: ModuleType) -> None:
    printed = "WARNING: Retrying after NewConnectionError\nERROR: No matching distribution found for absl-py"
    reason, _, _ = set_up.explain(printed)
    assert reason == "the package index could not be reached."


def test_missing_venv_module_says_what_to_install(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(set_up.SetUpError, match=r"sudo apt install python3\.\d+-venv"):
        set_up.make_environment()
    assert not set_up.ENVIRONMENT.exists()


def test_small_disk_is_said_before_anything_is_made(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(ROOT)._replace(free=300_000_000)
    monkeypatch.setattr(set_up.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(set_up.SetUpError, match=r"needs 2 GB .* where 0\.3 GB are free"):
        set_up.make_environment()
    assert not set_up.ENVIRONMENT.exists()


@pytest.mark.parametrize(
    ("system", "machine", "advice"),
    [("Darwin", "x86_64", "Apple-silicon"), ("Windows", "ARM64", "x86-64 Python")],
)
def test_system_without_jax_is_named(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str, machine: str, advice: str
) -> None:
    monkeypatch.setattr(set_up.platform, "system", lambda: system)
    monkeypatch.setattr(set_up.platform, "machine", lambda: machine)
    with pytest.raises(set_up.SetUpError, match=advice):
        set_up.check_python()


# Finding a Python

needs_sh = pytest.mark.skipif(shutil.which("sh") is None, reason="set_up.sh runs under sh, which make brings")


def find_python(folder: Path, **pythons: str) -> subprocess.CompletedProcess[str]:
    """Run set_up.sh where only these Pythons are on the PATH, each given as a shell script."""
    commands = folder / "commands"
    commands.mkdir()
    for name in ("sh", "cat", "dirname", "head"):
        (commands / name).symlink_to(shutil.which(name))
    chosen = pythons.pop("PYTHON", "")
    for name, script in pythons.items():
        path = commands / name.replace("_", ".")
        path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o755)
    return subprocess.run(
        ["sh", str(ROOT / "tools" / "set_up.sh"), "run"],
        env={"PATH": str(commands), "PYTHON": chosen},
        capture_output=True,
        text=True,
    )


def fake_python(version: str, *, is_old: bool = False, has_venv: bool = True) -> str:
    return f"""case "$*" in
        *version_info*) exit {int(is_old)};;
        *ensurepip*) exit {int(not has_venv)};;
        --version) echo "Python {version}";;
        *) echo "{version} runs $*";;
    esac"""


@needs_sh
def test_newest_python_that_is_tried_is_taken(tmp_path: Path) -> None:
    found = find_python(tmp_path, python3_11=fake_python("3.11.2"), python3_12=fake_python("3.12.1"))
    assert re.fullmatch(r"3\.12\.1 runs .*set_up\.py run\n", found.stdout)


@needs_sh
def test_python_that_can_make_environments_is_better_than_a_newer_one(tmp_path: Path) -> None:
    found = find_python(
        tmp_path, python3_13=fake_python("3.13.0", has_venv=False), python3=fake_python("3.11.2")
    )
    assert found.stdout.startswith("3.11.2 runs")


@needs_sh
def test_python_without_venv_is_left_to_explain_itself(tmp_path: Path) -> None:
    found = find_python(tmp_path, python3=fake_python("3.11.2", has_venv=False))
    assert found.stdout.startswith("3.11.2 runs")


@needs_sh
def test_machine_without_python_is_told_how_to_get_one(tmp_path: Path) -> None:
    found = find_python(tmp_path)
    assert found.returncode == 1
    assert "python3: not there" in found.stderr
    for system in ("Debian", "Fedora", "macOS", "Windows", "conda"):
        assert system in found.stderr


@needs_sh
def test_old_python_is_named_with_its_version(tmp_path: Path) -> None:
    found = find_python(tmp_path, python3=fake_python("3.9.2", is_old=True))
    assert found.returncode == 1
    assert "python3: Python 3.9.2" in found.stderr


@needs_sh
@pytest.mark.parametrize("chosen", ["python3.9", "python3.9 -I", "nowhere/python"])
def test_chosen_python_that_will_not_do_is_not_replaced_by_another(tmp_path: Path, chosen: str) -> None:
    found = find_python(
        tmp_path, PYTHON=chosen, python3_9=fake_python("3.9.2", is_old=True), python3=fake_python("3.13.0")
    )
    assert found.returncode == 1
    assert f"PYTHON={chosen} is:" in found.stderr
    assert found.stdout == ""


@needs_sh
def test_chosen_python_may_be_a_command_of_several_words(tmp_path: Path) -> None:
    found = find_python(tmp_path, PYTHON="py -3.12", py=fake_python("3.12.1"))
    assert re.fullmatch(r"3\.12\.1 runs -3\.12 .*set_up\.py run --chosen\n", found.stdout)


# What is in the folder


def test_licence_is_the_apache_licence_word_for_word() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_every_target_of_make_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split()
    explained = re.findall(r"^([a-z-]+):.*## .+$", makefile, re.MULTILINE)
    assert sorted(phony) == sorted(explained)


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
def test_make_alone_lists_the_targets() -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")
    }
    shown = subprocess.run(["make"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "make demo" in shown.stdout
    assert "make test " in shown.stdout


def test_wheel_holds_the_typed_package_the_built_page_and_the_licence_and_no_tests(tmp_path: Path) -> None:
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("openbook-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "openbook/py.typed" in names
    assert "openbook/__init__.py" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not [name for name in names if name.endswith("_test.py") or "conftest" in name]
    assert "openbook/page/static/index.html" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"openbook"}


def test_source_archive_holds_what_the_page_is_built_from(tmp_path: Path) -> None:
    build = f"from hatchling.build import build_sdist; build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True)
    (archive,) = tmp_path.glob("openbook-*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    assert {"hatch_build.py", "tools/build_page.py", "frontend/package-lock.json"} <= names
    assert "frontend/src/main.ts" in names
    assert not [name for name in names if "node_modules" in name]


@pytest.mark.slow
@pytest.mark.network
def test_fresh_copy_sets_itself_up_and_needs_no_network_the_second_time(tmp_path: Path) -> None:
    left_out = shutil.ignore_patterns(
        ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "runs", "node_modules", "static"
    )
    copy = shutil.copytree(ROOT, tmp_path / "openbook", ignore=left_out)
    environment = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    subprocess.run(["make", "environment"], cwd=copy, env=environment, check=True)
    no_index = environment | {"PIP_NO_INDEX": "1", "HTTPS_PROXY": "http://127.0.0.1:9"}
    again = subprocess.run(
        ["make", "environment"], cwd=copy, env=no_index, check=True, capture_output=True, text=True
    )
    assert again.stdout == ""
    version = subprocess.run([copy / ".venv/bin/openbook", "--version"], check=True, capture_output=True)
    assert version.stdout.decode().startswith("openbook ")
    assert (copy / "src/openbook/page/static/index.html").is_file()
