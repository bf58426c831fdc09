"""The network of this project: a decoder-only Transformer."""

# B = batch, T = time, H = heads, D = features per head, E = model width

import os

# Keras reads its backend when it is imported.
os.environ["KERAS_BACKEND"] = "jax"

import jax.numpy as jnp  #: if bfloat16
import keras
from keras import ops

VOCABULARY_SIZE = 2048  #: fill
NUM_BLOCKS = 3  #: fill
WIDTH = 128  #: fill
NUM_HEADS = 2  #: fill
FEED_FORWARD_UNITS = 512  #: fill
# Wavelength base of the rotary positions.
ROTARY_BASE = 1000.0  #: fill
#: if pairs
# Rows of the table of pairs, which pairs of tokens share by a hash; and the hash's odd factors.
NUM_PAIR_ROWS = 16_384  #: fill
FACTOR, PREVIOUS_FACTOR = 36313, 27191
#: end


def product(inputs, kernel):
    """A matrix product."""
    #: if float32
    return ops.matmul(inputs, kernel)
    #: end
    #: if bfloat16
    operands = jnp.asarray(inputs, jnp.bfloat16), jnp.asarray(kernel, jnp.bfloat16)
    return jnp.matmul(*operands, preferred_element_type=jnp.float32)
    #: end


@keras.saving.register_keras_serializable(package="project")
class Projection(keras.layers.Layer):
    """`outputs = inputs @ kernel`: a Dense layer without bias."""

    def __init__(self, units, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.units), initializer=self.kernel_initializer
        )

    def call(self, inputs):
        return product(inputs, self.kernel.value)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), "units": self.units, "kernel_initializer": initializer}


#: if pairs
@keras.saving.register_keras_serializable(package="project")
class PairEmbedding(keras.layers.Layer):
    """A token's vector, that of its pair with the token before, and a little of the one before."""

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(VOCABULARY_SIZE, WIDTH),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )
        self.pair_embeddings = self.add_weight(
            name="pair_embeddings", shape=(NUM_PAIR_ROWS, WIDTH), initializer="zeros"
        )
        self.mix = self.add_weight(name="mix", shape=(WIDTH,), initializer="zeros")

    def call(self, tokens):
        previous = ops.pad(tokens[:, :-1], ((0, 0), (1, 0)))
        rows = (FACTOR * tokens + PREVIOUS_FACTOR * previous) % NUM_PAIR_ROWS
        mixed = self.mix * ops.take(self.embeddings, previous, axis=0)
        return (
            ops.take(self.embeddings, tokens, axis=0) + mixed + ops.take(self.pair_embeddings, rows, axis=0)
        )

    def compute_output_shape(self, input_shape):
        return (*input_shape, WIDTH)


#: end
def rotate(features, positions):
    """Features (B, T, H, D) turned by their position, so that a product of two depends on their distance."""
    half = features.shape[-1] // 2
    frequencies = ROTARY_BASE ** (-ops.arange(half, dtype="float32") / half)
    angles = ops.cast(positions, "float32")[:, None, None] * frequencies
    cosine, sine = ops.cos(angles), ops.sin(angles)
    first, second = features[..., :half], features[..., half:]
    return ops.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)


