"""Examples against a model whose every answer is known."""

import numpy as np
import pytest

from openbook.text.examples import next_token_examples
from openbook.text.tokenizer import Tokenizer

TEXTS = ["the film was good and the plot was bad and so on and on and on again"] * 3 + ["too short"]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS * 5, vocabulary_size=280)


def test_mistakes_stand_first_with_the_probability_of_the_truth(tokenizer):
    [certain] = tokenizer.encode(" ")[:1]

    def logits_after(tokens_BT):
        # Twice as likely as any other, whatever came before.
        logits = np.zeros((*tokens_BT.shape, tokenizer.vocabulary_size))
        logits[..., certain] = np.log(2.0)
        return logits

    examples = next_token_examples(TEXTS, tokenizer, logits_after)
    assert 1 <= len(examples) <= 3
    for example in examples:
        assert TEXTS[0].startswith(example["text"] + example["target"])
        assert example["answer"] == " "
        assert example["is_mistake"] == (example["target"] != " ")
        share = 1 if example["is_mistake"] else 2
        assert example["score"] == pytest.approx(share / (tokenizer.vocabulary_size + 1), abs=1e-6)
    order = [example["is_mistake"] for example in examples]
    assert order == sorted(order, reverse=True)


def test_texts_too_short_give_no_examples(tokenizer):
    assert next_token_examples(["a"], tokenizer, pytest.fail) == []
