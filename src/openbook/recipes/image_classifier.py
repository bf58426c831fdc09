"""image-classifier (chapters 8 and 9): pictures told apart, by a network trained anew or a pretrained one."""

# B = batch, H = height, W = width, C = channels, F = features

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.errors import UsageError
from openbook.recipes.recipe import setting
from openbook.recipes.supervised import HeldOut, SupervisedRecipe
from openbook.supervised.examples import ArrayExamples
from openbook.supervised.frozen import FrozenNetwork, HeadOfModel, features_of, head_of
from openbook.supervised.goals import Classification, Goal, class_answer
from openbook.supervised.picture_examples import PictureExamples
from openbook.supervised.task import Splits, SupervisedTask

if TYPE_CHECKING:
    from openbook.data.labelled_pictures import LabelledPictures
    from openbook.forecasting.workload import Workload
    from openbook.lenses.confusion import Confusion
    from openbook.lenses.lens import Finding
    from openbook.runs import Run
    from openbook.training.reporter import Reporter

MODELS = ("convnet", "xception", "pretrained")
_SIDE = 96
# A third of the pixels of 224 × 224, which most backbones were trained with: a third of the time.
_PRETRAINED_SIDE = 128
_SIDES = (16, 331)
# (examples in a step, highest learning rate)
_PACE: Mapping[str, tuple[int, float]] = {
    "convnet": (32, 3e-3),
    "xception": (32, 2e-3),
    "pretrained": (64, 3e-3),
    "fine-tuned": (32, 3e-4),
}
_FEATURE_BATCH = 32
# A frozen network's weights are held by its model, the one that is saved, the training's state and its copies; and
# they are in each file of weights.
_NUM_WHOLE_MODELS = 6
_NUM_WEIGHT_FILES = 7
# The later layers of a pretrained network know what it was trained on, the earlier ones edges and textures.
_TUNED_SHARE = 1 / 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageClassifier(SupervisedRecipe):
    """Train a network that tells pictures apart: photos of your own in a folder per class, or drawings."""

    name: ClassVar[str] = "image-classifier"
    title: ClassVar[str] = "Image classifier"
    chapter: ClassVar[int] = 8
    learns: ClassVar[str] = (
        "convolutions, augmentation, residual blocks, and what a pretrained network brings along"
    )
    default_budget: ClassVar[str] = "2m"
    value_range: ClassVar[str] = "0…255"

    data: str = setting(
        "openmoji",
        "openmoji (drawings), cats-vs-dogs, fashion, or your own: a folder per class, a zip, a CSV of paths",
    )
    model: str = setting(
        "convnet",
        f"{', '.join(MODELS[:-1])} or {MODELS[-1]}: chapter 8's, 9's, or one that has seen ImageNet",
    )
    target: str | None = setting(None, "column of the labels, for tables; guessed when left out")
    side: int | None = setting(
        None,
        f"height and width that pictures are brought to; {_SIDE}, pretrained {_PRETRAINED_SIDE}",
    )
    max_per_class: int = setting(2000, "pictures that are read of each class at most")
    augmentation: bool | None = setting(
        None, "mirror, turn, scale and shift pictures in training; not for cached features"
    )
    backbone: str = setting("efficientnet_lite0", "the pretrained network; see `openbook.backbones`")
    fine_tune: bool = setting(False, "train the last third of the backbone as well, at a low rate")
    num_filters: int = setting(
        32, "filters of the first layer of a network that is trained anew; later ones have more"
    )
    dropout: float = setting(0.3, "share of the features that is left out in training")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model not in MODELS:
            raise UsageError(f"--model must be one of {', '.join(MODELS)}, not {self.model!r}")
        low, high = _SIDES
        if self.side is not None and not low <= self.side <= high:
            raise UsageError(f"--side must lie between {low} and {high}, not {self.side}")
        if self.max_per_class < 2:
            raise UsageError(f"--max-per-class must be 2 or more, not {self.max_per_class}")
        if self.num_filters < 1:
            raise UsageError(f"--num-filters must be 1 or more, not {self.num_filters}")
        if not 0.0 <= self.dropout < 1.0:
            raise UsageError(f"--dropout must be 0 or more and below 1, not {self.dropout}")
        if self.fine_tune and self.model != "pretrained":
            raise UsageError("--fine-tune is for --model pretrained; the other networks are trained whole")

    @property
    def has_cached_features(self) -> bool:
        """Whether the backbone sees each picture once and only what comes after it is trained."""
        return self.model == "pretrained" and not self.fine_tune and not self.augmentation

    def load_data(self, reporter: Reporter) -> LabelledPictures:
        from openbook.data.labelled_pictures import load_pictures
        from openbook.data.picture_arrays import PictureForm

        side = self.side or (_PRETRAINED_SIDE if self.model == "pretrained" else _SIDE)
        return load_pictures(
            self.data,
            PictureForm(height=side, width=side, channels=3),
            target=self.target,
            max_per_class=self.max_per_class,
            progress=reporter.message,
        )

    def resolve(self, data: LabelledPictures) -> ImageClassifier:
        augmentation = self.augmentation
        if augmentation is None:
            augmentation = self.model != "pretrained" or self.fine_tune
        batch_size, learning_rate = _PACE["fine-tuned" if self.fine_tune else self.model]
        return dataclasses.replace(
            self,
            side=int(data.pictures_NHWC.shape[1]),
            augmentation=augmentation,
            batch_size=self.batch_size or max(1, min(batch_size, len(data.labels_N) // 4)),
            learning_rate=self.learning_rate or learning_rate,
        )

    def split(self, data: LabelledPictures) -> Splits:
        from openbook.data.split import split_by_content

        facts = {"classes": list(data.classes), **data.form.facts()}
        train, validation, test = (
            PictureExamples(pictures_NHWC=data.pictures_NHWC, targets=data.labels_N, rows=rows)
            for rows in split_by_content(data.hashes, held_out_share=self.held_out_share)
        )
        return Splits(train=train, validation=validation, test=test, goal=self.goal(facts), facts=facts)

    def build_model(self, facts: Mapping[str, Any]) -> Any:
        import keras

        if self.model == "pretrained":
            return self._pretrained(facts)
        pictures = keras.Input(tuple(facts["shape"]), name="pictures")
        hidden = self._augmented(pictures)
        hidden = keras.layers.Rescaling(1 / 255, name="brightness")(hidden)
        hidden = self._convnet(hidden) if self.model == "convnet" else self._xception(hidden)
        hidden = keras.layers.GlobalAveragePooling2D(name="pooled_features")(hidden)
        return keras.Model(pictures, self._head(hidden, facts), name="image_classifier")

    def _augmented(self, pictures: Any) -> Any:
        from openbook.layers import RandomView

        return RandomView(seed=self.seed, name="random_view")(pictures) if self.augmentation else pictures

    def _head(self, features: Any, facts: Mapping[str, Any]) -> Any:
        import keras

        hidden = keras.layers.Dropout(self.dropout, name="dropout")(features)
        return keras.layers.Dense(len(facts["classes"]), name="logits")(hidden)

    def _convnet(self, hidden: Any) -> Any:
        """Halved by each convolution's pooling, down to a few pixels."""
        import keras

        for number, multiple in enumerate((1, 2, 4, 8), 1):
            if min(hidden.shape[1:3]) < 4:
                break
            # The first layer strides: at full size it would take as long as all others together.
            kernel_size, stride = (5, 2) if number == 1 else (3, 1)
            hidden = keras.layers.Conv2D(
                multiple * self.num_filters,
                kernel_size,
                strides=stride,
                padding="same",
                use_bias=False,
                name=f"convolution_{number}",
            )(hidden)
            hidden = keras.layers.BatchNormalization(momentum=0.9, name=f"normalization_{number}")(hidden)
            hidden = keras.layers.ReLU(name=f"relu_{number}")(hidden)
            hidden = keras.layers.MaxPooling2D(2, name=f"pooling_{number}")(hidden)
        return hidden

    def _xception(self, hidden: Any) -> Any:
        """Residual blocks of two separable convolutions. Source: Chollet (2021), section 9.3.5."""
        import keras

        hidden = keras.layers.Conv2D(
            self.num_filters, 5, strides=2, padding="same", use_bias=False, name="convolution"
        )(hidden)
        for block, multiple in enumerate((1, 2, 4, 8), 1):
            if min(hidden.shape[1:3]) < 4:
                break
            filters, shortcut = multiple * self.num_filters, hidden
            for part in (1, 2):
                name = f"block_{block}"
                hidden = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_normalization_{part}")(
                    hidden
                )
                hidden = keras.layers.ReLU(name=f"{name}_relu_{part}")(hidden)
                hidden = keras.layers.SeparableConv2D(
                    filters, 3, padding="same", use_bias=False, name=f"{name}_separable_convolution_{part}"
                )(hidden)
            hidden = keras.layers.MaxPooling2D(3, strides=2, padding="same", name=f"block_{block}_pooling")(
                hidden
            )
            shortcut = keras.layers.Conv2D(
                filters, 1, strides=2, padding="same", use_bias=False, name=f"block_{block}_shortcut"
            )(shortcut)
            hidden = keras.layers.Add(name=f"block_{block}_sum")([hidden, shortcut])
        hidden = keras.layers.BatchNormalization(momentum=0.9, name="last_normalization")(hidden)
        return keras.layers.ReLU(name="last_relu")(hidden)

    def _pretrained(self, facts: Mapping[str, Any]) -> Any:
        import keras

        backbone = _frozen_backbone(self.backbone, facts["shape"][0])
        num_frozen = math.ceil((1 - _TUNED_SHARE) * len(backbone.layers)) if self.fine_tune else None
        for index, layer in enumerate(backbone.layers):
            # A normalization that is not trainable keeps ImageNet's statistics, which small batches would spoil.
            is_normalization = isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = num_frozen is not None and index >= num_frozen and not is_normalization
        pictures, features = backbone.input, backbone.output
        if self.augmentation:
            pictures = keras.Input(tuple(facts["shape"]), name="pictures")
            features = backbone(self._augmented(pictures))
        pooled = keras.layers.GlobalAveragePooling2D(name="pooled_features")(features)
        return keras.Model(pictures, self._head(pooled, facts), name="image_classifier")

    # Cached features.

    def prepare(self, data: LabelledPictures, run: Run, reporter: Reporter) -> Splits:
        splits = super().prepare(data, run, reporter)
        if not self.has_cached_features:
            return splits
        reporter.message(f"{self.backbone} looks at {len(data.labels_N):,} pictures, once …")
        function = _feature_function(self.backbone, data.pictures_NHWC.shape[1])
        features_NF = features_of(function, data.pictures_NHWC, batch_size=_FEATURE_BATCH)
        return FeatureSplits(
            train=splits.train,
            validation=splits.validation,
            test=splits.test,
            goal=splits.goal,
            facts=splits.facts,
            features_NF=features_NF,
        )

    def workload(self, data: LabelledPictures, *, scale: float = 1.0) -> Workload:
        work = super().workload(data, scale=scale)
        if not self.has_cached_features:
            return work
        function = _feature_function(self.backbone, data.pictures_NHWC.shape[1])
        pictures = np.resize(data.pictures_NHWC[:1], (_FEATURE_BATCH, *data.pictures_NHWC.shape[1:]))
        features_BF = features_of(function, pictures, batch_size=_FEATURE_BATCH)  # compiles
        begin_s = time.perf_counter()
        features_of(function, pictures, batch_size=_FEATURE_BATCH)
        batch_s = time.perf_counter() - begin_s
        assert self.batch_size
        inputs_BF = np.resize(features_BF, (self.batch_size, features_BF.shape[1]))
        num_batches = scale * len(data.labels_N) / _FEATURE_BATCH
        return dataclasses.replace(
            work,
            build=lambda: self._feature_head(features_BF.shape[1], num_classes=len(data.classes)),
            batch_at=lambda step: (inputs_BF, np.zeros(len(inputs_BF), np.int32)),
            prepare_s=work.prepare_s + num_batches * batch_s,
            preprocessing_bytes=work.preprocessing_bytes + _NUM_WEIGHT_FILES * function.num_bytes,
            data_bytes=round(scale * len(data.labels_N)) * features_BF[0].nbytes
            + _NUM_WHOLE_MODELS * function.num_bytes,
        )

    def _feature_head(self, num_features: int, *, num_classes: int) -> Any:
        import keras

        features = keras.Input((num_features,), name="pooled_features")
        return keras.Model(features, self._head(features, {"classes": range(num_classes)}), name="head")

    def _task(self, model: Any, splits: Splits) -> SupervisedTask:
        if not isinstance(splits, FeatureSplits):
            return super()._task(model, splits)
        assert self.batch_size
        head = HeadOfModel(model, head_of(model, features="pooled_features"))
        return SupervisedTask(head, splits.of_features(), batch_size=self.batch_size, seed=self.seed)

    # What a person sees.

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
        return dataclasses.replace(confusion, pictures=inputs / 255)

    def smaller(self) -> Iterator[ImageClassifier]:
        assert self.side and self.batch_size
        if self.model != "pretrained":
            if self.num_filters >= 2:
                yield dataclasses.replace(self, num_filters=self.num_filters // 2)
            if self.side // 2 >= _SIDES[0]:
                yield dataclasses.replace(self, side=self.side // 2)
        if self.batch_size >= 2:
            yield dataclasses.replace(self, batch_size=self.batch_size // 2)

    @classmethod
    def goal(cls, facts: Mapping[str, Any]) -> Goal:
        return Classification(classes=tuple(facts["classes"]))

    @classmethod
    def read_input(cls, facts: Mapping[str, Any], settings: Mapping[str, Any], given: str) -> np.ndarray:
        from openbook.data.picture_arrays import PictureForm

        return np.asarray(PictureForm.of_facts(facts).read(given)[None], np.float32)

    @classmethod
    def answer_of(cls, facts: Mapping[str, Any], output: np.ndarray) -> dict[str, Any]:
        return class_answer(output, facts["classes"])


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureSplits(Splits):
    """Examples whose features are known.

    Attributes:
        features_NF: float32; of all pictures, in the order of the data.
    """

    features_NF: np.ndarray

    def of_features(self) -> Splits:
        """The same examples with features in the place of pictures."""

        def examples(each: Any) -> ArrayExamples:
            targets = each.targets[each.rows].astype(np.int32)
            return ArrayExamples(inputs=self.features_NF[each.rows], targets=targets)

        train, validation, test = map(examples, (self.train, self.validation, self.test))
        return Splits(train=train, validation=validation, test=test, goal=self.goal, facts=self.facts)


def _frozen_backbone(name: str, side: int) -> Any:
    """The backbone without its top, for pictures of any size: (B, side, side, 3) → (B, h, w, F)."""
    import keras

    from openbook.backbones import load_backbone

    own = load_backbone(name, with_top=False).model
    pictures = keras.Input((side, side, 3), name="pictures")
    model = keras.models.clone_model(own, input_tensors=pictures)
    model.set_weights(own.get_weights())
    model.trainable = False
    return model


@functools.cache
def _feature_function(backbone: str, side: int) -> FrozenNetwork:
    """Pictures → pooled features, compiled once in a process."""
    return FrozenNetwork(_frozen_backbone(backbone, side))
