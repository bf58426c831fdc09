"""Pretrained language models of the Llama family as Keras models: what a text generator can start from."""

from openbook.pretrained.start import Start, load_start

__all__ = ["Start", "load_start"]
