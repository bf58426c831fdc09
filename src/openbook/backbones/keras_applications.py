"""The networks of `keras.applications` with their preprocessing inside; Keras fetches their weights itself."""

# B = batch, H and W = height and width of pictures, h and w = of features, C = channels

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from openbook.data.cache import Progress
from openbook.data.display import harmless
from openbook.errors import FetchError

__all__ = ["KERAS_APPLICATIONS", "KerasApplication", "load_keras_application", "preprocessed"]

Preprocessing = Literal["none", "minus one to one", "standardized", "BGR without mean"]


@dataclass(frozen=True, kw_only=True)
class KerasApplication:
    """What has to be known of a network to hand it a picture."""

    input_size: int
    preprocessing: Preprocessing = "none"  # "none": the network of Keras has it inside already


def _applications(
    sizes: dict[str, int], preprocessing: Preprocessing = "none"
) -> dict[str, KerasApplication]:
    return {
        name: KerasApplication(input_size=size, preprocessing=preprocessing) for name, size in sizes.items()
    }


KERAS_APPLICATIONS = dict(
    sorted(
        {
            **_applications({"ConvNeXtTiny": 224, "ConvNeXtSmall": 224, "ConvNeXtBase": 224}),
            **_applications({"ConvNeXtLarge": 224, "ConvNeXtXLarge": 224}),
            **_applications({"DenseNet121": 224, "DenseNet169": 224, "DenseNet201": 224}, "standardized"),
            **_applications({"EfficientNetB0": 224, "EfficientNetB1": 240, "EfficientNetB2": 260}),
            **_applications({"EfficientNetB3": 300, "EfficientNetB4": 380, "EfficientNetB5": 456}),
            **_applications({"EfficientNetB6": 528, "EfficientNetB7": 600, "EfficientNetV2B0": 224}),
            **_applications({"EfficientNetV2B1": 240, "EfficientNetV2B2": 260, "EfficientNetV2B3": 300}),
            **_applications({"EfficientNetV2S": 384, "EfficientNetV2M": 480, "EfficientNetV2L": 480}),
            **_applications(
                {"InceptionResNetV2": 299, "InceptionV3": 299, "Xception": 299}, "minus one to one"
            ),
            **_applications({"MobileNet": 224, "MobileNetV2": 224}, "minus one to one"),
            **_applications({"MobileNetV3Large": 224, "MobileNetV3Small": 224}),
            **_applications({"NASNetLarge": 331, "NASNetMobile": 224}, "minus one to one"),
            **_applications({"ResNet50": 224, "ResNet101": 224, "ResNet152": 224}, "BGR without mean"),
            **_applications({"ResNet50V2": 224, "ResNet101V2": 224, "ResNet152V2": 224}, "minus one to one"),
            **_applications({"VGG16": 224, "VGG19": 224}, "BGR without mean"),
        }.items()
    )
)


def load_keras_application(name: str, *, with_top: bool, progress: Progress) -> Any:
    """A network of `keras.applications` that takes pictures as they are.

    Returns:
        model: pictures float32 (B, H, W, 3), brightness 0…255 → logits (B, 1000), or features (B, h, w, C).
    Raises:
        FetchError: Keras has no weights of it on this machine and cannot fetch them.
    """
    import keras

    application = KERAS_APPLICATIONS[name]
    size = application.input_size
    pictures = keras.layers.Input((size, size, 3), name="pictures")
    progress(f"Fetching the weights of {name} with Keras, unless they are on this machine")
    # Keras leaves the activation away rather than the logits.
    top = {"classifier_activation": None} if with_top else {}
    try:
        model = getattr(keras.applications, name)(
            include_top=with_top,
            weights="imagenet",
            input_shape=(size, size, 3),
            input_tensor=preprocessed(pictures, application.preprocessing),
            **top,
        )
    except Exception as error:
        # Keras raises a plain Exception where an address cannot be reached, and names the address in it.
        raise FetchError(
            f"The weights of {name}: could not be fetched or read by Keras ({harmless(str(error))}). Connect to "
            f"the network and try again; or put the file of that address into ~/.keras/models; or choose "
            f"efficientnet_lite0 or mobilenet_v2, whose weights come from the package index."
        ) from error
    # Keras' model takes a list of one input, and warns where it is given a picture alone.
    return keras.Model(pictures, model.output, name=name)


def preprocessed(pictures_BHWC: Any, preprocessing: Preprocessing) -> Any:
    """Pictures in the range that a network was trained with, by layers that a `.keras` file can hold.

    Source: keras.applications.imagenet_utils.preprocess_input, modes "tf", "torch" and "caffe".
    """
    import keras

    name = "preprocessed_pictures"
    if preprocessing == "minus one to one":
        return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name=name)(pictures_BHWC)
    if preprocessing == "standardized":
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        return keras.layers.Normalization(
            mean=[255 * value for value in mean], variance=[(255 * value) ** 2 for value in std], name=name
        )(pictures_BHWC)
    if preprocessing == "BGR without mean":
        # These were trained with Caffe, which reads blue first.
        pictures_BHWC = keras.ops.flip(pictures_BHWC, axis=-1)
        return keras.layers.Normalization(
            mean=(103.939, 116.779, 123.68), variance=(1.0, 1.0, 1.0), name=name
        )(pictures_BHWC)
    return pictures_BHWC
