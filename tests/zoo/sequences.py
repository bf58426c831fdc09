"""Sequence models: forecasting, recurrent layers of every kind, text with masks."""

import keras
from keras import layers, optimizers

from zoo.entry import ZooModel, binary, each, integers, normal, padded_tokens, uniform


def _sequential(*stack, shape=(8, 4)):
    return lambda: keras.Sequential([keras.Input(shape), *(make() for make in stack)])


def _dense_head():
    return layers.Dense(1)


def _embedding_bilstm():
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 6, mask_zero=True, name="embedding")(tokens)
    x = layers.Bidirectional(layers.LSTM(4), name="both_ways")(x)
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.5)(x)))


def _one_hot_bilstm():
    tokens = keras.Input((6,), dtype="int32")
    x = keras.ops.one_hot(tokens, 10)
    x = layers.Bidirectional(layers.LSTM(4))(x)
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.5)(x)))


def _frozen_word_vectors():
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Embedding(20, 6, mask_zero=True, trainable=False)(tokens)
    x = layers.GRU(4, return_sequences=True)(x)
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling1D()(x)))


def _masking():
    sequence = keras.Input((6, 3))
    x = layers.Masking(mask_value=0.0)(sequence)
    x = layers.LSTM(4, return_sequences=True)(x)
    x = layers.TimeDistributed(layers.Dense(3, activation="tanh"))(x)
    return keras.Model(sequence, layers.GRU(2, go_backwards=True)(x))


def _masked_sequence(rng):
    sequence = normal(3, 6, 3)(rng)
    sequence[0, 4:] = 0
    sequence[1, 2:] = 0
    return sequence


def _stateful():
    return keras.Sequential(
        [
            keras.Input(batch_shape=(2, 5, 3)),
            layers.LSTM(4, stateful=True, return_sequences=True),
            layers.GRU(4, stateful=True),
            layers.Dense(1),
        ]
    )


def _character_gru():
    tokens = keras.Input(batch_shape=(2, 6), dtype="int32")
    x = layers.Embedding(12, 5)(tokens)
    x = layers.GRU(6, return_sequences=True, stateful=True)(x)
    return keras.Model(tokens, layers.Dense(12)(layers.Dropout(0.1)(x)))


def _stacked_cells():
    sequence = keras.Input((5, 3))
    cells = [layers.LSTMCell(4), layers.GRUCell(3), layers.SimpleRNNCell(2)]
    return keras.Model(sequence, layers.Dense(1)(layers.RNN(cells)(sequence)))


def _unrolled():
    sequence = keras.Input((4, 3))
    x = layers.LSTM(3, unroll=True, return_sequences=True)(sequence)
    return keras.Model(sequence, layers.Dense(1)(layers.SimpleRNN(3, unroll=True)(x)))


def _convlstm_2d():
    frames = keras.Input((3, 6, 6, 2))
    x = layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True, activation="tanh")(frames)
    x = layers.ConvLSTM2D(2, 3)(x)
    return keras.Model(frames, layers.Dense(1)(layers.Flatten()(x)))


def _convlstm_1d_3d():
    frames = keras.Input((3, 4, 4, 4, 1))
    volume = layers.ConvLSTM3D(2, 2)(frames)
    rows = layers.ConvLSTM1D(2, 3, padding="same", dropout=0.2)(layers.Reshape((3, 64, 1))(frames))
    return keras.Model(
        frames, layers.Dense(1)(layers.concatenate([layers.Flatten()(volume), layers.Flatten()(rows)]))
    )


def _bidirectional_merges():
    sequence = keras.Input((5, 3))
    branches = [
        layers.Bidirectional(layers.SimpleRNN(3), merge_mode=mode)(sequence)
        for mode in ("concat", "sum", "mul", "ave")
    ]
    both = layers.Bidirectional(
        layers.GRU(3, return_sequences=True),
        backward_layer=layers.LSTM(3, go_backwards=True, return_sequences=True),
    )(sequence)
    return keras.Model(sequence, layers.Dense(1)(layers.concatenate([*branches, layers.Flatten()(both)])))


def _seq2seq_gru():
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None,), dtype="int32", name="target")
    encoded = layers.Bidirectional(layers.GRU(6), merge_mode="sum")(
        layers.Embedding(12, 5, mask_zero=True)(source)
    )
    x = layers.Embedding(14, 5, mask_zero=True)(target)
    x = layers.GRU(6, return_sequences=True)(x, initial_state=encoded)
    x = layers.Dropout(0.5)(x)
    return keras.Model([source, target], layers.Dense(14, activation="softmax")(x))


