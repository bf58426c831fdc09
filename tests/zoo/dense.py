"""Dense networks: the book's first systems, every activation, every loss, every optimizer."""

import functools

import keras
from keras import activations, layers, losses, optimizers

from zoo.entry import (
    ZooModel,
    binary,
    each,
    integers,
    normal,
    one_hot,
    padded_tokens,
    probabilities,
    uniform,
)


def _mnist():
    return keras.Sequential(
        [
            keras.Input((36,), name="pixels"),
            layers.Dense(16, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ],
        name="mnist_dense",
    )


def _imdb():
    return keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(8, activation="relu"),
            layers.Dense(8, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def _reuters():
    return keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(12, activation="relu"),
            layers.Dense(4, activation="relu"),
            layers.Dense(12, activation="softmax"),
        ]
    )


def _boston():
    standardise = layers.Normalization(
        mean=[0.1 * k for k in range(13)], variance=[1.0 + k for k in range(13)]
    )
    return keras.Sequential(
        [
            keras.Input((13,)),
            standardise,
            layers.Dense(8, activation="relu"),
            layers.Dense(8, activation="relu"),
            layers.Dense(1),
        ]
    )


def _linear():
    return keras.Sequential([keras.Input((2,)), layers.Dense(1)])


def _regularised():
    return keras.Sequential(
        [
            keras.Input((12,)),
            layers.Dense(
                8,
                activation="relu",
                kernel_regularizer=keras.regularizers.L1L2(1e-2, 1e-2),
                bias_regularizer="l1",
                activity_regularizer=keras.regularizers.L2(1e-2),
                kernel_constraint=keras.constraints.MaxNorm(1.0),
            ),
            layers.Dropout(0.5),
            layers.ActivityRegularization(l1=1e-2, l2=1e-2),
            layers.Dense(
                8,
                activation="relu",
                kernel_constraint=keras.constraints.NonNeg(),
                kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.01),
            ),
            layers.Dense(6, kernel_constraint=keras.constraints.UnitNorm(), activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def _bag_of_words():
    tokens = keras.Input((7,), dtype="int32")
    hot = layers.CategoryEncoding(num_tokens=15, output_mode="multi_hot")(tokens)
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(layers.Dense(8, activation="relu")(hot)))


def _bag_of_counts():
    tokens = keras.Input((7,), dtype="int32")
    counts = layers.CategoryEncoding(num_tokens=15, output_mode="count")(tokens)
    averaged = layers.GlobalAveragePooling1D()(layers.Embedding(15, 6)(tokens))
    return keras.Model(tokens, layers.Dense(3, activation="softmax")(layers.concatenate([counts, averaged])))


ACTIVATIONS = tuple(
    sorted(
        name
        for name in dir(activations)
        if not name.startswith("_")
        and name not in ("get", "serialize", "deserialize", "glu", "sparse_plus", "threshold")
    )
)


def _activations(names):
    features = keras.Input((5,))
    branches = [
        layers.Activation(name, name=name)(layers.Dense(4, name=f"before_{name}")(features)) for name in names
    ]
    return keras.Model(features, layers.Dense(2)(layers.concatenate(branches)))


def _activation_layers():
    features = keras.Input((3, 6))
    branches = [
        layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2),
        layers.LeakyReLU(0.2),
        layers.PReLU(alpha_initializer=keras.initializers.Constant(0.3), shared_axes=[1]),
        layers.ELU(0.7),
        layers.Softmax(axis=1),
        layers.Activation(activations.sparse_plus),
        layers.Activation(functools.partial(activations.threshold, threshold=0.1, default_value=-0.5)),
    ]
    outputs = [branch(layers.Dense(6)(features)) for branch in branches]
    outputs.append(keras.ops.glu(layers.Dense(6)(features)))
    return keras.Model(features, layers.Dense(2)(layers.Flatten()(layers.concatenate(outputs))))


def _heads(count, units, activation):
    def build():
        features = keras.Input((6,))
        hidden = layers.Dense(7, activation="tanh")(features)
        return keras.Model(
            features,
            [layers.Dense(units, activation=activation, name=f"head_{k}")(hidden) for k in range(count)],
        )

    return build


def _regression_losses():
    return [
        losses.MeanSquaredError(),
        losses.MeanAbsoluteError(),
        losses.MeanAbsolutePercentageError(),
        losses.MeanSquaredLogarithmicError(),
        losses.Huber(0.5),
        losses.LogCosh(),
        losses.Poisson(),
        losses.CosineSimilarity(),
    ]


def _hinge_losses():
    return [losses.Hinge(), losses.SquaredHinge(), losses.CategoricalHinge()]


def _binary_losses():
    return [
        losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        losses.BinaryFocalCrossentropy(apply_class_balancing=True, from_logits=True),
        losses.Dice(),
        losses.Tversky(0.4, 0.6),
    ]


def _categorical_losses():
    return [
        losses.CategoricalCrossentropy(label_smoothing=0.1),
        losses.CategoricalFocalCrossentropy(),
        losses.CategoricalGeneralizedCrossEntropy(),
        losses.KLDivergence(),
    ]


def _circle():
    return keras.Sequential([keras.Input((6,)), layers.Dense(5), layers.UnitNormalization()])


