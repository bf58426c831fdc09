"""How models are put together: nested, shared, subclassed, several inputs and outputs; and the small layers."""

import keras
from keras import layers, optimizers

from zoo.entry import ZooModel, binary, each, integers, named, normal, uniform


def _nested():
    inner = keras.Sequential(
        [keras.Input((5,)), layers.Dense(4, activation="relu"), layers.Dense(3)], name="inner"
    )
    features = keras.Input((5,))
    middle = keras.Model(features, layers.Dense(4, activation="tanh")(inner(features)), name="middle")
    outer = keras.Input((5,))
    return keras.Model(
        outer, layers.Dense(2)(layers.concatenate([middle(outer), inner(outer)])), name="outer"
    )


def _shared_layer():
    left, right = keras.Input((5,)), keras.Input((5,))
    shared = layers.Dense(4, activation="tanh", name="shared")
    return keras.Model([left, right], layers.Dot(axes=1, normalize=True)([shared(left), shared(right)]))


def _siamese():
    branch = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Conv2D(3, 3, activation="relu"), layers.Flatten(), layers.Dense(4)],
        name="branch",
    )
    left, right = keras.Input((6, 6, 1)), keras.Input((6, 6, 1))
    distance = keras.ops.sqrt(
        keras.ops.sum(keras.ops.square(branch(left) - branch(right)), axis=1, keepdims=True) + 1e-6
    )
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(distance))


class CustomerTicketModel(keras.Model):
    """The book's subclassed model, with the parts made in the constructor."""

    def __init__(self):
        super().__init__()
        self.mixing = layers.Dense(6, activation="relu")
        self.priority = layers.Dense(1, activation="sigmoid")
        self.department = layers.Dense(3, activation="softmax")

    def call(self, inputs):
        features = keras.ops.concatenate([inputs["title"], inputs["text"], inputs["tags"]], axis=-1)
        hidden = self.mixing(features)
        return {"priority": self.priority(hidden), "department": self.department(hidden)}


class NaiveDense(layers.Layer):
    """A layer made by hand from its weights."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.W = self.add_weight(shape=(shape[-1], self.units), initializer="random_normal", name="W")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, x):
        return keras.ops.relu(keras.ops.matmul(x, self.W) + self.b)


class ResidualBlocks(keras.Model):
    """A subclassed model that holds lists of layers and uses `training`."""

    def __init__(self):
        super().__init__()
        self.blocks = [NaiveDense(5, name=f"block_{k}") for k in range(3)]
        self.dropout = layers.Dropout(0.3)
        self.head = layers.Dense(2)

    def call(self, x, training=False):
        for block in self.blocks:
            x = x + self.dropout(block(x), training=training)
        return self.head(x)


class Halting(keras.Model):
    """A loop and a branch that JAX knows: `while_loop` and `cond`."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4, activation="tanh")

    def call(self, x):
        x = self.dense(x)
        _, x = keras.ops.while_loop(
            lambda k, _: k < 3, lambda k, y: (k + 1, y * 0.5 + keras.ops.sin(y)), (0, x)
        )
        return keras.ops.cond(keras.ops.sum(x) > 0, lambda: x * 2.0, lambda: keras.ops.exp(x))


def _ticket_functional():
    title, text, tags = (keras.Input((4,), name=name) for name in ("title", "text", "tags"))
    features = layers.Dense(6, activation="relu")(layers.Concatenate()([title, text, tags]))
    priority = layers.Dense(1, activation="sigmoid", name="priority")(features)
    department = layers.Dense(3, activation="softmax", name="department")(features)
    return keras.Model(
        {"title": title, "text": text, "tags": tags}, {"priority": priority, "department": department}
    )


def _merging():
    left, right = keras.Input((3, 4)), keras.Input((3, 4))
    merges = [
        layers.Add(),
        layers.Subtract(),
        layers.Multiply(),
        layers.Average(),
        layers.Maximum(),
        layers.Minimum(),
        layers.Concatenate(axis=1),
        layers.Dot(axes=(2, 2)),
        layers.Dot(axes=(1, 1), normalize=True),
    ]
    merged = [layers.Flatten()(merge([left, right])) for merge in merges]
    return keras.Model([left, right], layers.Dense(2)(layers.concatenate(merged)))


