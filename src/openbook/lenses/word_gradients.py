"""What each word of a text does to a classifier's answer: integrated gradients through the word embedding."""

# S = points on the way from no words to the text, T = words of a text, E = embedding, C = classes

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import ModelError, UsageError
from openbook.lenses.layer_taps import first_example
from openbook.lenses.lens import Lens, Question, class_of, class_title

EMBEDDING_NAME = "word_embedding"

_FEWEST_POINTS = 32
_MOST_POINTS = 2048
_POINTS_AT_ONCE = 32
_TOLERANCE = 0.01
_NUM_SHOWN = 24
_NUM_SAID = 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class WordGradients:
    """The share of each word in a logit.

    Attributes:
        words: of the text, as the model reads it.
        attributions_T: float64; they sum to `logit - baseline_logit`, up to `gap`.
        class_name: whose logit it is.
        baseline_logit: without any word, which is what the model says to zeros as embeddings.
        gap: how far the sum is off, from the steps of the integral.
        num_points: of the integral.
    """

    words: tuple[str, ...]
    attributions_T: np.ndarray
    class_name: str
    logit: float
    baseline_logit: float
    gap: float
    num_points: int

    def text(self) -> str:
        """The words that speak most for and against the class, in lines."""
        order = np.argsort(-self.attributions_T, kind="stable")
        speaks_for = [index for index in order[:_NUM_SAID] if self.attributions_T[index] > 0]
        against = [index for index in order[::-1][:_NUM_SAID] if self.attributions_T[index] < 0]
        return "\n".join(
            f"{what} {self.class_name}: "
            + (
                ", ".join(f"{self.words[index]} {self.attributions_T[index]:+.2f}" for index in found)
                or "nothing"
            )
            for what, found in (("for", speaks_for), ("against", against))
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "class": self.class_name,
            "words": list(self.words),
            "attributions": self.attributions_T.tolist(),
            "logit": self.logit,
            "baseline_logit": self.baseline_logit,
            "gap": self.gap,
        }


