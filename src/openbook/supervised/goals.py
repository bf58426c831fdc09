"""What a model should learn to say, and how well it does: one class for each kind of answer."""

# B = batch, C = classes or labels, H = height, W = width, D = numbers in an answer

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

NO_LABEL = "none of the labels"


class Goal(Protocol):
    """A kind of answer: its loss, and its held-out score as sums over batches.

    Attributes:
        kind: its name in the run's record.
        score_key: entry of the score by which weights are chosen; the lowest is best.
    """

    @property
    def kind(self) -> str: ...

    @property
    def score_key(self) -> str: ...

    @property
    def num_outputs(self) -> int:
        """Size of the last axis of the model's output."""

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Scalar; traced by JAX."""

    def sums(self, outputs: Any, targets: Any, weights_B: Any) -> dict[str, Any]:
        """What a score is made from, summed over the examples of weight 1; traced by JAX."""

    def score(self, sums: Mapping[str, np.ndarray]) -> dict[str, float]:
        """The score, from the sums of all batches."""

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """How wrong each output is, (N,); larger is worse."""

    @property
    def one_of(self) -> tuple[str, ...] | None:
        """The classes, where each example is of one of them; else None."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Classification:
    """One class for each example; outputs are logits (B, C), targets int32 (B,)."""

    classes: tuple[str, ...]
    kind: str = "classification"
    score_key: str = "loss"

    @property
    def num_outputs(self) -> int:
        return len(self.classes)

    def loss(self, outputs: Any, targets: Any) -> Any:
        from openbook.training.losses import next_token_loss

        return next_token_loss(outputs, targets)

    def sums(self, outputs: Any, targets: Any, weights_B: Any) -> dict[str, Any]:
        return _confusion_sums(outputs, targets, weights_B)

    def score(self, sums: Mapping[str, np.ndarray]) -> dict[str, float]:
        confusion_CC = sums["confusion"]
        number = float(confusion_CC.sum())
        return {
            "accuracy": float(np.trace(confusion_CC)) / number,
            "loss": float(sums["nats"]) / number,
        }

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return _nats(outputs, targets)

    @property
    def one_of(self) -> tuple[str, ...] | None:
        return self.classes


