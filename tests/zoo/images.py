"""Image models: the book's convnets, every convolution, every pooling, augmentation, and larger architectures."""

import keras
from keras import layers, optimizers

from zoo.entry import ZooModel, binary, integers, normal, one_hot, uniform


def _mnist():
    images = keras.Input((12, 12, 1), name="images")
    x = layers.Conv2D(4, 3, activation="relu", name="conv_1")(images)
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    x = layers.Conv2D(6, 3, activation="relu", name="conv_2")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(images, layers.Dense(10, activation="softmax", name="probabilities")(x))


def _cats_and_dogs():
    images = keras.Input((16, 16, 3))
    augmentation = keras.Sequential(
        [
            layers.RandomFlip("horizontal", seed=1),
            layers.RandomRotation(0.1, seed=2),
            layers.RandomZoom(0.2, seed=3),
        ],
        name="augmentation",
    )
    x = layers.Rescaling(1.0 / 255)(augmentation(images))
    for filters in (4, 6):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    return keras.Model(images, layers.Dense(1, activation="sigmoid")(x))


def _frozen_base():
    base = keras.Sequential(
        [
            keras.Input((10, 10, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="block1_conv1"),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="block1_conv2"),
            layers.MaxPooling2D(2, strides=2, name="block1_pool"),
        ],
        name="base",
    )
    base.trainable = False
    images = keras.Input((10, 10, 3))
    x = layers.Dropout(0.5)(layers.Dense(6)(layers.Flatten()(base(images))))
    return keras.Model(images, layers.Dense(1, activation="sigmoid")(x))


def _segmentation():
    images = keras.Input((12, 12, 3))
    x = layers.Rescaling(1.0 / 255)(images)
    x = layers.Conv2D(4, 3, strides=2, activation="relu", padding="same")(x)
    x = layers.Conv2D(4, 3, activation="relu", padding="same")(x)
    x = layers.Conv2DTranspose(4, 3, activation="relu", padding="same")(x)
    x = layers.Conv2DTranspose(4, 3, activation="relu", padding="same", strides=2)(x)
    return keras.Model(images, layers.Conv2D(3, 3, activation="softmax", padding="same")(x))


def _mini_xception():
    images = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 5, use_bias=False)(layers.Rescaling(1.0 / 255)(images))
    for filters in (4, 8):
        residual = x
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
        x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
        x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        residual = layers.Conv2D(filters, 1, strides=2, padding="same", use_bias=False)(residual)
        x = layers.add([x, residual])
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(images, layers.Dense(1, activation="sigmoid")(x))


def _convolutions_1d():
    sequence = keras.Input((14, 3))
    branches = [
        layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
        layers.Conv1D(6, 3, strides=2, padding="same", groups=3),
        layers.SeparableConv1D(4, 3, depth_multiplier=2),
        layers.DepthwiseConv1D(3, depth_multiplier=2, strides=2),
        layers.Conv1DTranspose(4, 3, strides=2, padding="same"),
        layers.Conv1DTranspose(4, 4, strides=3, padding="valid"),
    ]
    pooled = [layers.GlobalMaxPooling1D()(branch(sequence)) for branch in branches]
    return keras.Model(sequence, layers.Dense(2)(layers.concatenate(pooled)))


def _convolutions_2d():
    images = keras.Input((9, 8, 4))
    branches = [
        layers.Conv2D(4, (3, 2), strides=(2, 1), padding="valid"),
        layers.Conv2D(4, 3, dilation_rate=2, padding="same"),
        layers.Conv2D(4, 3, groups=2, padding="same"),
        layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", strides=2),
        layers.DepthwiseConv2D(2, dilation_rate=2),
        layers.SeparableConv2D(4, 3, strides=2, depth_multiplier=2, activation="relu"),
        layers.Conv2DTranspose(4, 4, strides=3, padding="same"),
        layers.Conv2DTranspose(4, 3, strides=2, padding="valid", output_padding=1),
        layers.Conv2DTranspose(4, 3, dilation_rate=2),
    ]
    pooled = [layers.GlobalAveragePooling2D()(layers.Activation("tanh")(b(images))) for b in branches]
    return keras.Model(images, layers.Dense(2)(layers.concatenate(pooled)))


def _convolutions_3d():
    volume = keras.Input((6, 6, 6, 2))
    branches = [
        layers.Conv3D(4, 3, strides=2, padding="same"),
        layers.Conv3D(4, (2, 3, 1), dilation_rate=1, groups=2),
        layers.Conv3DTranspose(3, 3, strides=2, padding="same"),
    ]
    pooled = [
        layers.GlobalAveragePooling3D()(layers.Activation("tanh")(branch(volume))) for branch in branches
    ]
    pooled.append(layers.GlobalMaxPooling3D()(layers.MaxPooling3D(2)(volume)))
    pooled.append(layers.Flatten()(layers.AveragePooling3D(3, strides=2, padding="same")(volume)))
    return keras.Model(volume, layers.Dense(2)(layers.concatenate(pooled)))


