"""What holds for every test: how the suite is shared among processes, and the machine that forecasts are for."""

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent
_PAGE = _ROOT / "tests" / "page"

# Measuring takes seconds for each cache folder of a test; this profile was measured once, for child processes too.
os.environ.setdefault("OPENBOOK_PROFILE", str(_ROOT / "tests" / "machine_profile.json"))

# Many tests compile the same programs, in several processes.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_ROOT / ".pytest_cache" / "compiled"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.02")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests share its fixtures, those of the page its server too, so they run in one process."""
    for item in items:
        is_page = item.path.is_relative_to(_PAGE)
        item.add_marker(
            pytest.mark.xdist_group("page" if is_page else item.path.stem + item.path.parent.name)
        )
