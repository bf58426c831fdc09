"""Keras layers, and an optimizer, that openbook's own models need beyond Keras' own.

Importing this package registers them, so that a saved model loads in Keras' safe mode: loading looks the
names up here and never runs code that came with the file.
"""

from openbook.layers.attention import CausalSelfAttention
from openbook.layers.bidirectional_lstm import BidirectionalLSTM
from openbook.layers.decoder_block import DecoderBlock
from openbook.layers.feed_forward import FeedForward
from openbook.layers.gated_feed_forward import GatedFeedForward
from openbook.layers.grouped_attention import GroupedQueryAttention
from openbook.layers.learned_positions import LearnedPositions
from openbook.layers.llama_block import LlamaBlock
from openbook.layers.muon import Muon
from openbook.layers.padding import AttentionMask, MaskedMax, MaskedMean, PaddingMask
from openbook.layers.pair_embedding import PairEmbedding
from openbook.layers.projection import Projection
from openbook.layers.random_view import RandomView
from openbook.layers.tied_embedding import TiedEmbedding
from openbook.layers.weighted_sum import WeightedSum

__all__ = [
    "AttentionMask",
    "BidirectionalLSTM",
    "CausalSelfAttention",
    "DecoderBlock",
    "FeedForward",
    "GatedFeedForward",
    "GroupedQueryAttention",
    "LearnedPositions",
    "LlamaBlock",
    "MaskedMax",
    "MaskedMean",
    "Muon",
    "PaddingMask",
    "PairEmbedding",
    "Projection",
    "RandomView",
    "TiedEmbedding",
    "WeightedSum",
]
