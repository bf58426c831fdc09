"""Runs the Python blocks of the guides in docs/ and writes what they print beneath them.

    python tools/run_guides.py            all guides that have output blocks
    python tools/run_guides.py --check    only run them; fail where one fails

An output stands between `<!-- output -->` and `<!-- end of output -->`, right after the block that prints it. The
blocks of one guide share their variables.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

BLOCK = re.compile(
    r"(?P<code>```python\n(?P<body>.*?)```\n)(?P<output>\n<!-- output -->\n.*?<!-- end of output -->\n)?",
    re.DOTALL,
)


def main(arguments: Sequence[str]) -> int:
    """Run all guides; return the exit code."""
    for path in guides():
        text = path.read_text("utf-8")
        fresh = with_outputs(text)
        if fresh != text and "--check" not in arguments:
            path.write_text(fresh, "utf-8", newline="\n")
        print(f"{path.relative_to(ROOT).as_posix()}: ran")
    return 0


def guides() -> list[Path]:
    """The documents with output blocks."""
    return [
        path for path in sorted((ROOT / "docs").rglob("*.md")) if "<!-- output -->" in path.read_text("utf-8")
    ]


def with_outputs(text: str) -> str:
    """The text with every output made anew."""
    variables: dict[str, Any] = {"__name__": "guide"}

    def fresh(block: re.Match[str]) -> str:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block["body"], "guide", "exec"), variables)
        if block["output"] is None:
            return block["code"]
        lines = [line.rstrip() for line in printed.getvalue().rstrip().splitlines()]
        shown = "\n".join(lines)
        return f"{block['code']}\n<!-- output -->\n```text\n{shown}\n```\n<!-- end of output -->\n"

    return BLOCK.sub(fresh, text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
