"""Textbook names of a program's values: layer path and what the value is."""

from openbook.program.naming.names import Names, axis_names, name_values

__all__ = ["Names", "axis_names", "name_values"]
