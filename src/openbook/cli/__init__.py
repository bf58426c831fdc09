"""The `openbook` command."""

from openbook.cli.app import main

__all__ = ["main"]
