"""Arrays as nested lists, and targets for a step."""

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.page.inputs.arrays import ArrayInput, ArrayReader
from openbook.page.inputs.targets import TargetReader
from page_types import check_type

READER = ArrayReader(
    inputs=[
        ArrayInput(name="series", shape=(None, 2), dtype="float32", columns=["heat", "rain"]),
        ArrayInput(name="station", shape=(1,), dtype="int32"),
    ],
    target_reader=TargetReader(form="values", classes=None, output_names=["forecast"], output_shapes=[(3,)]),
)


def test_inputs_come_in_their_order_with_a_batch_axis():
    read = READER.read({"arrays": {"station": [7], "series": [[1, 2], [3, 4]]}})
    check_type(read.preview, "InputPreview")
    series, station = read.arrays
    assert (series.shape, station.shape) == ((1, 2, 2), (1, 1))
    assert (series.dtype, station.dtype) == (np.float32, np.int32)


def test_spec_has_examples_that_can_be_given_back():
    spec = READER.spec()
    check_type(spec, "InputSpec")
    given = {each["name"]: each["example"] for each in spec["inputs"]}
    READER.read({"arrays": given})


@pytest.mark.parametrize(
    "arrays",
    [
        {"series": [[1, 2]]},
        {"series": [[1, 2, 3]], "station": [1]},
        {"series": [1, 2], "station": [1]},
        {"series": [[1, "x"]], "station": [1]},
        {"series": [[1, 2], [3]], "station": [1]},
        {"series": [], "station": [1]},
        {"series": None, "station": [1]},
        {"series": {"a": 1}, "station": [1]},
        [1, 2],
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_a_sentence(arrays):
    with pytest.raises(UsageError):
        READER.read({"arrays": arrays})


def test_places_are_told_in_words():
    read = READER.example()
    one = ArrayReader(inputs=READER.inputs[:1], target_reader=None)
    assert one.place(read, "input", (0, 4, 1)) == "your number at 5, “rain” of series"
    assert READER.place(read, "dense/kernel", (0, 1)) is None


def test_targets_take_the_form_of_the_loss():
    classes = ["cat", "dog", "7"]
    shapes = {"classes": classes, "output_names": ["animal"], "output_shapes": [(3,)]}
    assert TargetReader(form="class", **shapes).read("dog").tolist() == [1]
    assert TargetReader(form="class", **shapes).read(2).tolist() == [2]
    assert TargetReader(form="one_hot", **shapes).read("7").tolist() == [[0, 0, 1]]
    assert READER.targets(READER.example(), [1, 2, 3]).tolist() == [[1, 2, 3]]
    assert READER.targets(READER.example(), {"forecast": [1, 2, 3]}).tolist() == [[1, 2, 3]]
    with pytest.raises(UsageError, match="no class"):
        TargetReader(form="class", **shapes).read("cow")
    with pytest.raises(UsageError, match="needs a target"):
        READER.targets(READER.example(), None)
    with pytest.raises(UsageError, match="shape 3"):
        READER.targets(READER.example(), [1, 2])
