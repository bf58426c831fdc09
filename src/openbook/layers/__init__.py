"""Keras layers that openbook's own models need beyond `keras.layers`.

Importing this package registers them, so that a saved model loads in Keras' safe mode: loading looks the
names up here and never runs code that came with the file.
"""

from openbook.layers.attention import CausalSelfAttention
from openbook.layers.decoder_block import DecoderBlock
from openbook.layers.feed_forward import FeedForward
from openbook.layers.projection import Projection

__all__ = ["CausalSelfAttention", "DecoderBlock", "FeedForward", "Projection"]
