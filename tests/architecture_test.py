"""The architecture of docs/architecture.md: imports point one way, and importing loads no heavy library."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "openbook"

# What each part may import besides itself. A new part gets its line here and in the table of the docs.
MAY_IMPORT = {
    "errors": set(),
    "relaunch": set(),
    "training_backend": {"errors"},
    "layers": set(),
    "runs": {"errors"},
    "registry": {"errors"},
    "pictures": {"errors"},
    "data": {"errors", "pictures"},
    "scratch": {"errors"},
    "backbones": {"data", "errors"},
    "pretrained": {"data", "errors", "layers", "text"},
    "supervised": {"scratch", "training"},
    "lenses": {"registry", "errors", "program", "runs"},
    "text": {"errors", "layers"},
    "training": {"errors", "layers", "runs", "saved_models"},
    "program": {"errors"},
    "forecasting": {"errors", "program", "relaunch", "runs", "training"},
    "recipes": {
        "backbones",
        "data",
        "errors",
        "forecasting",
        "layers",
        "lenses",
        "pictures",
        "pretrained",
        "registry",
        "runs",
        "saved_models",
        "scratch",
        "supervised",
        "text",
        "training",
        "training_backend",
    },
    "saved_models": {"errors", "layers", "runs"},
    "page": {"errors", "lenses", "pictures", "program", "runs", "scratch"},
    "lensing": {"errors", "lenses", "recipes", "runs", "supervised", "training"},
    "looking": {
        "data",
        "errors",
        "lensing",
        "page",
        "program",
        "recipes",
        "runs",
        "saved_models",
        "training",
        "typed_inputs",
    },
    "typed_inputs": {"page", "recipes"},
    "api": {
        "errors",
        "looking",
        "page",
        "program",
        "recipes",
        "runs",
        "saved_models",
        "training",
        "training_backend",
    },
    "doctor": {"data", "errors", "relaunch", "runs", "training_backend"},
    "survey": {"errors", "runs"},
    "journal": {"data", "errors", "recipes", "runs", "training"},
    "experiments": {"errors", "registry", "runs", "scratch", "supervised", "training"},
    # Files of a project are templates: there `data` is the project's own.
    "projects": {"data", "errors", "recipes", "runs", "saved_models", "training"},
    "cli": {
        "api",
        "data",
        "doctor",
        "errors",
        "experiments",
        "forecasting",
        "journal",
        "lenses",
        "lensing",
        "looking",
        "page",
        "program",
        "projects",
        "recipes",
        "relaunch",
        "runs",
        "saved_models",
        "survey",
        "training",
        "training_backend",
    },
    "__main__": {"cli"},
    "__init__": set(),
}

HEAVY = ("PIL", "jax", "keras", "matplotlib", "polars", "rich", "scipy", "starlette", "tokenizers", "uvicorn")


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "openbook":
            yield from (alias.name for alias in node.names if not alias.name.startswith("__"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("openbook."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith("openbook.")
            )


@pytest.mark.parametrize("part", sorted({part_of(path) for path in PACKAGE.rglob("*.py")} - {"conftest"}))
def test_imports_point_one_way(part: str) -> None:
    files = [path for path in PACKAGE.rglob("*.py") if part_of(path) == part]
    for path in files:
        if not path.name.endswith("_test.py") and path.name != "conftest.py":
            wrong = set(imported_parts(path)) - MAY_IMPORT.get(part, set()) - {part}
            assert not wrong, f"{path.relative_to(PACKAGE)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize(
    "module", ["openbook", "openbook.cli", "openbook.data", "openbook.recipes", "openbook.runs"]
)
def test_importing_loads_no_heavy_library(module: str) -> None:
    script = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert loaded.stdout.split() == []


def test_every_file_says_what_it_does_in_its_first_line() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        assert not text or text.startswith('"""'), path.relative_to(PACKAGE)
