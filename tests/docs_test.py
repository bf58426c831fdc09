"""The documentation: its tables are what the code says, its links lead somewhere."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
TEXT_SUFFIXES = {".cfg", ".lock", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}


@pytest.fixture(scope="module")
def generate_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "tools" / "generate_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def source_files() -> Iterator[Path]:
    folders = ("bench", "docs", "requirements", "src", "tests", "tools", ".ci")
    files = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in folders:
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in files:
        if path.suffix in TEXT_SUFFIXES or path.name in ("Makefile", "run"):
            yield path


def test_tables_are_what_the_code_says() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/generate_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_table_is_written_between_its_marks_and_nothing_else_changes(generate_docs: ModuleType) -> None:
    text = "before\n<!-- table: one -->\nold\n<!-- end of table -->\nafter | as it was\n"
    fresh = generate_docs.with_fresh_tables(
        text, {"one": lambda: generate_docs.markdown_table(["a"], [["x|y"]])}
    )
    assert fresh == (
        "before\n<!-- table: one -->\n| a |\n| --- |\n| x\\|y |\n<!-- end of table -->\nafter | as it was\n"
    )


@pytest.mark.parametrize(
    ("default", "shown"),
    [(None, "–"), (False, "off"), (True, "on"), (0, "`0`"), (1, "`1`"), (0.5, "`0.5`"), ("imdb", "`imdb`")],
)
def test_default_is_written_as_what_it_is(generate_docs: ModuleType, default: object, shown: str) -> None:
    assert generate_docs.written_default(default) == shown


def test_unknown_table_is_an_error_that_lists_the_known(generate_docs: ModuleType) -> None:
    with pytest.raises(SystemExit, match="there is no table 'weather'; there are: commands"):
        generate_docs.with_fresh_tables(
            "<!-- table: weather -->\n<!-- end of table -->", generate_docs.TABLES
        )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_files_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_no_file_names_a_package_registry() -> None:
    hosts = re.compile(r"pythonhosted\.org|pypi\.org/simple|registry\.npmjs|deb\.debian\.org")
    found = [path for path in source_files() if hosts.search(path.read_text("utf-8").replace("\\", ""))]
    assert found in ([], [Path(__file__).resolve()])
