"""Transformers and every attention layer."""

import keras
from keras import layers, optimizers

from zoo.entry import ZooModel, binary, each, integers, normal, padded_tokens


class PositionalEmbedding(layers.Layer):
    """The book's: token embedding plus position embedding."""

    def __init__(self, length, vocabulary_size, dim, **kwargs):
        super().__init__(**kwargs)
        self.token_embeddings = layers.Embedding(vocabulary_size, dim, name="token_embeddings")
        self.position_embeddings = layers.Embedding(length, dim, name="position_embeddings")

    def build(self, shape):
        self.token_embeddings.build(shape)
        self.position_embeddings.build((shape[-1],))

    def call(self, tokens):
        positions = keras.ops.arange(keras.ops.shape(tokens)[-1])
        return self.token_embeddings(tokens) + self.position_embeddings(positions)

    def compute_mask(self, tokens, mask=None):
        return keras.ops.not_equal(tokens, 0)


class TransformerEncoder(layers.Layer):
    """The book's: attention and two dense layers, each added and normalised."""

    def __init__(self, dim, feed_forward_units, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.attention = layers.MultiHeadAttention(num_heads, dim, name="attention")
        self.expand = layers.Dense(feed_forward_units, activation="relu", name="expand")
        self.project = layers.Dense(dim, name="project")
        self.norm_1 = layers.LayerNormalization(name="norm_1")
        self.norm_2 = layers.LayerNormalization(name="norm_2")

    def build(self, shape):
        self.attention.build(shape, shape)
        self.expand.build(shape)
        self.project.build((*shape[:-1], self.expand.units))
        self.norm_1.build(shape)
        self.norm_2.build(shape)

    def call(self, hidden, mask=None):
        attention_mask = None if mask is None else mask[:, None, :]
        attended = self.attention(hidden, hidden, attention_mask=attention_mask)
        hidden = self.norm_1(hidden + attended)
        return self.norm_2(hidden + self.project(self.expand(hidden)))


class TransformerDecoder(layers.Layer):
    """The book's, with the causal mask passed explicitly, as Keras 3 needs it."""

    def __init__(self, dim, feed_forward_units, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.attention_1 = layers.MultiHeadAttention(num_heads, dim, name="self_attention")
        self.attention_2 = layers.MultiHeadAttention(num_heads, dim, name="cross_attention")
        self.expand = layers.Dense(feed_forward_units, activation="relu", name="expand")
        self.project = layers.Dense(dim, name="project")
        self.norms = [layers.LayerNormalization(name=f"norm_{k}") for k in (1, 2, 3)]

    def build(self, shape):
        self.attention_1.build(shape, shape)
        self.attention_2.build(shape, shape)
        self.expand.build(shape)
        self.project.build((*shape[:-1], self.expand.units))
        for norm in self.norms:
            norm.build(shape)

    def call(self, hidden, encoded, causal_mask, encoded_mask=None):
        attended = self.attention_1(hidden, hidden, attention_mask=causal_mask)
        hidden = self.norms[0](hidden + attended)
        crossed = self.attention_2(hidden, encoded, attention_mask=encoded_mask)
        crossed = self.norms[1](hidden + crossed)
        return self.norms[2](crossed + self.project(self.expand(crossed)))

    def compute_output_shape(self, shape, *rest):
        return shape


class CausalMask(layers.Layer):
    """Position t may look at positions up to t."""

    def call(self, tokens):
        steps = keras.ops.arange(keras.ops.shape(tokens)[1])
        return keras.ops.cast(steps[:, None] >= steps[None, :], "bool")[None]


def _encoder(*, positions):
    def build():
        tokens = keras.Input((6,), dtype="int32", name="tokens")
        if positions:
            x = PositionalEmbedding(6, 20, 8, name="embedding")(tokens)
        else:
            x = layers.Embedding(20, 8, name="embedding")(tokens)
        x = TransformerEncoder(8, 6, 2, name="encoder")(x)
        x = layers.Dropout(0.5)(layers.GlobalMaxPooling1D()(x))
        return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(x))

    return build


def _seq2seq_transformer():
    source = keras.Input((5,), dtype="int32", name="source")
    target = keras.Input((6,), dtype="int32", name="target")
    encoded = TransformerEncoder(8, 6, 2, name="encoder")(
        PositionalEmbedding(5, 12, 8, name="source_embedding")(source)
    )
    x = PositionalEmbedding(6, 14, 8, name="target_embedding")(target)
    padding = layers.Lambda(lambda tokens: keras.ops.not_equal(tokens, 0)[:, None, :], name="padding")(source)
    x = TransformerDecoder(8, 6, 2, name="decoder")(
        x, encoded, CausalMask(name="causal_mask")(target), padding
    )
    return keras.Model([source, target], layers.Dense(14, activation="softmax")(layers.Dropout(0.5)(x)))


def _text_generator():
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    x = PositionalEmbedding(6, 15, 8, name="embedding")(tokens)
    x = TransformerDecoder(8, 16, 2, name="decoder")(
        x, x, CausalMask(name="mask")(tokens), CausalMask(name="mask_2")(tokens)
    )
    return keras.Model(tokens, layers.Dense(15, activation="softmax", name="next_word")(x))


def _mini_gpt():
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    embedding = layers.Embedding(15, 8, name="token_embedding")
    x = embedding(tokens) + layers.Embedding(6, 8, name="position_embedding")(keras.ops.arange(6))
    for block in (1, 2):
        attended = layers.MultiHeadAttention(2, 4, dropout=0.1, name=f"block_{block}_attention")
        normed = layers.LayerNormalization(name=f"block_{block}_norm_1")(x)
        x = x + attended(normed, normed, use_causal_mask=True)
        y = layers.LayerNormalization(name=f"block_{block}_norm_2")(x)
        y = layers.Dense(16, activation=lambda z: keras.activations.gelu(z, approximate=True))(y)
        x = x + layers.Dropout(0.1)(layers.Dense(8)(y))
    x = layers.LayerNormalization(name="final_norm")(x)
    return keras.Model(tokens, layers.Dense(15, use_bias=False, name="logits")(x))


def _openbook_decoder(*, tied):
    def build():
        from openbook.recipes.text_generator import TextGenerator
        from openbook.recipes.text_scratch import build_decoder

        recipe = TextGenerator(
            data="unused", width=8, num_heads=2, num_blocks=2, feed_forward_units=16, tied_output=tied
        )
        return build_decoder(recipe, vocabulary_size=15)

    return build


def _grouped_query():
    query = keras.Input((5, 8))
    memory = keras.Input((4, 8))
    x = layers.GroupQueryAttention(4, 4, 2, dropout=0.1, name="self")(query, query, use_causal_mask=True)
    x = layers.RMSNormalization()(x + query)
    x = layers.GroupQueryAttention(4, 6, 1, use_bias=False, name="cross")(x, memory)
    return keras.Model([query, memory], layers.Dense(1)(x))


def _attention_layers():
    query = keras.Input((5, 6))
    memory = keras.Input((4, 6))
    branches = [
        layers.Attention()([query, memory]),
        layers.Attention(use_scale=True, score_mode="concat", dropout=0.2, seed=1)([query, memory]),
        layers.AdditiveAttention(dropout=0.1, seed=2)([query, memory]),
        layers.Attention(use_scale=True)([query, query], use_causal_mask=True),
        layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=6, use_bias=False, dropout=0.1)(
            query, memory
        ),
    ]
    return keras.Model([query, memory], layers.Dense(1)(layers.concatenate(branches)))


