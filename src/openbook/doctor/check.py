"""One thing that `openbook doctor` looks at, and how its result is told."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

__all__ = ["Check", "run_check"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was found.

    Attributes:
        found: what is there, for a person.
        fix: what to do about it; empty when all is well.
    """

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    fix: str = ""

    def to_dict(self) -> dict[str, str]:
        """The check as it stands in `openbook doctor --json`."""
        return asdict(self)


def run_check(check: Callable[[], Check]) -> Check:
    """Runs a check; one that breaks is a failure of its own, not the end of the doctor."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001  a broken installation can raise anything
        name = check.__name__.removeprefix("check_").replace("_", " ")
        return Check(
            name=name,
            status="fail",
            found=f"could not be checked: {type(error).__name__}: {error}",
            fix="if training fails too, make a new environment and install openbook again",
        )
