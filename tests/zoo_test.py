"""What the zoo holds: enough models, and every layer, loss and optimizer of Keras somewhere among them."""

import inspect

import keras
import pytest

from zoo import ENTRIES, MODELS
from zoo.readings import made

# Layers that no program of JAX steps can hold, or that only stand for others.
NOT_READ = {
    "AugMix": "draws among the other augmentations: fourteen thousand steps of the same kinds",
    "RandAugment": "draws among the other augmentations",
    "Pipeline": "calls other layers",
    "Wrapper": "an abstract class",
    "Layer": "an abstract class",
    "Equalization": "cannot stand in a functional model",
    "RandomCrop": "takes slices at drawn places, which JAX cannot trace",
    "RandomElasticTransform": "fails on JAX",
    "MaxNumBoundingBoxes": "for boxes, not for images",
    "FlaxLayer": "needs Flax",
    "JaxLayer": "wraps a JAX function",
    "TFSMLayer": "needs TensorFlow",
    "TorchModuleWrapper": "needs PyTorch",
    "HashedCrossing": "text and classes, looked up before the model",
    "Hashing": "text and classes, looked up before the model",
    "IntegerLookup": "text and classes, looked up before the model",
    "StringLookup": "text and classes, looked up before the model",
    "TextVectorization": "text and classes, looked up before the model",
}
OPTIMIZERS_NOT_READ = {
    "Optimizer": "an abstract class",
    "MultiOptimizer": "calls other optimizers",
    "OptimizerMap": "assigns other optimizers",
}


def test_names_are_unique_and_there_are_enough():
    names = [entry.name for entry in ENTRIES]
    assert len(set(names)) == len(names)
    assert len(names) >= 45


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")
def test_every_layer_loss_and_optimizer_occurs():
    layers, losses, optimizers = set(), set(), set()
    for entry in MODELS:
        model = made(entry).model
        layers.update(type(layer) for layer in model._flatten_layers())
        if entry.trains:
            given = entry.loss() if entry.loss else []
            given = given if isinstance(given, list) else [given]
            losses.update(type(each) for each in given if isinstance(each, keras.losses.Loss))
            losses.update(_class_of(each) for each in given if isinstance(each, str))
            optimizers.add(type(model.optimizer))
    assert _missing(keras.layers, keras.layers.Layer, layers) == set(NOT_READ)
    assert _missing(keras.losses, keras.losses.Loss, losses) == {"Loss"}
    assert _missing(keras.optimizers, object, optimizers) == set(OPTIMIZERS_NOT_READ)


def _class_of(name):
    return getattr(keras.losses, "".join(part.capitalize() for part in name.split("_")))


def _missing(module, kind, found):
    classes = {each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, kind)}
    return {each.__name__ for each in classes - found}
