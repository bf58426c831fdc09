"""The token stream: every token once an epoch, and batches that depend on the step alone."""

import numpy as np
import pytest

from openbook.text.stream import TokenBatches, TokenStream
from openbook.text.tokenizer import Tokenizer

TEXTS = [f"document number {index} says {'word ' * (index % 7)}" for index in range(60)]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS, vocabulary_size=300)


@pytest.fixture(scope="module")
def stream(tokenizer):
    return TokenStream.encode(TEXTS, tokenizer)


def batches(stream, **changes):
    return TokenBatches(**{"stream": stream, "batch_size": 4, "context_length": 8, "seed": 3, **changes})


def test_stream_holds_every_document_after_an_end_of_text(stream, tokenizer):
    pieces = np.split(stream.tokens, stream.starts[1:])
    assert [piece[0] for piece in pieces] == [tokenizer.end_of_text] * len(TEXTS)
    assert [tokenizer.decode(piece) for piece in pieces] == TEXTS
    assert stream.size_bytes == sum(map(len, TEXTS))


def test_targets_are_the_inputs_one_later(stream):
    inputs, targets = batches(stream).batch_at(5)
    assert inputs.shape == targets.shape == (4, 8)
    np.testing.assert_array_equal(inputs[:, 1:], targets[:, :-1])


def test_any_step_can_be_asked_for_without_the_ones_before(stream):
    in_order = batches(stream)
    expected = [in_order.batch_at(step) for step in range(3 * in_order.steps_per_epoch)]
    for step in (len(expected) - 1, 0, in_order.steps_per_epoch):
        np.testing.assert_array_equal(batches(stream).batch_at(step), expected[step])


def test_an_epoch_shows_windows_that_do_not_overlap(stream):
    source = batches(stream)
    tokens, starts = source._epoch(0)
    positions = (np.sort(starts)[:, None] + np.arange(source.context_length)).ravel() % len(tokens)
    assert len(np.unique(positions)) == len(positions) >= len(tokens) - source.context_length - 1
    np.testing.assert_array_equal(np.sort(tokens), np.sort(stream.tokens))


def test_epochs_and_seeds_differ(stream):
    source = batches(stream)
    first = source.batch_at(0)
    assert not np.array_equal(first, source.batch_at(source.steps_per_epoch))
    assert not np.array_equal(first, batches(stream, seed=4).batch_at(0))


def test_text_shorter_than_one_window_is_repeated(tokenizer):
    short = TokenStream.encode(["tiny", "bit"], tokenizer)
    inputs, targets = batches(short, context_length=64).batch_at(0)
    assert inputs.shape == (4, 64)
    np.testing.assert_array_equal(inputs[:, 1:], targets[:, :-1])