def _pooling():
    images = keras.Input((9, 9, 3))
    sequence = layers.Reshape((27, 9))(images)
    branches = [
        layers.MaxPooling2D(3, strides=2, padding="same")(images),
        layers.MaxPooling2D((2, 3), strides=1)(images),
        layers.AveragePooling2D(2)(images),
        layers.AveragePooling2D(3, strides=2, padding="same")(images),
        layers.GlobalMaxPooling2D(keepdims=True)(images),
        layers.GlobalAveragePooling2D()(images),
        layers.MaxPooling1D(3, padding="same")(sequence),
        layers.AveragePooling1D(2, strides=3)(sequence),
        layers.GlobalMaxPooling1D()(sequence),
        layers.GlobalAveragePooling1D()(sequence),
    ]
    return keras.Model(images, layers.Dense(2)(layers.concatenate([layers.Flatten()(b) for b in branches])))


def _adaptive_pooling():
    images = keras.Input((7, 5, 3))
    sequence = layers.Reshape((35, 3))(images)
    volume = layers.Reshape((7, 5, 3, 1))(images)
    branches = [
        layers.AdaptiveAveragePooling2D((3, 2))(images),
        layers.AdaptiveMaxPooling2D((2, 3))(images),
        layers.AdaptiveAveragePooling1D(4)(sequence),
        layers.AdaptiveMaxPooling1D(6)(sequence),
        layers.AdaptiveAveragePooling3D(2)(volume),
        layers.AdaptiveMaxPooling3D((3, 2, 2))(volume),
    ]
    return keras.Model(images, layers.Dense(2)(layers.concatenate([layers.Flatten()(b) for b in branches])))


def _augmentations():
    images = keras.Input((8, 8, 3))
    x = layers.RandomTranslation(0.2, 0.2, fill_mode="reflect", seed=1)(images)
    x = layers.RandomContrast(0.3, seed=2)(x)
    x = layers.RandomBrightness(0.2, value_range=(0, 1), seed=3)(x)
    x = layers.RandomFlip("horizontal_and_vertical", seed=4)(x)
    x = layers.Conv2D(3, 3, activation="relu")(x)
    return keras.Model(images, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))


def _geometric_augmentations():
    images = keras.Input((8, 8, 3))
    x = layers.RandomShear(0.2, 0.2, seed=1)(images)
    x = layers.RandomPerspective(seed=2)(x)
    x = layers.RandomErasing(value_range=(0, 1), seed=3)(x)
    x = layers.MixUp(seed=4)(x)
    x = layers.CutMix(seed=5)(x)
    return keras.Model(images, layers.Dense(2)(layers.Flatten()(x)))


def _colour_augmentations():
    images = keras.Input((8, 8, 3))
    unit = {"value_range": (0, 1)}
    stack = [
        layers.RandomHue(0.2, seed=1, **unit),
        layers.RandomSaturation(0.3, seed=2, **unit),
        layers.RandomGrayscale(seed=3),
        layers.RandomSharpness(0.5, seed=4, **unit),
        layers.RandomColorDegeneration(0.5, seed=5, **unit),
        layers.RandomColorJitter((0, 1), 0.2, 0.2, 0.2, 0.2, seed=6),
        layers.RandomGaussianBlur(seed=7, **unit),
        layers.RandomInvert(seed=8, **unit),
        layers.RandomPosterization(4, seed=9, **unit),
        layers.Solarization(seed=10, **unit),
        layers.AutoContrast(**unit),
        layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2), **unit),
    ]
    x = images
    for layer in stack:
        x = layer(x)
    return keras.Model(images, layers.Dense(2)(layers.Flatten()(x)))


