"""A model of which only low-rank updates are trained, as the training loop sees a model: LoRA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["LowRankTraining", "merged_weights"]

# One scale for all ranks, so that a learning rate that suits one suits the others.
_SCALE = 2.0


class LowRankTraining:
    """Low-rank updates beside all projections inside the blocks of a Llama model.

    The training loop finds the updates' weights and no others here. The model's own come with the inputs: so they
    are arguments of the compiled step as well, and part neither of what it changes nor of a checkpoint.

    Args:
        model: functional; it has the updates until `merge` is called.
        rank: of the updates.

    Attributes:
        whole: the Keras model.
    """

    def __init__(self, model: Any, *, rank: int) -> None:
        self.whole = model
        for variable in model.variables:
            variable.trainable = False
        for projection in _projections(model):
            projection.add_low_rank_update(rank=rank, scale=_SCALE)
        self.trainable_variables = model.trainable_variables
        self.non_trainable_variables: list[Any] = []
        self.weights = model.weights
        self._frozen = model.non_trainable_variables

    @property
    def frozen_shapes(self) -> list[tuple[int, ...]]:
        """Of the model's own weights, as `with_frozen` takes them."""
        return [tuple(variable.shape) for variable in self._frozen]

    def with_frozen(self, tokens_BT: Any) -> tuple[list[Any], Any]:
        """Inputs as `stateless_call` takes them."""
        return [variable.value for variable in self._frozen], tokens_BT

    def stateless_call(
        self, trainable: Sequence[Any], non_trainable: Sequence[Any], inputs: Any, **options: Any
    ) -> tuple[Any, ...]:
        """As a Keras model's."""
        frozen, tokens_BT = inputs
        outputs, _, *rest = self.whole.stateless_call(trainable, frozen, tokens_BT, **options)
        return outputs, list(non_trainable), *rest

    def merge(self) -> None:
        """Add the updates to the weights: the model is an ordinary one again, that does what it did with them."""
        for projection in _projections(self.whole):
            projection.merge_low_rank_update()
        for variable in self.whole.variables:
            variable.trainable = True


def merged_weights(model: Any, updates: Sequence[Any], *, rank: int) -> list[Any]:
    """The weights of an untouched model with updates added, as arrays in the order of its trainable variables.

    Args:
        model: ordinary, with the weights that training began with; unchanged afterwards.
        updates: arrays of the updates, in the order of `LowRankTraining.trainable_variables`.
    """
    own = [variable.value for variable in model.trainable_variables]
    training = LowRankTraining(model, rank=rank)
    for variable, value in zip(training.trainable_variables, updates, strict=True):
        variable.assign(value)
    training.merge()
    merged = [variable.value for variable in model.trainable_variables]
    for variable, value in zip(model.trainable_variables, own, strict=True):
        variable.assign(value)
    return merged


def _projections(model: Any) -> Iterator[Any]:
    from openbook.layers import LlamaBlock

    for block in model.layers:
        if isinstance(block, LlamaBlock):
            attention, feed_forward = block.attention, block.feed_forward
            yield from (attention.query, attention.key, attention.value, attention.output_projection)
            yield from (feed_forward.gate, feed_forward.expand, feed_forward.contract)
