"""Steps that together are one operation of the textbook: softmax, layer norm, attention, an Adam update."""

from openbook.program.composites.composite import Composite
from openbook.program.composites.finding import find_composites

__all__ = ["Composite", "find_composites"]
