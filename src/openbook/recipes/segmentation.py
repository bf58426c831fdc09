"""segmentation (chapter 9): a class for each pixel, by an encoder and a decoder, or a U-Net."""

# N = examples, B = batch, H = height, W = width, C = classes

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.errors import UsageError
from openbook.recipes.recipe import setting
from openbook.recipes.supervised import HeldOut, SupervisedRecipe
from openbook.saved_models import load_model
from openbook.supervised.goals import Goal, Segmentation
from openbook.supervised.picture_examples import PictureExamples
from openbook.supervised.task import Splits

if TYPE_CHECKING:
    from openbook.data.masked_pictures import MaskedPictures
    from openbook.lenses.lens import Finding
    from openbook.lenses.masks import Masks
    from openbook.runs import Run
    from openbook.training.reporter import Reporter

MODELS = ("encoder-decoder", "unet")
_SIDES = (16, 512)
# Three times a picture is halved and brought back.
_DEPTH = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class SegmentationRecipe(SupervisedRecipe):
    """Train a network that says for each pixel what it belongs to: the thing or the background."""

    name: ClassVar[str] = "segmentation"
    title: ClassVar[str] = "Segmentation"
    chapter: ClassVar[int] = 9
    learns: ClassVar[str] = "how a picture is made small to see what it shows, and large again to see where"
    default_budget: ClassVar[str] = "2m"
    value_range: ClassVar[str] = "0…255"

    data: str = setting(
        "openmoji-scenes",
        "openmoji-scenes (made here), oxford-pets, or your own: images/ with masks/, x.png with x_mask.png, "
        "or cut-outs",
    )
    model: str = setting("unet", f"{' or '.join(MODELS)}: chapter 9's, or with shortcuts for what is fine")
    side: int = setting(96, "height and width that every picture is brought to; a multiple of 8")
    num_filters: int = setting(16, "filters at full size; twice as many each time the picture is halved")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model not in MODELS:
            raise UsageError(f"--model must be {' or '.join(MODELS)}, not {self.model!r}")
        low, high = _SIDES
        if not low <= self.side <= high or self.side % 2**_DEPTH:
            raise UsageError(
                f"--side must be a multiple of {2**_DEPTH} between {low} and {high}, not {self.side}"
            )
        if self.num_filters < 1:
            raise UsageError(f"--num-filters must be 1 or more, not {self.num_filters}")

    def load_data(self, reporter: Reporter) -> MaskedPictures:
        from openbook.data.masked_pictures import load_masked_pictures

        return load_masked_pictures(self.data, side=self.side, progress=reporter.message)

    def resolve(self, data: MaskedPictures) -> SegmentationRecipe:
        return dataclasses.replace(
            self,
            batch_size=self.batch_size or max(1, min(16, len(data.hashes) // 4)),
            learning_rate=self.learning_rate or 3e-3,
        )

    def split(self, data: MaskedPictures) -> Splits:
        from openbook.data.split import split_by_content

        facts = {"classes": list(data.classes), **data.form.facts()}
        train, validation, test = (
            PictureExamples(pictures_NHWC=data.pictures_NHWC, targets=data.masks_NHW, rows=rows)
            for rows in split_by_content(data.hashes, held_out_share=self.held_out_share)
        )
        return Splits(train=train, validation=validation, test=test, goal=self.goal(facts), facts=facts)

    def build_model(self, facts: Mapping[str, Any]) -> Any:
        import keras

        pictures = keras.Input(tuple(facts["shape"]), name="pictures")
        brightness = hidden = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="brightness")(pictures)
        sizes = [self.num_filters * 2**level for level in range(1, _DEPTH + 1)]
        shortcuts = []
        for level, filters in enumerate(sizes, 1):
            if level > 1:
                shortcuts.append(hidden)
            hidden = _convolution(hidden, filters, f"encoder_{level}_down", stride=2)
            hidden = _convolution(hidden, filters, f"encoder_{level}")
        for level in range(_DEPTH, 0, -1):
            filters = sizes[level - 1] // 2
            hidden = _convolution(hidden, filters, f"decoder_{level}_up", stride=2, is_transposed=True)
            if self.model == "unet" and level > 1:
                hidden = keras.layers.Concatenate(name=f"decoder_{level}_shortcut")(
                    [hidden, shortcuts[level - 2]]
                )
            if level > 1:
                hidden = _convolution(hidden, filters, f"decoder_{level}")
        if self.model == "unet":
            hidden = keras.layers.Concatenate(name="pixels_shortcut")([hidden, brightness])
        logits = keras.layers.Conv2D(len(facts["classes"]), 3, padding="same", name="logits")(hidden)
        return keras.Model(pictures, logits, name="segmentation")

    # What a person sees.

    def samples(self, held_out: HeldOut) -> list[str]:
        from openbook.lenses.masks import draw_masks

        masks, path = self._masks(held_out), held_out.run.samples_folder / "masks.png"
        draw_masks(masks, path)
        return [f"{masks.text()}\npictures: {path}"]

    def findings(self, facts: Mapping[str, Any]) -> Mapping[str, Callable[[HeldOut], Finding]]:
        return {"masks": self._masks}

    def _masks(self, held_out: HeldOut) -> Masks:
        from openbook.lenses.masks import masks_of

        masks = masks_of(held_out.outputs, held_out.targets, tuple(held_out.splits.facts["classes"]))
        pictures, _ = held_out.splits.test.batch(masks.chosen)
        return dataclasses.replace(masks, pictures_NHWC=pictures / 255)

    def smaller(self) -> Iterator[SegmentationRecipe]:
        assert self.batch_size
        if self.num_filters >= 2:
            yield dataclasses.replace(self, num_filters=self.num_filters // 2)
        if self.side // 2 >= _SIDES[0] and self.side % 2 ** (_DEPTH + 1) == 0:
            yield dataclasses.replace(self, side=self.side // 2)
        if self.batch_size >= 2:
            yield dataclasses.replace(self, batch_size=self.batch_size // 2)

    @classmethod
    def goal(cls, facts: Mapping[str, Any]) -> Goal:
        return Segmentation(classes=tuple(facts["classes"]))

    @classmethod
    def read_input(cls, facts: Mapping[str, Any], settings: Mapping[str, Any], given: str) -> np.ndarray:
        from openbook.data.picture_arrays import PictureForm

        return np.asarray(PictureForm.of_facts(facts).read(given)[None], np.float32)

    @classmethod
    def answer_of(cls, facts: Mapping[str, Any], output: np.ndarray) -> dict[str, Any]:
        shares = _shares(output.argmax(axis=-1), facts["classes"])
        return {"answer": _said(shares), "shares": shares}

    @classmethod
    def target_text(cls, facts: Mapping[str, Any], target: Any) -> str:
        return _said(_shares(target, facts["classes"]))

    @classmethod
    def use(cls, run: Run, input_text: str, **options: Any) -> Iterator[str]:
        from openbook.lenses.masks import mask_picture
        from openbook.pictures.decode import FILE_FORMATS, decode_picture

        answer = cls.answer(run, input_text, **options)
        inputs = cls.read_input(cls.facts_of(run), run.section("settings"), input_text)
        output = np.asarray(load_model(run.model_path)(inputs, training=False))[0]
        path = Path(input_text).expanduser()
        picture, _ = decode_picture(path.read_bytes(), formats=FILE_FORMATS)
        mask_path = path.with_name(f"{path.stem}_predicted_mask.png")
        mask = mask_picture(output.argmax(axis=-1), size=picture.size)
        try:
            mask.save(mask_path)
        except OSError as error:
            raise UsageError(
                f"{mask_path}: the mask cannot be written ({error.strerror or error}). Copy the picture to a "
                f"folder of your own, or use --json, which writes nothing"
            ) from error
        yield f"{answer['answer']}\nmask: {mask_path}"


def _convolution(
    inputs: Any, filters: int, name: str, *, stride: int = 1, is_transposed: bool = False
) -> Any:
    """Convolution, normalization and ReLU; halves the picture with stride 2, or doubles it where transposed."""
    import keras

    kind = keras.layers.Conv2DTranspose if is_transposed else keras.layers.Conv2D
    # A transposed window that is a multiple of its stride leaves no chessboard behind.
    size = 4 if is_transposed else 3
    hidden = kind(filters, size, strides=stride, padding="same", use_bias=False, name=f"{name}_convolution")(
        inputs
    )
    hidden = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_normalization")(hidden)
    return keras.layers.ReLU(name=f"{name}_relu")(hidden)


def _shares(classes_HW: np.ndarray, classes: list[str]) -> dict[str, float]:
    """Share of the pixels of each class, the largest first."""
    counts_C = np.bincount(np.asarray(classes_HW).ravel(), minlength=len(classes))
    order = np.argsort(-counts_C, kind="stable")
    return {classes[index]: round(float(counts_C[index] / counts_C.sum()), 6) for index in order}


def _said(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in shares.items() if share > 0)
