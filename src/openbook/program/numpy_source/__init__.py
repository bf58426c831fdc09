"""A program written as plain NumPy source that reads like a textbook."""

from openbook.program.numpy_source.source import NumpyProgram, to_source

__all__ = ["NumpyProgram", "to_source"]
