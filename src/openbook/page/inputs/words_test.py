"""Texts as words of a fixed number: named, with what is unknown said."""

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.page.inputs.targets import TargetReader
from openbook.page.inputs.words import WordsReader

NAMES = ["(padding)", "[?]", "good", "bad"]


def reader(**changes):
    def read(text):
        rows = [NAMES.index(word) if word in NAMES else 1 for word in text.split()]
        return np.array([rows + [0] * (5 - len(rows))], np.int32)

    settings = {
        "read_text": read,
        "unknown": lambda text: [word for word in text.split() if word not in NAMES],
        "names": NAMES,
        "input_names": ["tokens"],
        "max_tokens": 5,
        "is_bag": False,
        "example_text": "good bad",
        "target_reader": TargetReader(
            form="class", classes=["no", "yes"], output_names=["logits"], output_shapes=[(2,)]
        ),
    }
    return WordsReader(**{**settings, **changes})


def test_words_are_named_and_padding_is_left_out():
    read = reader().read({"text": "good film"})
    assert read.token_ids == (2, 1)
    assert read.length == 5
    assert [token["shown"] for token in read.preview["tokens"]] == ["good", "[?]"]
    assert "“film”" in read.preview["notes"][0]
    assert reader().place(read, "input/tokens", (0, 0)) == "“good” at position 1"
    assert "padding" in reader().place(read, "input/tokens", (0, 3))
    assert reader().vocabulary([3, 1]) == ["bad", "[?]"]


def test_step_goes_towards_a_class():
    spec = reader().spec()
    assert (spec["target"], spec["classes"], spec["targets"]) == ("class", ["no", "yes"], None)
    assert reader().targets(reader().example(), "yes") == [1]
    assert reader(target_reader=None).spec()["target"] == "none"


def test_kept_example_is_shown_as_its_words():
    read = reader().read_arrays([np.array([[3, 2, 0, 0, 0]], np.int32)])
    assert read.preview["text"] == "bad good"
    assert "not kept" in read.preview["notes"][0]


@pytest.mark.parametrize("given", [{"text": ""}, {"text": 3}, {}])
def test_what_is_no_text_is_refused(given):
    with pytest.raises(UsageError):
        reader().read(given)
