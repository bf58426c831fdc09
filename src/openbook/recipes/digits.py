"""digits (chapters 2 and 8): small pictures told apart, by a dense network or a convolutional one."""

# B = batch, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.errors import UsageError
from openbook.recipes.recipe import setting
from openbook.recipes.supervised import HeldOut, SupervisedRecipe, answer_text
from openbook.supervised.examples import ArrayExamples
from openbook.supervised.goals import Classification, Goal, class_answer
from openbook.supervised.task import Splits

if TYPE_CHECKING:
    from openbook.data.labelled_pictures import LabelledPictures
    from openbook.forecasting.workload import Workload
    from openbook.lenses.confusion import Confusion
    from openbook.lenses.lens import Finding
    from openbook.runs import Run
    from openbook.training.reporter import Reporter

MODELS = ("dense", "convnet")
# (examples in a step, highest learning rate)
_PACE: Mapping[str, tuple[int, float]] = {"dense": (64, 8e-3), "convnet": (64, 3e-3)}
# A dense net learns the digits as well without.
_DROPOUT: Mapping[str, float] = {"dense": 0.0, "convnet": 0.25}
_LARGEST_SIDE = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class Digits(SupervisedRecipe):
    """Train a network that tells handwritten digits apart, or other small pictures."""

    name: ClassVar[str] = "digits"
    title: ClassVar[str] = "Handwritten digits"
    chapter: ClassVar[int] = 2
    learns: ClassVar[str] = "how layers of weighted sums, or of sliding windows, turn pixels into a class"
    default_budget: ClassVar[str] = "60s"

    data: str = setting(
        "mnist",
        "mnist, mnist-5k, fashion, or your own: a folder per class, a zip, IDX files, a CSV of pixels or of paths",
    )
    model: str = setting("convnet", f"{' or '.join(MODELS)}: the network of chapter 2, or of chapter 8")
    target: str | None = setting(None, "column of the labels, for tables; guessed when left out")
    side: int = setting(28, "height and width that every picture is brought to")
    hidden_units: int = setting(512, "units of the dense network's hidden layer")
    num_filters: int = setting(32, "filters of the convolutional network's first layer; later ones have more")
    dropout: float | None = setting(
        None,
        "share of the values that is left out in training; of a convnet 0.25, none of a dense net when left out",
    )
    from_scratch: bool = setting(
        False, "take the steps in plain NumPy, by openbook.scratch: no normalization, no dropout, no decay"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.from_scratch and self.dropout:
            raise UsageError("--from-scratch knows no dropout. Leave --dropout out, or --from-scratch")
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        if self.from_scratch and self.weight_decay not in (0.0, defaults["weight_decay"]):
            raise UsageError("--from-scratch knows no decay. Leave --weight-decay out, or --from-scratch")
        if self.model not in MODELS:
            raise UsageError(f"--model must be {' or '.join(MODELS)}, not {self.model!r}")
        if not 8 <= self.side <= _LARGEST_SIDE:
            raise UsageError(f"--side must lie between 8 and {_LARGEST_SIDE}, not {self.side}")
        for name in ("hidden_units", "num_filters"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be 1 or more, not {getattr(self, name)}")
        if not 0.0 <= (self.dropout or 0.0) < 1.0:
            raise UsageError(f"--dropout must be 0 or more and below 1, not {self.dropout}")

    def load_data(self, reporter: Reporter) -> LabelledPictures:
        from openbook.data.labelled_pictures import load_pictures
        from openbook.data.picture_arrays import PictureForm

        form = PictureForm(height=self.side, width=self.side, channels=1, crop="content", invert="auto")
        return load_pictures(self.data, form, target=self.target, progress=reporter.message)

    def resolve(self, data: LabelledPictures) -> Digits:
        batch_size, learning_rate = _PACE[self.model]
        return dataclasses.replace(
            self,
            batch_size=self.batch_size or max(1, min(batch_size, len(data.labels_N) // 4)),
            learning_rate=self.learning_rate or learning_rate,
            dropout=self._dropout,
            weight_decay=0.0 if self.from_scratch else self.weight_decay,
        )

    @property
    def _dropout(self) -> float:
        if self.dropout is not None:
            return self.dropout
        return 0.0 if self.from_scratch else _DROPOUT[self.model]

    def workload(self, data: LabelledPictures, *, scale: float = 1.0) -> Workload:
        if self.from_scratch:
            raise UsageError(
                "a forecast reads a compiled step, and plain NumPy has none. Leave --from-scratch out for one"
            )
        return super().workload(data, scale=scale)

    def optimizer(self) -> Any:
        import keras

        return keras.optimizers.Adam(self.learning_rate) if self.from_scratch else super().optimizer()

    @property
    def make_step(self) -> Any:
        if not self.from_scratch:
            return super().make_step
        from openbook.supervised.scratch_step import ScratchStep

        return ScratchStep

    def split(self, data: LabelledPictures) -> Splits:
        from openbook.data.split import split_by_content

        def examples(indices: np.ndarray) -> ArrayExamples:
            # Scaled once: a step then only copies rows.
            inputs = data.pictures_NHWC[indices].astype(np.float32) / np.float32(255)
            return ArrayExamples(inputs=inputs, targets=data.labels_N[indices])

        facts = {"classes": list(data.classes), **data.form.facts()}
        train, validation, test = map(
            examples, split_by_content(data.hashes, held_out_share=self.held_out_share)
        )
        return Splits(train=train, validation=validation, test=test, goal=self.goal(facts), facts=facts)

    def build_model(self, facts: Mapping[str, Any]) -> Any:
        import keras

        pictures = keras.Input(tuple(facts["shape"]), name="pictures")
        num_classes = len(facts["classes"])
        hidden = self._dense(pictures) if self.model == "dense" else self._convnet(pictures)
        logits = keras.layers.Dense(num_classes, name="logits")(hidden)
        return keras.Model(pictures, logits, name="digits")

    def _dense(self, pictures: Any) -> Any:
        import keras

        pixels = keras.layers.Flatten(name="pixels")(pictures)
        hidden = keras.layers.Dense(self.hidden_units, activation="relu", name="hidden")(pixels)
        return self._dropped_out(hidden)

    def _convnet(self, pictures: Any) -> Any:
        import keras

        hidden = pictures
        for number, num_filters in enumerate(
            (self.num_filters, 2 * self.num_filters, 4 * self.num_filters), 1
        ):
            # As in the book no border is added, unless the picture is down to less than a window.
            padding = "valid" if min(hidden.shape[1:3]) >= 3 else "same"
            hidden = keras.layers.Conv2D(
                num_filters, 3, padding=padding, use_bias=self.from_scratch, name=f"convolution_{number}"
            )(hidden)
            if not self.from_scratch:
                hidden = keras.layers.BatchNormalization(momentum=0.9, name=f"normalization_{number}")(hidden)
            hidden = keras.layers.ReLU(name=f"relu_{number}")(hidden)
            if min(hidden.shape[1:3]) >= 4:
                hidden = keras.layers.MaxPooling2D(2, name=f"pooling_{number}")(hidden)
        return self._dropped_out(keras.layers.Flatten(name="features")(hidden))

    def _dropped_out(self, hidden: Any) -> Any:
        import keras

        return keras.layers.Dropout(self.dropout, name="dropout")(hidden) if self.dropout else hidden

    def samples(self, held_out: HeldOut) -> list[str]:
        from openbook.lenses.confusion import draw_confusion

        confusion = self._confusion(held_out)
        draw_confusion(confusion, held_out.run.samples_folder / "confusion.png")
        return [confusion.text()]

    def findings(self, facts: Mapping[str, Any]) -> Mapping[str, Callable[[HeldOut], Finding]]:
        return {"confusion": self._confusion}

    def _confusion(self, held_out: HeldOut) -> Confusion:
        from openbook.lenses.confusion import confusion_of

        splits = held_out.splits
        assert isinstance(splits.goal, Classification)
        confusion = confusion_of(held_out.outputs, held_out.targets, splits.goal.classes)
        inputs, _ = splits.test.batch(confusion.worst)
        return dataclasses.replace(confusion, pictures=inputs)

    def smaller(self) -> Iterator[Digits]:
        if self.model == "dense":
            for divisor in (2, 4):
                yield dataclasses.replace(self, hidden_units=max(1, self.hidden_units // divisor))
        else:
            for divisor in (2, 4):
                yield dataclasses.replace(self, num_filters=max(1, self.num_filters // divisor))
        assert self.batch_size
        if self.batch_size >= 2:
            yield dataclasses.replace(self, batch_size=self.batch_size // 2)

    @classmethod
    def goal(cls, facts: Mapping[str, Any]) -> Goal:
        return Classification(classes=tuple(facts["classes"]))

    @classmethod
    def read_input(cls, facts: Mapping[str, Any], settings: Mapping[str, Any], given: str) -> np.ndarray:
        from openbook.data.picture_arrays import PictureForm

        return np.asarray(PictureForm.of_facts(facts).read(given)[None], np.float32) / np.float32(255)

    @classmethod
    def answer_of(cls, facts: Mapping[str, Any], output: np.ndarray) -> dict[str, Any]:
        return class_answer(output, facts["classes"])

    @classmethod
    def use(cls, run: Run, input_text: str, **options: Any) -> Iterator[str]:
        answer = cls.answer(run, input_text, **options)
        picture = cls.read_input(cls.facts_of(run), run.section("settings"), input_text)[0, :, :, 0]
        yield f"as the model sees it:\n{picture_text(picture)}\n\n{answer_text(answer)}"


def picture_text(brightness_HW: np.ndarray) -> str:
    """A picture in characters, two for each pixel; brightness between 0 and 1."""
    signs = " ░▒▓█"
    levels_HW = (brightness_HW * len(signs)).astype(int).clip(0, len(signs) - 1)
    return "\n".join("".join(2 * signs[level] for level in row).rstrip() for row in levels_HW)
