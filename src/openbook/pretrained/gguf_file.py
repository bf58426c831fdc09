"""Llama checkpoints as GGUF files, in which weights may be rounded to a few bits."""

# H = heads, D = features per head, E = model width

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import ModelError
from openbook.pretrained.plan import LlamaPlan

if TYPE_CHECKING:
    from openbook.text.tokenizer import Tokenizer

__all__ = ["GgufFile"]

_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_IN_BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_CONTROL_TOKEN = 3


class GgufFile:
    """A GGUF file of a Llama model with a byte-level tokenizer.

    Args:
        path: of the file.
        end_of_text: name of the token between documents.
    Raises:
        ModelError: it cannot be read, or is of another architecture.
    """

    def __init__(self, path: Path, *, end_of_text: str) -> None:
        import gguf

        self._path = path
        self._end_of_text = end_of_text
        try:
            self._reader = gguf.GGUFReader(path)
        except (OSError, ValueError, IndexError, KeyError) as error:
            raise ModelError(f"{path}: cannot be read as a GGUF file ({error})") from error
        self._tensors = {_own_name(tensor.name): tensor for tensor in self._reader.tensors}
        architecture = self._field("general.architecture")
        if architecture != "llama":
            raise ModelError(f"{path}: holds a model of architecture {architecture!r}; expected 'llama'")
        num_heads = int(self._field("llama.attention.head_count"))
        width = int(self._field("llama.embedding_length"))
        self.plan = LlamaPlan(
            num_blocks=int(self._field("llama.block_count")),
            width=width,
            num_heads=num_heads,
            num_key_heads=int(self._field("llama.attention.head_count_kv")),
            head_dim=width // num_heads,
            feed_forward_units=int(self._field("llama.feed_forward_length")),
            vocabulary_size=len(self._field("tokenizer.ggml.tokens")),
            context_length=int(self._field("llama.context_length")),
            rotary_base=float(self._field("llama.rope.freq_base")),
            # Kept in 32 bits there: 9.99999974e-06 for 1e-5.
            epsilon=float(f"{self._field('llama.attention.layer_norm_rms_epsilon'):.6g}"),
            tied_output="lm_head.weight" not in self._tensors,
        )

    def __str__(self) -> str:
        return str(self._path)

    def files(self) -> Sequence[Path]:
        return [self._path]

    def names(self) -> Collection[str]:
        return self._tensors.keys()

    def read(self, name: str) -> np.ndarray:
        from gguf.quants import dequantize

        tensor = self._tensors[name]
        values: np.ndarray = dequantize(tensor.data, tensor.tensor_type).astype(np.float32, copy=False)
        if name.endswith("q_proj.weight"):
            return _in_halves(values, num_heads=self.plan.num_heads)
        if name.endswith("k_proj.weight"):
            return _in_halves(values, num_heads=self.plan.num_key_heads)
        return values

    def tokenizer(self) -> Tokenizer:
        from tokenizers import AddedToken, decoders, models, pre_tokenizers
        from tokenizers import Tokenizer as RustTokenizer

        from openbook.text.tokenizer import Tokenizer

        kind = (self._field("tokenizer.ggml.model"), self._field("tokenizer.ggml.pre"))
        if kind != ("gpt2", "smollm"):
            raise ModelError(
                f"{self._path}: its tokenizer is of the kind {'/'.join(kind)}, which openbook cannot read from a "
                f"GGUF file. Give a folder with the model's tokenizer.json instead"
            )
        tokens = self._field("tokenizer.ggml.tokens")
        merges = [tuple(pair.split(" ")) for pair in self._field("tokenizer.ggml.merges")]
        vocabulary = {token: number for number, token in enumerate(tokens)}
        rust = RustTokenizer(models.BPE(vocab=vocabulary, merges=merges))
        rust.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
        rust.decoder = decoders.ByteLevel()
        types = self._field("tokenizer.ggml.token_type")
        rust.add_special_tokens(
            [
                AddedToken(token, special=True, normalized=False)
                for token, kind in zip(tokens, types, strict=True)
                if kind == _CONTROL_TOKEN
            ]
        )
        return Tokenizer.with_end_of_text(rust, self._end_of_text)

    @functools.cache  # noqa: B019 - lives as long as the file is used; reading a vocabulary takes a while
    def _field(self, name: str) -> Any:
        field = self._reader.get_field(name)
        if field is None:
            raise ModelError(f"{self._path}: does not say its {name}; expected a GGUF file of a Llama model")
        return field.contents()


def _own_name(gguf_name: str) -> str:
    """`blk.3.attn_q.weight` as `model.layers.3.self_attn.q_proj.weight`; a name that is not known stays."""
    pieces = gguf_name.split(".")
    if len(pieces) == 4 and pieces[0] == "blk" and pieces[2] in _IN_BLOCK:
        return f"model.layers.{pieces[1]}.{_IN_BLOCK[pieces[2]]}.{pieces[3]}"
    return _NAMES.get(gguf_name, gguf_name)


def _in_halves(kernel_FE: np.ndarray, *, num_heads: int) -> np.ndarray:
    """Rows of queries or keys in the order in which feature i is turned with feature i + D/2.

    llama.cpp turns neighbours, features 2i and 2i + 1, and has put the rows of its files in that order.
    """
    rows, width = kernel_FE.shape
    by_pair = kernel_FE.reshape(num_heads, rows // num_heads // 2, 2, width)
    return by_pair.swapaxes(1, 2).reshape(rows, width)