@keras.saving.register_keras_serializable(package="project")
class CausalSelfAttention(keras.layers.Layer):
    """Multi-head attention in which position t sees positions 0…t only."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.query = Projection(WIDTH, name="query")
        self.key = Projection(WIDTH, name="key")
        self.value = Projection(WIDTH, name="value")
        # Zero weights make the block the identity at the start, so that depth costs no warm-up.
        self.output_projection = Projection(WIDTH, kernel_initializer="zeros", name="output")

    def build(self, input_shape):
        for layer in (self.query, self.key, self.value, self.output_projection):
            layer.build(input_shape)

    def call(self, inputs):
        batch, time = ops.shape(inputs)[:2]
        positions = ops.arange(time)
        queries, keys, values = (
            ops.reshape(layer(inputs), (batch, time, NUM_HEADS, WIDTH // NUM_HEADS))
            for layer in (self.query, self.key, self.value)
        )
        queries, keys = (rotate(ops.rms_normalization(each), positions) for each in (queries, keys))
        scores = ops.einsum("bthd,bshd->bhts", queries, keys) / (WIDTH // NUM_HEADS) ** 0.5
        is_visible = positions[:, None] >= positions[None, :]
        weights = ops.softmax(ops.where(is_visible, scores, -1e9), axis=-1)
        attended = ops.einsum("bhts,bshd->bthd", weights, values)
        return self.output_projection(ops.reshape(attended, (batch, time, WIDTH)))


@keras.saving.register_keras_serializable(package="project")
class DecoderBlock(keras.layers.Layer):
    """Attention, then a feed-forward part with squared ReLU, each added to what comes in."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention_norm = keras.layers.RMSNormalization(name="attention_norm")
        self.attention = CausalSelfAttention(name="attention")
        self.feed_forward_norm = keras.layers.RMSNormalization(name="feed_forward_norm")
        self.expand = Projection(FEED_FORWARD_UNITS, name="expand")
        self.contract = Projection(WIDTH, kernel_initializer="zeros", name="contract")

    def build(self, input_shape):
        for layer in (self.attention_norm, self.attention, self.feed_forward_norm, self.expand):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], FEED_FORWARD_UNITS))

    def call(self, inputs):
        hidden = inputs + self.attention(self.attention_norm(inputs))
        expanded = ops.square(ops.relu(self.expand(self.feed_forward_norm(hidden))))
        return hidden + self.contract(expanded)


#: if muon
# Of Muon: by what is in a weight's path, the learning rate of Adam as a multiple of the matrices' own.
RATES = {"token_embedding": 3.3}  #: fill


@keras.saving.register_keras_serializable(package="project")
class Muon(keras.optimizers.Muon):
    """Keras' Muon with a learning rate for each kind of weight, as a multiple of the matrices' own.

    A matrix moves by the orthogonal factor of its averaged gradient; all else takes a step of Adam.
    """

    def __init__(self, learning_rate, weight_decay=None, **settings):
        super().__init__(
            learning_rate,
            exclude_layers=list(RATES),
            weight_decay=weight_decay,
            adam_weight_decay=None,
            adam_beta_2=0.95,
            ns_steps=5,
            rms_rate=None,
        )

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        momentum, velocity = self.momentums[index], self.adam_velocities[index]
        if velocity is None:
            self._muon_update_step(gradient, variable, learning_rate, momentum)
            return
        ratios = [ratio for name, ratio in RATES.items() if name in variable.path]
        self._adamw_update_step(gradient, variable, learning_rate * [*ratios, 1.0][0], momentum, velocity)

    def lr_adjust(self, x):
        return x * max(1.0, x.shape[1] / x.shape[0]) ** 0.5

    def zeropower_via_newtonschulz5(self, x, steps):
        is_tall = x.shape[0] > x.shape[1]
        matrix = ops.transpose(x) if is_tall else x
        matrix = matrix / (ops.sqrt(ops.sum(ops.square(matrix))) + 1e-7)
        for _ in range(steps):
            gram = product(matrix, ops.transpose(matrix))
            matrix = 3.4445 * matrix + product(-4.7750 * gram + 2.0315 * product(gram, gram), matrix)
        return ops.transpose(matrix) if is_tall else matrix

    def get_config(self):
        return {"learning_rate": self._learning_rate, "weight_decay": self.weight_decay}


#: end
def build_model() -> keras.Model:
    """Tokens (B, T) to the logits of the next token (B, T, vocabulary), untrained."""
    tokens = keras.Input((None,), dtype="int32")
    #: if pairs
    x = PairEmbedding(name="token_embedding")(tokens)
    #: end
    #: if tied
    embedding = keras.layers.ReversibleEmbedding(
        VOCABULARY_SIZE,
        WIDTH,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=0.02),
        name="token_embedding",
    )
    x = embedding(tokens)
    #: end
    for number in range(1, NUM_BLOCKS + 1):
        x = DecoderBlock(name=f"block_{number}")(x)
    x = keras.layers.RMSNormalization(name="final_norm")(x)
    #: if pairs
    # Zero weights: the first prediction gives every token the same probability.
    logits = Projection(VOCABULARY_SIZE, kernel_initializer="zeros", name="next_token_logits")(x)
    #: end
    #: if tied
    logits = embedding(x, reverse=True)
    #: end
    return keras.Model(tokens, logits)