def _u_net():
    images = keras.Input((16, 16, 1))
    skips = []
    x = images
    for filters in (4, 6):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.BatchNormalization()(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    for filters, skip in zip((6, 4), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2)(x)
        x = layers.concatenate([x, skip])
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return keras.Model(images, layers.Conv2D(1, 1, activation="sigmoid")(x))


def _residual():
    images = keras.Input((10, 10, 3))
    x = layers.ZeroPadding2D(1)(images)
    x = layers.Conv2D(4, 3, strides=2)(x)
    for stride in (1, 2):
        shortcut = layers.Conv2D(4, 1, strides=stride)(x)
        y = layers.BatchNormalization()(layers.Conv2D(4, 3, strides=stride, padding="same")(x))
        y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(layers.ReLU()(y)))
        x = layers.ReLU()(layers.Add()([y, shortcut]))
    return keras.Model(images, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def _squeeze_and_excite():
    """The block that EfficientNet is made of."""
    images = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(
        layers.Normalization(mean=0.4, variance=0.2)(images)
    )
    x = layers.Activation("swish")(layers.BatchNormalization()(x))
    y = layers.Activation("swish")(layers.BatchNormalization()(layers.Conv2D(8, 1, use_bias=False)(x)))
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
    y = layers.Activation("swish")(layers.BatchNormalization()(y))
    gate = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(y))
    gate = layers.Conv2D(2, 1, activation="swish")(gate)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(gate)
    y = layers.BatchNormalization()(layers.Conv2D(4, 1, use_bias=False)(layers.multiply([y, gate])))
    x = layers.add([layers.Dropout(0.2, noise_shape=(None, 1, 1, 1))(y), x])
    return keras.Model(images, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def _super_resolution():
    images = keras.Input((5, 5, 3))
    x = layers.UpSampling2D(2, interpolation="bilinear")(images)
    x = layers.Conv2D(3, 3, padding="same", activation="relu")(x)
    x = layers.Resizing(8, 7, interpolation="bicubic")(x)
    x = layers.CenterCrop(6, 6)(x)
    return keras.Model(images, layers.Conv2D(3, 1)(x))


def _vision_transformer():
    images = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 4, strides=4, name="patches")(images)
    x = layers.Reshape((4, 8))(x)
    x = x + layers.Embedding(4, 8)(keras.ops.arange(4))
    attended = layers.MultiHeadAttention(2, 4)(*[layers.LayerNormalization()(x)] * 2)
    x = layers.Add()([x, attended])
    y = layers.Dense(16, activation="gelu")(layers.LayerNormalization()(x))
    x = layers.Add()([x, layers.Dense(8)(y)])
    return keras.Model(images, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


def _mobile_net():
    return keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=5)


def _efficient_net():
    return keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3), classes=5)


def _model(name, build, shape, targets, loss, optimizer=None, *, draw=uniform, slow=False):
    return ZooModel(
        name=name,
        build=build,
        inputs=draw(2, *shape),
        targets=targets,
        loss=lambda: loss,
        optimizer=optimizer,
        slow=slow,
    )


def _rmsprop():
    return optimizers.RMSprop()


_SPARSE, _BINARY, _SQUARED = "sparse_categorical_crossentropy", "binary_crossentropy", "mean_squared_error"

MODELS = (
    _model("mnist_convnet", _mnist, (12, 12, 1), integers(2, high=10), _SPARSE, _rmsprop),
    _model("cats_and_dogs", _cats_and_dogs, (16, 16, 3), binary(2, 1), _BINARY, _rmsprop),
    _model("frozen_base", _frozen_base, (10, 10, 3), binary(2, 1), _BINARY, lambda: optimizers.RMSprop(1e-5)),
    _model("segmentation", _segmentation, (12, 12, 3), integers(2, 12, 12, high=3), _SPARSE, _rmsprop),
    _model("mini_xception", _mini_xception, (16, 16, 3), binary(2, 1), _BINARY, _rmsprop),
    _model("convolutions_1d", _convolutions_1d, (14, 3), normal(2, 2), _SQUARED, draw=normal),
    _model("convolutions_2d", _convolutions_2d, (9, 8, 4), normal(2, 2), _SQUARED, draw=normal),
    _model("convolutions_3d", _convolutions_3d, (6, 6, 6, 2), normal(2, 2), _SQUARED, draw=normal),
    _model("pooling", _pooling, (9, 9, 3), normal(2, 2), _SQUARED, draw=normal),
    _model("adaptive_pooling", _adaptive_pooling, (7, 5, 3), normal(2, 2), _SQUARED, draw=normal),
    _model("augmentations", _augmentations, (8, 8, 3), normal(2, 2), _SQUARED),
    _model("geometric_augmentations", _geometric_augmentations, (8, 8, 3), normal(2, 2), _SQUARED),
    _model("colour_augmentations", _colour_augmentations, (8, 8, 3), normal(2, 2), _SQUARED),
    _model("u_net", _u_net, (16, 16, 1), binary(2, 16, 16, 1), _BINARY, optimizers.Adam),
    _model("residual_network", _residual, (10, 10, 3), integers(2, high=3), _SPARSE),
    _model(
        "squeeze_and_excite",
        _squeeze_and_excite,
        (8, 8, 3),
        one_hot(2, classes=3),
        "categorical_crossentropy",
    ),
    _model("super_resolution", _super_resolution, (5, 5, 3), uniform(2, 6, 6, 3), "mean_absolute_error"),
    _model("vision_transformer", _vision_transformer, (8, 8, 3), normal(2, 3), _SQUARED),
    _model("mobile_net_v2", _mobile_net, (32, 32, 3), integers(2, high=5), _SPARSE, _rmsprop, slow=True),
    _model(
        "efficient_net_b0", _efficient_net, (32, 32, 3), integers(2, high=5), _SPARSE, _rmsprop, slow=True
    ),
)