def _attention_on_images():
    images = keras.Input((4, 3, 6))
    x = layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(images, images)
    y, weights = layers.MultiHeadAttention(2, 3, attention_axes=(2,))(
        images, images, return_attention_scores=True
    )
    return keras.Model(images, [layers.Dense(1)(x + y), layers.Softmax()(weights)])


def _pretrained_head():
    """A two-segment encoder with a first-token head, as RoBERTa is fine-tuned."""
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    segments = keras.Input((6,), dtype="int32", name="segments")
    x = PositionalEmbedding(6, 20, 8)(tokens) + layers.Embedding(2, 8)(segments)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    x = TransformerEncoder(8, 16, 2)(x)
    x = layers.Dense(8, activation="tanh", name="pooled")(x[:, 0])
    return keras.Model({"tokens": tokens, "segments": segments}, layers.Dense(2)(layers.Dropout(0.1)(x)))


def _logits():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _generator(name, build, loss, optimizer):
    return ZooModel(
        name=name,
        build=build,
        inputs=integers(2, 6, high=15),
        targets=integers(2, 6, high=15),
        loss=loss,
        optimizer=optimizer,
    )


def _roberta_inputs(rng):
    return {"tokens": padded_tokens(2, 6, high=20)(rng), "segments": integers(2, 6, high=2)(rng)}


def _classifier(name, build):
    return ZooModel(
        name=name,
        build=build,
        inputs=padded_tokens(3, 6, high=20),
        targets=binary(3, 1),
        loss=lambda: "binary_crossentropy",
        optimizer=optimizers.RMSprop,
    )


MODELS = (
    _classifier("transformer_encoder", _encoder(positions=False)),
    _classifier("transformer_encoder_positions", _encoder(positions=True)),
    ZooModel(
        name="seq2seq_transformer",
        build=_seq2seq_transformer,
        inputs=each(padded_tokens(2, 5, high=12), padded_tokens(2, 6, high=14)),
        targets=integers(2, 6, high=14),
        loss=lambda: "sparse_categorical_crossentropy",
        optimizer=optimizers.RMSprop,
    ),
    _generator(
        "book_text_generator",
        _text_generator,
        lambda: "sparse_categorical_crossentropy",
        optimizers.RMSprop,
    ),
    _generator("mini_gpt", _mini_gpt, _logits, lambda: optimizers.AdamW(1e-3)),
    _generator("openbook_decoder", _openbook_decoder(tied=False), _logits, lambda: optimizers.Muon(1e-2)),
    _generator("openbook_decoder_tied", _openbook_decoder(tied=True), _logits, lambda: optimizers.Lion(1e-3)),
    ZooModel(
        name="grouped_query_attention",
        build=_grouped_query,
        inputs=each(normal(2, 5, 8), normal(2, 4, 8)),
        targets=normal(2, 5, 1),
        loss=lambda: "mean_squared_error",
    ),
    ZooModel(
        name="attention_layers",
        build=_attention_layers,
        inputs=each(normal(2, 5, 6), normal(2, 4, 6)),
        targets=normal(2, 5, 1),
        loss=lambda: "mean_squared_error",
    ),
    ZooModel(
        name="attention_on_images",
        build=_attention_on_images,
        inputs=normal(2, 4, 3, 6),
        targets=each(normal(2, 4, 3, 1), normal(2, 4, 2, 3, 3)),
        loss=lambda: ["mean_squared_error", "mean_squared_error"],
    ),
    ZooModel(
        name="pretrained_head",
        build=_pretrained_head,
        inputs=_roberta_inputs,
        targets=integers(2, high=2),
        loss=_logits,
        optimizer=lambda: optimizers.Adam(5e-5),
    ),
)