def _ctc():
    sequence = keras.Input((6, 4))
    return keras.Model(sequence, layers.Dense(5)(layers.Dense(6, activation="tanh")(sequence)))


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "sgd_momentum": lambda: optimizers.SGD(0.1, momentum=0.9, clipnorm=0.5),
    "sgd_nesterov": lambda: optimizers.SGD(
        optimizers.schedules.CosineDecay(0.1, 100, warmup_target=0.2, warmup_steps=10),
        momentum=0.9,
        nesterov=True,
        weight_decay=0.01,
    ),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True, clipvalue=0.1),
    "adam": lambda: optimizers.Adam(0.01),
    "adam_amsgrad": lambda: optimizers.Adam(
        optimizers.schedules.ExponentialDecay(0.01, 10, 0.9), amsgrad=True, use_ema=True
    ),
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.3),
    "lion": lambda: optimizers.Lion(0.01, weight_decay=0.1),
    "muon": lambda: optimizers.Muon(0.01),
    "adadelta": lambda: optimizers.Adadelta(0.1),
    "adafactor": lambda: optimizers.Adafactor(0.01),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adamax": lambda: optimizers.Adamax(0.01),
    "ftrl": lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.01),
    "lamb": lambda: optimizers.Lamb(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
    "schedule_free_adamw": lambda: optimizers.ScheduleFreeAdamW(0.01),
    "loss_scale": lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1)),
    "gradient_accumulation": lambda: optimizers.Adam(
        optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.1, 0.05, 0.01]), gradient_accumulation_steps=2
    ),
}

MODELS = (
    ZooModel(
        name="mnist_dense",
        build=_mnist,
        inputs=uniform(3, 36),
        targets=integers(3, high=10),
        loss=lambda: "sparse_categorical_crossentropy",
        optimizer=optimizers.RMSprop,
    ),
    ZooModel(
        name="imdb_dense",
        build=_imdb,
        inputs=binary(3, 20),
        targets=binary(3, 1),
        loss=lambda: "binary_crossentropy",
        optimizer=optimizers.RMSprop,
    ),
    ZooModel(
        name="reuters_bottleneck",
        build=_reuters,
        inputs=binary(3, 20),
        targets=one_hot(3, classes=12),
        loss=lambda: "categorical_crossentropy",
        optimizer=optimizers.RMSprop,
    ),
    ZooModel(
        name="boston_regression",
        build=_boston,
        inputs=normal(3, 13),
        targets=normal(3, 1),
        loss=lambda: "mean_squared_error",
        optimizer=optimizers.RMSprop,
    ),
    ZooModel(
        name="linear_classifier",
        build=_linear,
        inputs=normal(4, 2),
        targets=binary(4, 1),
        loss=lambda: "mean_squared_error",
    ),
    ZooModel(
        name="regularised_dense",
        build=_regularised,
        inputs=normal(3, 12),
        targets=binary(3, 1),
        loss=lambda: "binary_crossentropy",
        optimizer=lambda: optimizers.SGD(0.1, momentum=0.9),
    ),
    ZooModel(
        name="bag_of_words",
        build=_bag_of_words,
        inputs=integers(3, 7, high=15),
        targets=binary(3, 1),
        loss=lambda: "binary_crossentropy",
        optimizer=optimizers.RMSprop,
    ),
    ZooModel(
        name="bag_of_counts",
        build=_bag_of_counts,
        inputs=integers(3, 7, high=15),
        targets=integers(3, high=3),
        loss=lambda: "sparse_categorical_crossentropy",
    ),
    ZooModel(
        name="activations_a_to_l",
        build=lambda: _activations([name for name in ACTIVATIONS if name < "m"]),
        inputs=normal(3, 5),
        targets=normal(3, 2),
        loss=lambda: "mean_squared_error",
    ),
    ZooModel(
        name="activations_m_to_z",
        build=lambda: _activations([name for name in ACTIVATIONS if name >= "m"]),
        inputs=normal(3, 5),
        targets=normal(3, 2),
        loss=lambda: "mean_squared_error",
    ),
    ZooModel(
        name="activation_layers",
        build=_activation_layers,
        inputs=normal(2, 3, 6),
        targets=normal(2, 2),
        loss=lambda: "mean_squared_error",
    ),
    ZooModel(
        name="regression_losses",
        build=_heads(8, 3, "softplus"),
        inputs=normal(3, 6),
        targets=each(*[uniform(3, 3, low=0.1, high=2.0)] * 8),
        loss=_regression_losses,
    ),
    ZooModel(
        name="hinge_losses",
        build=_heads(3, 3, "tanh"),
        inputs=normal(3, 6),
        targets=each(*[one_hot(3, classes=3)] * 3),
        loss=_hinge_losses,
    ),
    ZooModel(
        name="binary_losses",
        build=_heads(4, 3, "sigmoid"),
        inputs=normal(3, 6),
        targets=each(*[binary(3, 3)] * 4),
        loss=_binary_losses,
    ),
    ZooModel(
        name="categorical_losses",
        build=_heads(4, 3, "softmax"),
        inputs=normal(3, 6),
        targets=each(*[one_hot(3, classes=3)] * 3, probabilities(3, 3)),
        loss=_categorical_losses,
    ),
    ZooModel(
        name="sparse_logits_loss",
        build=_heads(1, 5, None),
        inputs=normal(3, 6),
        targets=integers(3, high=5),
        loss=lambda: losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
    ),
    ZooModel(
        name="circle_loss",
        build=_circle,
        inputs=normal(4, 6),
        targets=integers(4, high=2),
        loss=losses.Circle,
    ),
    ZooModel(
        name="ctc_loss",
        build=_ctc,
        inputs=normal(2, 6, 4),
        targets=padded_tokens(2, 3, high=5),
        loss=losses.CTC,
    ),
    *(
        ZooModel(
            name=f"optimizer_{name}",
            build=_imdb,
            inputs=normal(3, 20),
            targets=binary(3, 1),
            loss=lambda: "binary_crossentropy",
            optimizer=optimizer,
        )
        for name, optimizer in OPTIMIZERS.items()
    ),
)
