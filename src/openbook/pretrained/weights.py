"""Puts the tensors of a Llama checkpoint into its Keras model, one at a time, and sees that none is left over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.pretrained.plan import LlamaPlan

__all__ = ["put_weights", "tensor_names"]

# Keras weight inside a block → what Hugging Face calls the same; kernels are (out, in) there.
_IN_BLOCK = {
    "attention_norm/scale": "input_layernorm.weight",
    "attention/query/kernel": "self_attn.q_proj.weight",
    "attention/key/kernel": "self_attn.k_proj.weight",
    "attention/value/kernel": "self_attn.v_proj.weight",
    "attention/output/kernel": "self_attn.o_proj.weight",
    "feed_forward_norm/scale": "post_attention_layernorm.weight",
    "feed_forward/gate/kernel": "mlp.gate_proj.weight",
    "feed_forward/expand/kernel": "mlp.up_proj.weight",
    "feed_forward/contract/kernel": "mlp.down_proj.weight",
}
_TABLE, _FINAL_NORM, _HEAD = "model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"
# Frequencies that older checkpoints carry along; they follow from the base.
_DERIVED = "rotary_emb.inv_freq"


def tensor_names(plan: LlamaPlan) -> Iterator[tuple[str, str]]:
    """Path of each weight of the Keras model, and the name of its tensor."""
    yield "token_embedding/embeddings", _TABLE
    for index in range(plan.num_blocks):
        for inside, name in _IN_BLOCK.items():
            yield f"block_{index + 1}/{inside}", f"model.layers.{index}.{name}"
    yield "final_norm/scale", _FINAL_NORM
    if not plan.tied_output:
        yield "next_token_logits/kernel", _HEAD


def put_weights(
    model: Any, plan: LlamaPlan, names: Collection[str], read: Callable[[str], np.ndarray], *, of: str
) -> None:
    """Set every weight.

    Args:
        model: as `build_llama` makes it.
        names: of all tensors that the checkpoint has.
        read: one tensor as float32, by its name.
        of: where the checkpoint lies, for messages.
    Raises:
        ModelError: a tensor is missing, has another shape, is not finite, or belongs to no weight.
    """
    variables = {variable.path: variable for variable in model.variables}
    unused = {name for name in names if not name.endswith(_DERIVED)}
    if plan.tied_output:
        unused.discard(_HEAD)  # a copy of the embedding, where it is there at all
    for path, name in tensor_names(plan):
        if name not in unused:
            raise ModelError(f"{of}: has no tensor {name}, which a Llama model of its sizes needs")
        unused.remove(name)
        tensor = read(name)
        if path.endswith("/kernel"):
            tensor = tensor.T
        variable = variables[path]
        if tensor.shape != tuple(variable.shape):
            raise ModelError(
                f"{of}: {name} has shape {tensor.shape}, expected {tuple(variable.shape)} by its sizes"
            )
        if not np.isfinite(tensor).all():
            raise ModelError(f"{of}: {name} has numbers that are not finite")
        variable.assign(tensor)
    if unused:
        raise ModelError(f"{of}: has tensors that a Llama model has not, such as {min(unused)}")
