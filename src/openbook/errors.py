"""Every error a user can meet, as one tree.

    OpenbookError            anything openbook reports without a traceback; exit code 1
    ├── UsageError           the command or call was wrong: unknown name, impossible setting; exit code 2
    ├── DataError            the data cannot be used as it is (also a ValueError)
    │   └── FetchError       a source could not be reached, or what came is not what was promised
    ├── RunError             a run folder is missing, damaged, locked or of another recipe
    ├── ModelError           a model cannot be built, loaded or read (also a ValueError)
    ├── TrainingError        training cannot go on: NaN loss, no space left, deadline impossible
    └── Interrupted          the user stopped the work with Ctrl-C; what was done is saved; exit code 130

Each message says what was expected, what came and what to do next.
"""

__all__ = [
    "DataError",
    "FetchError",
    "Interrupted",
    "ModelError",
    "OpenbookError",
    "RunError",
    "TrainingError",
    "UsageError",
]


class OpenbookError(Exception):
    """Base of all errors that openbook reports to a user without a traceback."""

    exit_code = 1


class UsageError(OpenbookError, ValueError):
    """The command or call was wrong; the message names the right form."""

    exit_code = 2


class DataError(OpenbookError, ValueError):
    """The data cannot be used as it is; the message names the file and the way out."""


class FetchError(DataError):
    """A source could not be reached, or its content is not what was promised."""


class RunError(OpenbookError):
    """A run folder is missing, incomplete, damaged, in use or of another recipe."""


class ModelError(OpenbookError, ValueError):
    """A model cannot be built, loaded or read."""


class TrainingError(OpenbookError):
    """Training cannot go on; what was saved before stays intact."""


class Interrupted(OpenbookError):
    """The user stopped the work; the message says how to go on."""

    exit_code = 130