@dataclasses.dataclass(frozen=True, kw_only=True)
class MultiLabel:
    """Any number of labels for each example; outputs are logits (B, C), targets 0 or 1, float32 (B, C)."""

    classes: tuple[str, ...]
    kind: str = "multi_label"
    score_key: str = "loss"

    @property
    def num_outputs(self) -> int:
        return len(self.classes)

    def loss(self, outputs: Any, targets: Any) -> Any:
        import jax.numpy as jnp

        return jnp.mean(_binary_nats(outputs, targets))

    def sums(self, outputs: Any, targets: Any, weights_B: Any) -> dict[str, Any]:
        import jax.numpy as jnp

        says_BC, is_BC = outputs > 0.0, targets > 0.5
        return {
            "number": jnp.sum(weights_B),
            "nats": jnp.sum(jnp.mean(_binary_nats(outputs, targets), axis=-1) * weights_B),
            "right": jnp.sum(jnp.mean(says_BC == is_BC, axis=-1) * weights_B),
            "all_right": jnp.sum(jnp.all(says_BC == is_BC, axis=-1) * weights_B),
            "hits": jnp.sum((says_BC & is_BC) * weights_B[:, None], axis=0),
            "said": jnp.sum(says_BC * weights_B[:, None], axis=0),
            "true": jnp.sum(is_BC * weights_B[:, None], axis=0),
        }

    def score(self, sums: Mapping[str, np.ndarray]) -> dict[str, float]:
        number = float(sums["number"])
        hits, said, true = (float(sums[name].sum()) for name in ("hits", "said", "true"))
        return {
            "accuracy": float(sums["right"]) / number,
            "all_right": float(sums["all_right"]) / number,
            "f1": 2 * hits / max(1.0, said + true),
            "loss": float(sums["nats"]) / number,
        }

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.asarray(np.mean((outputs > 0) != (targets > 0.5), axis=1))

    @property
    def one_of(self) -> tuple[str, ...] | None:
        return None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Regression:
    """A number for each example; outputs and targets are standardised, float32 (B, 1) and (B,).

    Attributes:
        scale: standard deviation of the training targets, in their own unit.
        unit: of the target, for a person; "" where unknown.
    """

    scale: float
    unit: str = ""
    kind: str = "regression"
    score_key: str = "mae"

    @property
    def num_outputs(self) -> int:
        return 1

    def loss(self, outputs: Any, targets: Any) -> Any:
        import jax.numpy as jnp

        return jnp.mean(jnp.square(outputs[:, 0] - targets))

    def sums(self, outputs: Any, targets: Any, weights_B: Any) -> dict[str, Any]:
        import jax.numpy as jnp

        errors_B = outputs[:, 0] - targets
        return {
            "number": jnp.sum(weights_B),
            "absolute": jnp.sum(jnp.abs(errors_B) * weights_B),
            "squares": jnp.sum(jnp.square(errors_B) * weights_B),
        }

    def score(self, sums: Mapping[str, np.ndarray]) -> dict[str, float]:
        number = float(sums["number"])
        mse = float(sums["squares"]) / number
        return {
            "mae": self.scale * float(sums["absolute"]) / number,
            "rmse": self.scale * mse**0.5,
            "loss": mse,
        }

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.asarray(np.abs(outputs[:, 0] - targets))

    @property
    def one_of(self) -> tuple[str, ...] | None:
        return None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Segmentation:
    """A class for each pixel; outputs are logits (B, H, W, C), targets int32 (B, H, W)."""

    classes: tuple[str, ...]
    kind: str = "segmentation"
    score_key: str = "loss"

    @property
    def num_outputs(self) -> int:
        return len(self.classes)

    def loss(self, outputs: Any, targets: Any) -> Any:
        from openbook.training.losses import next_token_loss

        return next_token_loss(outputs, targets)

    def sums(self, outputs: Any, targets: Any, weights_B: Any) -> dict[str, Any]:
        import jax.numpy as jnp

        return _confusion_sums(outputs, targets, jnp.broadcast_to(weights_B[:, None, None], targets.shape))

    def score(self, sums: Mapping[str, np.ndarray]) -> dict[str, float]:
        confusion_CC = sums["confusion"]
        number = float(confusion_CC.sum())
        hits_C = np.diag(confusion_CC)
        unions_C = confusion_CC.sum(axis=0) + confusion_CC.sum(axis=1) - hits_C
        ious = [float(hit / union) for hit, union in zip(hits_C, unions_C, strict=True) if union > 0]
        return {
            "iou": sum(ious) / len(ious),
            "accuracy": float(hits_C.sum()) / number,
            "loss": float(sums["nats"]) / number,
        }

    def losses(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.asarray(_nats(outputs, targets).reshape(len(outputs), -1).mean(axis=1))

    @property
    def one_of(self) -> tuple[str, ...] | None:
        return None


def _confusion_sums(logits: Any, targets: Any, weights: Any) -> dict[str, Any]:
    """Cross-entropy, and how often each class (row) was taken for each (column); targets and weights alike (…)."""
    import jax.numpy as jnp

    from openbook.training.losses import token_nats

    num_classes = logits.shape[-1]
    confusion_CC = jnp.zeros((num_classes, num_classes)).at[targets, jnp.argmax(logits, axis=-1)].add(weights)
    return {"nats": jnp.sum(token_nats(logits, targets) * weights), "confusion": confusion_CC}


def _nats(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Cross-entropy at each target, in NumPy: logits (…, C), targets (…)."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    own = np.take_along_axis(shifted, targets[..., None], axis=-1)[..., 0]
    return np.asarray(np.log(np.exp(shifted).sum(axis=-1)) - own)


def _binary_nats(logits: Any, targets: Any) -> Any:
    """Cross-entropy of yes or no, in nats, without overflow."""
    import jax.numpy as jnp

    return jnp.maximum(logits, 0.0) - logits * targets + jnp.log1p(jnp.exp(-jnp.abs(logits)))


def class_answer(logits_C: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """The most probable class, and all with their probabilities, the most probable first."""
    shifted_C = logits_C.astype(np.float64) - logits_C.max()
    return _ranked(np.exp(shifted_C) / np.exp(shifted_C).sum(), classes)


def label_answer(logits_C: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    """The labels that are more probable than not, and all with their probabilities."""
    answer = _ranked(1.0 / (1.0 + np.exp(-logits_C.astype(np.float64))), labels)
    said = [name for name, share in answer["probabilities"].items() if share > 0.5]
    return {
        "answer": ", ".join(said) or NO_LABEL,
        "labels": said,
        "probabilities": answer["probabilities"],
    }


def _ranked(shares_C: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    shares = {names[index]: round(float(shares_C[index]), 6) for index in np.argsort(-shares_C)}
    answer = next(iter(shares))
    return {"answer": answer, "probability": shares[answer], "probabilities": shares}
