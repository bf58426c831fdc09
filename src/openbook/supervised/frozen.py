"""Learning on the features of a network that stays as it is: its part is computed once, the rest is trained."""

# N = examples, B = batch, F = features of an example, C = classes

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.supervised.quick_layers import quick


class HeadOfModel:
    """The trainable end of a model as the training loop sees a model: features in, the model's own weights.

    Its weights and statistics are those of the whole model in their order, so that a checkpoint fits both.

    Args:
        model: the whole; only the layers of `head` are trainable.
        head: features (B, F) → outputs, made of the whole model's layers.

    Attributes:
        whole: the Keras model.
    """

    def __init__(self, model: Any, head: Any) -> None:
        self.trainable_variables = model.trainable_variables
        self.non_trainable_variables = model.non_trainable_variables
        self._head = head
        self.whole = model
        positions = {id(variable): index for index, variable in enumerate(self.non_trainable_variables)}
        self._own = [positions[id(variable)] for variable in head.non_trainable_variables]

    def stateless_call(
        self, trainable: Any, non_trainable: Any, features_BF: Any, **options: Any
    ) -> tuple[Any, ...]:
        """As a Keras model's; what the frozen part holds is handed through."""
        own = [non_trainable[index] for index in self._own]
        outputs, new_own, *rest = self._head.stateless_call(trainable, own, features_BF, **options)
        new = list(non_trainable)
        for index, value in zip(self._own, new_own, strict=True):
            new[index] = value
        return outputs, new, *rest


def head_of(model: Any, *, features: str) -> Any:
    """The layers of a model after the one named, as a model of their own that shares their weights.

    Args:
        model: functional, a chain from that layer on.
    """
    import keras

    names = [layer.name for layer in model.layers]
    position = names.index(features)
    hidden = inputs = keras.Input(model.layers[position].output.shape[1:], name=features)
    for layer in model.layers[position + 1 :]:
        hidden = layer(hidden)
    return keras.Model(inputs, hidden, name="head")


class FrozenNetwork:
    """A network that is not trained, as the source of features; compiled at its first use.

    Args:
        model: pictures (B, H, W, C) → (B, h, w, F), of which only the means over places are taken.

    Attributes:
        num_bytes: of its weights.
    """

    def __init__(self, model: Any) -> None:
        import jax

        network = quick(model)

        def features(weights: Any, pictures_BHWC: Any) -> Any:
            outputs, _ = network.stateless_call([], weights, pictures_BHWC, training=False)
            return outputs.mean(axis=(1, 2))

        self._features = jax.jit(features)
        self._weights = [variable.value for variable in model.non_trainable_variables]
        self.num_bytes = sum(weight.nbytes for weight in self._weights)

    def __call__(self, pictures_BHWC: np.ndarray) -> Any:
        """Features: (B, F)."""
        return self._features(self._weights, pictures_BHWC)


def features_of(function: Any, pictures_NHWC: np.ndarray, *, batch_size: int) -> np.ndarray:
    """A frozen network's features of all pictures: float32 (N, F).

    Args:
        function: float32 (B, H, W, C) → (B, F), compiled for this batch size.
        pictures_NHWC: uint8.
    """
    found = []
    for start in range(0, len(pictures_NHWC), batch_size):
        batch = pictures_NHWC[start : start + batch_size].astype(np.float32)
        missing = batch_size - len(batch)
        filled = np.concatenate([batch, np.repeat(batch[:1], missing, axis=0)]) if missing else batch
        found.append(np.asarray(function(filled))[: len(batch)])
    return np.concatenate(found)
