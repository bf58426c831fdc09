"""The network of this project: one that has seen ImageNet, and a new end."""

#: if augmented
# B = batch, H = height, W = width, C = channels

#: end
import os
from pathlib import Path
from typing import Any  #: if augmented

# Keras reads its backend when it is imported.
os.environ["KERAS_BACKEND"] = "jax"

import keras

# $backbone of the run, up to its features.
BACKBONE = "backbone.keras"
SIDE = 128  #: fill
NUM_CLASSES = 2  #: fill
DROPOUT = 0.3  #: fill
#: if features
NUM_FEATURES = 1280  #: fill
#: end
#: if tuned
# The later layers know what ImageNet shows, and are trained as well; the earlier ones know edges and textures.
NUM_FROZEN = 100  #: fill
#: end
#: if augmented
SEED = 0  #: fill
#: end


#: source layers
class RandomView(keras.layers.Layer):
    """A picture seen a little differently in every step."""


#: end
#: if features
def build_backbone() -> keras.Model:
    """Pictures of any kind to their features; it is not trained."""
    backbone = keras.saving.load_model(Path(__file__).parent / BACKBONE, compile=False)
    pictures = keras.Input((SIDE, SIDE, 3))
    return keras.Model(pictures, keras.layers.GlobalAveragePooling2D()(backbone(pictures)))


def build_model() -> keras.Model:
    """Features to classes: all that is trained, so the backbone looks at each picture once."""
    features = keras.Input((NUM_FEATURES,))
    x = keras.layers.Dropout(DROPOUT)(features)
    return keras.Model(features, keras.layers.Dense(NUM_CLASSES)(x))


#: end
#: if whole
def build_model() -> keras.Model:
    """The network; only its end is untrained."""
    backbone = keras.saving.load_model(Path(__file__).parent / BACKBONE, compile=False)
    #: end
    #: if frozen
    backbone.trainable = False
    #: end
    #: if tuned
    for index, layer in enumerate(backbone.layers):
        # A normalization that is not trained keeps ImageNet's statistics, which small batches would spoil.
        is_normalization = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= NUM_FROZEN and not is_normalization
    #: end
    #: if whole
    pictures = keras.Input((SIDE, SIDE, 3))
    #: end
    #: if augmented
    x = backbone(RandomView(seed=SEED)(pictures))
    #: end
    #: if plain
    x = backbone(pictures)
    #: end
    #: if whole
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(DROPOUT)(x)
    return keras.Model(pictures, keras.layers.Dense(NUM_CLASSES)(x))
    #: end
