"""`openbook doctor`: looks at everything that training needs, and says how to mend what is wrong."""

from collections.abc import Callable

from openbook.doctor.check import Check, run_check
from openbook.doctor.hardware import (
    check_devices,
    check_malloc,
    check_memory,
    check_platform,
    check_speed,
)
from openbook.doctor.places import check_cache_folder, check_runs_folder, check_terminal
from openbook.doctor.software import check_backend, check_packages, check_pip, check_python

__all__ = ["CHECKS", "Check", "run_check"]

# In the order they are shown: a failure often explains the ones after it.
CHECKS: tuple[Callable[[], Check], ...] = (
    check_python,
    check_platform,
    check_packages,
    check_pip,
    check_memory,
    check_runs_folder,
    check_cache_folder,
    check_terminal,
    check_malloc,
    check_backend,
    check_devices,
    check_speed,
)
