"""from-scratch: the networks of `digits` once with Keras and once in plain NumPy, from the same start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbook.experiments.experiment import Examples, Experiment, Net, Outcome, percent

# Units and filters: of chapter 2, and of chapter 8 with a quarter of its filters.
_NETS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "dense": ((512,), ()),
    "convnet": ((), (8, 16, 32)),
}


def _nets(examples: Examples, rng: np.random.Generator) -> list[Net]:
    return [
        Net(
            label=f"{name}, {'from scratch' if is_from_scratch else 'Keras'}",
            examples=examples,
            hidden_units=hidden_units,
            num_filters=num_filters,
            is_from_scratch=is_from_scratch,
        )
        for name, (hidden_units, num_filters) in _NETS.items()
        for is_from_scratch in (False, True)
    ]


def _see(outcomes: Sequence[Outcome]) -> str:
    told = []
    for keras, scratch in zip(outcomes[::2], outcomes[1::2], strict=True):
        difference = max(
            abs(one.held_out_loss - other.held_out_loss)
            for one, other in zip(keras.curve, scratch.curve, strict=True)
        )
        name = keras.label.partition(",")[0].capitalize()
        told.append(
            f"{name}: {percent(scratch.last.held_out_accuracy)} from scratch and "
            f"{percent(keras.last.held_out_accuracy)} with Keras, in {scratch.duration_s:.1f} s and "
            f"{keras.duration_s:.1f} s; their held-out losses never differ by more than {difference:.2g}"
        )
    return f"The same start and the same batches give the same net. {'. '.join(told)}."


EXPERIMENT = Experiment(
    title="The same net from scratch",
    question="Does plain NumPy learn what Keras learns?",
    curve="loss",
    num_epochs=6,
    num_examples=1000,
    nets=_nets,
    see=_see,
)