def word_gradients(
    model: Any, inputs: Any, words: Sequence[str], *, class_index: int, class_name: str
) -> WordGradients:
    """The gradient of a logit by the word embeddings, integrated from no words to the text, times the embeddings.

    The number of points doubles until the attributions sum to the difference of the logits within a hundredth.

    Args:
        model: a functional Keras model on JAX with an embedding called `word_embedding`.
        inputs: a batch of 1, as the model takes it; words come first and padding after them.
        words: one for each position that is no padding.
    Raises:
        ModelError: the model has no such embedding.
    Source: Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", section 3.
    """
    import jax
    import jax.numpy as jnp

    if EMBEDDING_NAME not in {layer.name for layer in model.layers}:
        raise ModelError(
            f"{model.name} has no layer {EMBEDDING_NAME!r}; word gradients are for models of text-classifier"
        )
    after = _after_embedding(model)
    arrays = [inputs[tensor.name] for tensor in model.inputs] if isinstance(inputs, dict) else [inputs]
    embedding = model.get_layer(EMBEDDING_NAME)
    embedded_1TE = jnp.asarray(embedding(arrays[0]))

    def logits_at(shares_S: Any) -> Any:
        others = [jnp.repeat(jnp.asarray(array), shares_S.shape[0], axis=0) for array in arrays]
        return lambda embedded_STE: after([embedded_STE, *others], training=False)[:, class_index]

    @jax.jit
    def gradient_sum(shares_S: Any) -> Any:
        logits = logits_at(shares_S)
        points_STE = shares_S[:, None, None] * embedded_1TE
        return jax.grad(lambda embedded: jnp.sum(logits(embedded)))(points_STE).sum(axis=0)

    ends_S = jnp.array([0.0, 1.0])
    baseline_logit, logit = map(float, logits_at(ends_S)(ends_S[:, None, None] * embedded_1TE))
    num_points, gap = _FEWEST_POINTS, np.inf
    attributions_T = np.zeros(embedded_1TE.shape[1])
    tolerance = _TOLERANCE * max(abs(logit - baseline_logit), 1e-2)
    while abs(gap) > tolerance and num_points <= _MOST_POINTS:
        shares_S = (np.arange(num_points, dtype=np.float32) + np.float32(0.5)) / np.float32(num_points)
        gradients_TE = sum(
            np.asarray(gradient_sum(jnp.asarray(part)), np.float64)
            for part in np.split(shares_S, num_points // _POINTS_AT_ONCE)
        )
        attributions_T = (gradients_TE / num_points * np.asarray(embedded_1TE[0], np.float64)).sum(axis=-1)
        gap = float(attributions_T.sum()) - (logit - baseline_logit)
        num_points *= 2
    return WordGradients(
        words=tuple(words),
        attributions_T=attributions_T[: len(words)],
        class_name=class_name,
        logit=logit,
        baseline_logit=baseline_logit,
        gap=gap,
        num_points=num_points // 2,
    )


def _after_embedding(model: Any) -> Any:
    """The model from the embedding's output on; its own inputs come after it, for masks and weights."""
    import keras

    embedded = model.get_layer(EMBEDDING_NAME).output
    return keras.Model([embedded, *model.inputs], model.outputs[0])


def draw_word_gradients(found: WordGradients, path: Path) -> None:
    """A picture file: the words with the largest shares, in the order of the text."""
    from matplotlib.figure import Figure

    chosen = np.sort(np.argsort(-np.abs(found.attributions_T), kind="stable")[:_NUM_SHOWN])
    values = found.attributions_T[chosen]
    figure = Figure(figsize=(7, 1.4 + 0.24 * len(chosen)), layout="constrained")
    axes = figure.add_subplot()
    # Blue and vermilion are told apart with every common kind of colour blindness; the side says it as well.
    colours = ["#0072B2" if value >= 0 else "#D55E00" for value in values]
    axes.barh(range(len(chosen)), values, color=colours)
    axes.set_yticks(range(len(chosen)), [found.words[index].replace("$", r"\$") for index in chosen])
    axes.invert_yaxis()
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_xlabel(f"share in the logit of {found.class_name}".replace("$", r"\$"))
    axes.set_title(
        f"logit {found.logit:+.2f}, without words {found.baseline_logit:+.2f}", loc="left", fontsize=11
    )
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _why_not(model: Any) -> str | None:
    if model is None or EMBEDDING_NAME not in {layer.name for layer in getattr(model, "layers", None) or ()}:
        return f"it has no layer {EMBEDDING_NAME!r}, as the models of text-classifier have"
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        return "it gives no single row of scores, one for each class"
    return None


def _read(question: Question) -> WordGradients:
    reason = _why_not(question.model)
    if reason is not None:
        raise UsageError(reason)
    model, names = question.model, question.row_names
    example = first_example(model, question.inputs)
    if isinstance(example, dict):
        first = np.asarray(example[model.inputs[0].name])
    elif isinstance(example, list | tuple):
        first = np.asarray(example[0])
        example = {tensor.name: array for tensor, array in zip(model.inputs, example, strict=True)}
    else:
        first = np.asarray(example)
    # Row 0 is the padding after the words.
    words = [names[row] if names is not None else f"row {row}" for row in map(int, first[0]) if row]
    if not words:
        raise UsageError("there is no word in this input. Give a text with words")
    scores_C = np.asarray(model(example, training=False))[0]
    index = class_of(question.class_name, scores_C, question.classes)
    class_name = class_title(index, question.classes)
    return word_gradients(model, example, words, class_index=index, class_name=class_name)


LENS = Lens(
    name="word-gradients",
    title="Integrated gradients of words",
    says="what each word of a text adds to the score of a class, in shares that sum to it",
    source="Sundararajan et al. (2017)",
    takes=frozenset({"inputs", "row_names", "class_name"}),
    fits=_why_not,
    read=_read,
    draw=draw_word_gradients,
)