def _reshaping():
    images = keras.Input((6, 5, 3))
    sequence = layers.Reshape((15, 6))(images)
    volume = layers.Reshape((3, 5, 3, 2))(images)
    branches = [
        layers.Permute((3, 1, 2))(images),
        layers.Cropping2D(((1, 2), (0, 1)))(images),
        layers.Cropping1D((2, 1))(sequence),
        layers.Cropping3D(((1, 0), (1, 1), (0, 1)))(volume),
        layers.ZeroPadding1D((1, 2))(sequence),
        layers.ZeroPadding2D(((1, 0), (2, 1)))(images),
        layers.ZeroPadding3D(1)(volume),
        layers.UpSampling1D(2)(sequence),
        layers.UpSampling2D((2, 3), interpolation="nearest")(images),
        layers.UpSampling2D(2, interpolation="bilinear")(images),
        layers.UpSampling3D(2)(volume),
        layers.RepeatVector(3)(layers.Flatten()(images)),
        layers.Reshape((-1, 2))(images),
        layers.Identity()(images),
    ]
    return keras.Model(images, layers.Dense(2)(layers.concatenate([layers.Flatten()(b) for b in branches])))


def _regularisation():
    images = keras.Input((4, 4, 3))
    sequence = layers.Reshape((12, 4))(images)
    volume = layers.Reshape((2, 2, 4, 3))(images)
    branches = [
        layers.Dropout(0.4, seed=1)(images),
        layers.SpatialDropout1D(0.4, seed=2)(sequence),
        layers.SpatialDropout2D(0.4, seed=3)(images),
        layers.SpatialDropout3D(0.4, seed=4)(volume),
        layers.GaussianNoise(0.3, seed=5)(images),
        layers.GaussianDropout(0.3, seed=6)(images),
        layers.AlphaDropout(0.3, seed=7)(images),
        layers.ActivityRegularization(l2=0.01)(images),
    ]
    return keras.Model(images, layers.Dense(2)(layers.concatenate([layers.Flatten()(b) for b in branches])))


def _normalisation(make):
    def build():
        images = keras.Input((5, 5, 4))
        x = make()(layers.Conv2D(4, 3)(images))
        return keras.Model(images, layers.Dense(2)(layers.Flatten()(layers.Activation("tanh")(x))))

    return build


_NORMALISATIONS = {
    "batch": lambda: layers.BatchNormalization(momentum=0.9),
    "layer": lambda: layers.LayerNormalization(axis=[1, 2, 3]),
    "group": lambda: layers.GroupNormalization(groups=2),
    "instance": lambda: layers.GroupNormalization(groups=-1, epsilon=1e-4),
    "rms": layers.RMSNormalization,
    "unit": lambda: layers.UnitNormalization(axis=(1, 2)),
    "spectral": lambda: layers.SpectralNormalization(layers.Conv2D(4, 2)),
}


def _batch_norm_masked():
    sequence = keras.Input((6, 3))
    x = layers.BatchNormalization()(layers.Masking()(sequence))
    return keras.Model(sequence, layers.LSTM(2)(x))


def _features():
    """Structured data: numbers, classes and bins of numbers, each in its own way."""
    age, city = keras.Input((1,), name="age"), keras.Input((1,), dtype="int32", name="city")
    bins = layers.Discretization(bin_boundaries=[-0.5, 0.0, 0.5])(age)
    parts = [
        layers.Normalization(mean=0.3, variance=2.0)(age),
        layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")(bins),
        layers.Flatten()(layers.Embedding(6, 3)(city)),
    ]
    return keras.Model({"age": age, "city": city}, layers.Dense(1)(layers.concatenate(parts)))


def _einsum_dense():
    sequence = keras.Input((5, 4))
    x = layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de", activation="relu")(
        sequence
    )
    return keras.Model(
        sequence, layers.EinsumDense("abde,def->abf", output_shape=(None, 2), bias_axes="f")(x)
    )