def _conv1d_forecast():
    return keras.Sequential(
        [
            keras.Input((16, 4)),
            layers.Conv1D(4, 5, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(4, 3, activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1),
        ]
    )


def _spectrogram():
    sound = keras.Input((64,))
    x = layers.STFTSpectrogram(frame_length=16, frame_step=8, fft_length=16)(layers.Reshape((64, 1))(sound))
    y = layers.MelSpectrogram(
        fft_length=16, sequence_stride=8, sampling_rate=64, num_mel_bins=4, max_freq=30
    )(sound)
    x = layers.GlobalAveragePooling1D()(layers.Conv1D(3, 2, activation="relu")(x))
    return keras.Model(sound, layers.Dense(2)(layers.concatenate([x, layers.Flatten()(y)])))


def _forecast(name, build, shape=(8, 4)):
    return ZooModel(
        name=name,
        build=build,
        inputs=normal(3, *shape),
        targets=normal(3, 1),
        loss=lambda: "mean_squared_error",
        optimizer=optimizers.RMSprop,
    )


def _text(name, build):
    return ZooModel(
        name=name,
        build=build,
        inputs=padded_tokens(3, 6, high=10),
        targets=binary(3, 1),
        loss=lambda: "binary_crossentropy",
        optimizer=optimizers.RMSprop,
    )


MODELS = (
    _forecast(
        "forecast_dense", _sequential(layers.Flatten, lambda: layers.Dense(8, activation="relu"), _dense_head)
    ),
    _forecast("forecast_conv1d", _conv1d_forecast, (16, 4)),
    _forecast("forecast_lstm", _sequential(lambda: layers.LSTM(4), _dense_head)),
    _forecast(
        "forecast_lstm_dropout",
        _sequential(
            lambda: layers.LSTM(4, dropout=0.2, recurrent_dropout=0.25),
            lambda: layers.Dropout(0.5),
            _dense_head,
        ),
    ),
    _forecast(
        "forecast_stacked_gru",
        _sequential(
            lambda: layers.GRU(4, recurrent_dropout=0.5, return_sequences=True),
            lambda: layers.GRU(4, recurrent_dropout=0.5),
            lambda: layers.Dropout(0.5),
            _dense_head,
        ),
    ),
    _forecast("forecast_gru_plain", _sequential(lambda: layers.GRU(4, reset_after=False), _dense_head)),
    _forecast(
        "forecast_bidirectional", _sequential(lambda: layers.Bidirectional(layers.LSTM(4)), _dense_head)
    ),
    _forecast("bidirectional_merges", _bidirectional_merges, (5, 3)),
    _forecast("simple_rnn", _sequential(lambda: layers.SimpleRNN(4, go_backwards=True), _dense_head)),
    _forecast("stacked_cells", _stacked_cells, (5, 3)),
    _forecast("unrolled_rnn", _unrolled, (4, 3)),
    _forecast("convlstm_2d", _convlstm_2d, (3, 6, 6, 2)),
    _forecast("convlstm_1d_3d", _convlstm_1d_3d, (3, 4, 4, 4, 1)),
    ZooModel(
        name="stateful_rnn",
        build=_stateful,
        inputs=normal(2, 5, 3),
        targets=normal(2, 1),
        loss=lambda: "mean_squared_error",
    ),
    ZooModel(
        name="character_gru",
        build=_character_gru,
        inputs=integers(2, 6, high=12),
        targets=integers(2, 6, high=12),
        loss=lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=optimizers.Adam,
    ),
    ZooModel(
        name="masked_rnn",
        build=_masking,
        inputs=_masked_sequence,
        targets=normal(3, 2),
        loss=lambda: "mean_squared_error",
    ),
    _text("embedding_bilstm", _embedding_bilstm),
    _text("one_hot_bilstm", _one_hot_bilstm),
    _text("frozen_word_vectors", _frozen_word_vectors),
    ZooModel(
        name="seq2seq_gru",
        build=_seq2seq_gru,
        inputs=each(padded_tokens(2, 5, high=12), padded_tokens(2, 6, high=14)),
        targets=integers(2, 6, high=14),
        loss=lambda: "sparse_categorical_crossentropy",
        optimizer=optimizers.RMSprop,
    ),
    ZooModel(
        name="spectrogram",
        build=_spectrogram,
        inputs=uniform(2, 64, low=-1.0),
        targets=normal(2, 2),
        loss=lambda: "mean_squared_error",
    ),
)
