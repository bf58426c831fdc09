"""What all commands share in speaking: messages on standard error, JSON on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output; progress goes to standard error.")
]


def fail(message: str, *, exit_code: int) -> int:
    """Print an error for a person; returns the exit code."""
    print(f"openbook: {message}", file=sys.stderr)
    return exit_code


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    print(json.dumps(content, indent=2))