def _low_rank():
    """A dense layer and an embedding fine-tuned by low-rank factors."""
    tokens = keras.Input((5,), dtype="int32")
    embedding, dense = layers.Embedding(9, 6), layers.Dense(6, activation="relu")
    model = keras.Model(tokens, layers.Dense(2)(layers.GlobalAveragePooling1D()(dense(embedding(tokens)))))
    embedding.enable_lora(2)
    dense.enable_lora(2)
    return model


def _operations():
    """Mathematics of `keras.ops` as functional models use it."""
    ops = keras.ops
    x = keras.Input((4, 6))
    parts = [
        ops.sort(x, axis=-1),
        ops.top_k(x, 3)[0],
        ops.cumsum(x, axis=1),
        ops.roll(x, 1, axis=2),
        ops.clip(x, -0.5, 0.5) * ops.sign(x),
        ops.where(x > 0, ops.log1p(ops.abs(x)), ops.expm1(x)),
        ops.normalize(x, axis=-1),
        ops.logsumexp(x, axis=-1, keepdims=True),
        ops.var(x, axis=1, keepdims=True)[:, :, :2] + ops.std(x, axis=-1, keepdims=True),
        ops.take(x, [0, 2, 2], axis=2),
        ops.flip(x, axis=1) ** 2,
        ops.einsum("bij,bkj->bik", x, x),
        ops.erf(x) + ops.arctan2(x, ops.abs(x) + 1.0),
        ops.pad(x, ((0, 0), (0, 0), (1, 2)), mode="reflect"),
        ops.prod(x, axis=-1, keepdims=True),
        ops.cast(ops.argmax(x, axis=-1, keepdims=True), x.dtype),
    ]
    return keras.Model(x, layers.Dense(2)(ops.concatenate(parts, axis=-1)))


def _pair(*shape):
    return each(normal(3, *shape), normal(3, *shape))


_TICKET_TARGETS = named(priority=binary(3, 1), department=integers(3, high=3))


def _ticket_loss():
    return {"priority": "mean_squared_error", "department": "sparse_categorical_crossentropy"}


def _ticket(name, build):
    return ZooModel(
        name=name,
        build=build,
        inputs=named(title=normal(3, 4), text=normal(3, 4), tags=normal(3, 4)),
        targets=_TICKET_TARGETS,
        loss=_ticket_loss,
        optimizer=optimizers.RMSprop,
    )


def _regression(name, build, inputs, targets, loss="mean_squared_error"):
    return ZooModel(name=name, build=build, inputs=inputs, targets=targets, loss=lambda: loss)


MODELS = (
    _regression("nested", _nested, normal(3, 5), normal(3, 2)),
    _regression("shared_layer", _shared_layer, _pair(5), normal(3, 1)),
    _regression("siamese", _siamese, _pair(6, 6, 1), binary(3, 1), "binary_crossentropy"),
    _ticket("ticket_subclassed", CustomerTicketModel),
    _ticket("ticket_functional", _ticket_functional),
    _regression("subclassed_residual", ResidualBlocks, normal(3, 5), normal(3, 2)),
    ZooModel(name="loop_and_branch", build=Halting, inputs=normal(3, 3), trains=False),
    _regression("merging", _merging, _pair(3, 4), normal(3, 2)),
    _regression("reshaping", _reshaping, normal(2, 6, 5, 3), normal(2, 2)),
    _regression("regularisation_layers", _regularisation, normal(2, 4, 4, 3), normal(2, 2)),
    *(
        _regression(f"normalisation_{name}", _normalisation(make), normal(2, 5, 5, 4), normal(2, 2))
        for name, make in _NORMALISATIONS.items()
    ),
    _regression("batch_norm_masked", _batch_norm_masked, normal(3, 6, 3), normal(3, 2)),
    _regression(
        "structured_features",
        _features,
        named(age=uniform(3, 1, low=-1.0), city=integers(3, 1, high=6)),
        normal(3, 1),
    ),
    _regression("einsum_dense", _einsum_dense, normal(2, 5, 4), normal(2, 5, 2)),
    _regression("low_rank_fine_tuning", _low_rank, integers(3, 5, high=9), normal(3, 2)),
    _regression("keras_operations", _operations, normal(2, 4, 6), normal(2, 4, 2)),
)
