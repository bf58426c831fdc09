"""What the page asks about a trace: every number is the captured value."""

import io

import numpy as np
import pytest

from openbook.looking import subject_of
from page_types import check_type


@pytest.fixture(scope="module")
def looked(asker, text_trace):
    return asker.library.traces.get(text_trace["id"])


@pytest.fixture
def ask(asker, text_trace):
    return lambda what, /, **query: asker.json(f"traces/{text_trace['id']}/{what}", **query)


def test_trace_can_be_asked_for_again(asker, text_trace):
    assert asker.json(f"traces/{text_trace['id']}") == text_trace
    assert asker.get("traces/none").status_code == 404


def test_summaries_are_of_the_values(ask, looked, text_trace):
    names = list(text_trace["values"])
    summaries = ask("summaries", name=names)
    check_type(summaries, "Summary[]")
    for summary in summaries:
        values = looked.array(summary["name"]).astype(np.float64)
        assert [summary["min"], summary["max"]] == [values.min(), values.max()]
        assert summary["mean"] == pytest.approx(values.mean(), rel=1e-6, abs=1e-9)
        assert sum(summary["histogram"]) == values.size


def test_every_tile_at_level_zero_is_the_value(asker, ask, looked, text_trace):
    for name in (
        "block_1/attention/weights",
        "output",
        "final_norm/scale",
        "block_1/attention/mask",
        "input/tokens",
    ):
        array = looked.array(name)
        planes = np.ndindex(*array.shape[:-2]) if array.ndim > 2 else [()]
        for held in planes:
            at = ",".join(map(str, (*held, 0, 0)[: max(array.ndim, 1)]))
            plane = ask("plane", name=name, at=at)
            check_type(plane, "Plane")
            expected = np.atleast_2d(array[held]).astype(np.float32)
            assert (plane["num_rows"], plane["num_cols"]) == expected.shape
            row = asker.floats(f"traces/{text_trace['id']}/tile", name=name, at=at, level=0, row=0, col=0)
            size = (min(256, expected.shape[0]), min(256, expected.shape[1]))
            np.testing.assert_array_equal(row.reshape(size), expected[: size[0], : size[1]])


def test_tiles_of_higher_levels_are_minimum_mean_and_maximum(asker, ask, looked, text_trace):
    name = "token_embedding/embeddings"
    array = looked.array(name)
    plane = ask("plane", name=name, rows=0, cols=1)
    assert plane["num_levels"] == 2
    tile = asker.floats(f"traces/{text_trace['id']}/tile", name=name, rows=0, cols=1, level=1, row=0, col=0)
    cells = array[: 2 * (len(array) // 2)].reshape(len(array) // 2, 2, array.shape[1] // 2, 2)
    for layer, expected in zip(
        tile.reshape(3, -1, array.shape[1] // 2),
        (cells.min(axis=(1, 3)), cells.mean(axis=(1, 3)), cells.max(axis=(1, 3))),
        strict=True,
    ):
        np.testing.assert_allclose(layer[: len(expected)], expected, rtol=1e-5, atol=1e-6)


def test_planes_run_over_any_two_axes(asker, looked, text_trace):
    name = "block_1/attention/queries"
    expected = looked.array(name)[0, :, 1, :]
    tile = asker.floats(f"traces/{text_trace['id']}/tile", name=name, at="0,0,1,0", rows=3, cols=1)
    np.testing.assert_array_equal(tile.reshape(expected.T.shape), expected.T)


def test_series_is_a_line_of_the_value(asker, looked, text_trace):
    line = asker.floats(f"traces/{text_trace['id']}/series", name="output", at="0,2,0", axis=2)
    np.testing.assert_array_equal(line, looked.array("output")[0, 2])
    line = asker.floats(f"traces/{text_trace['id']}/series", name="output", at="0,0,7", axis=1)
    np.testing.assert_array_equal(line, looked.array("output")[0, :, 7])


def test_top_are_the_largest_with_their_softmax(ask, looked):
    entries = ask("top", name="output", at="0,2,0", axis=2, k=5)
    check_type(entries, "TopEntry[]")
    logits = looked.array("output")[0, 2].astype(np.float64)
    assert [entry["index"] for entry in entries] == list(np.argsort(-logits, kind="stable")[:5])
    probabilities = np.exp(logits) / np.exp(logits).sum()
    for entry in entries:
        assert entry["value"] == looked.array("output")[0, 2, entry["index"]]
        assert entry["probability"] == pytest.approx(probabilities[entry["index"]], rel=1e-6)
    tokens = ask("top", name="block_1/attention/weights", at="0,0,3,0", axis=3, k=2)
    assert all(entry["label"] and entry["probability"] is None for entry in tokens)


def test_neighbours_are_rows_that_point_the_same_way(ask, looked):
    found = ask("neighbours", name="token_embedding/embeddings", row=40, k=6)
    check_type(found, "Neighbours")
    matrix = looked.array("token_embedding/embeddings").astype(np.float64)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    similarities = unit @ unit[40]
    entries = found["entries"]
    assert entries[0]["row"] == 40
    assert [entry["row"] for entry in entries[1:]] == list(np.argsort(-similarities)[1:7])
    centred = matrix - matrix.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    for entry in entries:
        assert entry["similarity"] == pytest.approx(similarities[entry["row"]])
        place = np.abs(directions[:2] @ centred[entry["row"]])
        np.testing.assert_allclose(np.abs([entry["x"], entry["y"]]), place, rtol=1e-6, atol=1e-9)


def test_explanation_is_the_traces_own(ask, looked):
    for name, index in (
        ("block_1/attention/weights", (0, 1, 3, 2)),
        ("block_1/attention/scores", (0, 0, 2, 1)),
        ("output", (0, 3, 17)),
        ("block_1/attention/attended", (0, 0, 0, 2)),
    ):
        answer = ask("explanation", name=name, index=",".join(map(str, index)))
        check_type(answer, "Explanation")
        truth = looked.trace.explain(name, index)
        assert answer["value"] == looked.array(name)[index]
        assert answer["formula"] == truth.formula
        assert answer["num_terms"] == truth.num_terms
        assert answer["difference"] < 1e-5
        for term, expected in zip(answer["terms"], truth.terms, strict=True):
            for operand, true_operand in zip(term["operands"], expected.operands, strict=True):
                assert operand["name"] == true_operand.name
                assert operand["value"] == pytest.approx(float(true_operand.value), abs=0.0)


def test_explanation_of_a_text_tells_nothing_of_its_padding(ask, looked, text_trace):
    num_tokens = len(text_trace["input"]["tokens"])
    attended = ask("explanation", name="block_1/attention/attended", index="0,0,0,2")
    assert attended["num_terms"] == num_tokens
    total = ask("explanation", name="block_1/attention/softmax/sum", index="0,0,2")
    assert total["num_terms"] == num_tokens
    largest = ask("explanation", name="block_1/attention/softmax/maximum", index="0,0,2")
    assert f"among {num_tokens}" in largest["formula"]


def test_walk_back_ends_at_a_token_of_the_reader(ask, text_trace):
    name, index = "token_embedding/output", [0, 3, 5]
    meanings = []
    for _ in range(20):
        answer = ask("explanation", name=name, index=",".join(map(str, index)))
        meanings += [operand["meaning"] for term in answer["terms"] for operand in term["operands"]]
        if answer["is_leaf"]:
            break
        operands = [operand for term in answer["terms"] for operand in term["operands"]]
        name, index = operands[-1]["name"], operands[-1]["index"]
    assert answer["is_leaf"]
    token = text_trace["input"]["tokens"][3]["shown"]
    assert any(meaning and token in meaning for meaning in [*meanings, answer["meaning"]])


def test_whole_value_comes_as_npy(asker, looked, text_trace):
    answer = asker.get(f"traces/{text_trace['id']}/array.npy", name="block_1/attention/weights")
    np.testing.assert_array_equal(
        np.load(io.BytesIO(answer.content)), looked.array("block_1/attention/weights")
    )
    assert 'filename="block_1.attention.weights.npy"' in answer.headers["content-disposition"]


def test_source_of_a_layer_is_its_part_of_the_whole(ask):
    whole, part = ask("source", path="")["text"], ask("source", path="block_1/attention")["text"]
    assert "import numpy as np" in whole
    assert part.startswith("# block_1/attention\n")
    for line in part.splitlines():
        assert line.strip() in whole
    # A layer that the source writes together with the one around it.
    assert ask("source", path="block_1/attention/query")["text"] == part or "query" in part


def test_comparison_ranks_values_by_their_difference(asker, text_trace):
    other = asker.trace("small", {"kind": "text", "text": "the film was bad and long"})
    answer = asker.json("comparison", first=text_trace["id"], second=other["id"])
    check_type(answer, "Comparison")
    relatives = [value["relative"] for value in answer["values"]]
    assert relatives == sorted(relatives, reverse=True)
    by_name = {value["name"]: value for value in answer["values"]}
    one, two = (asker.library.traces.get(info["id"]) for info in (text_trace, other))
    num_tokens = min(len(info["input"]["tokens"]) for info in (text_trace, other))
    first, second = (each.array("output")[:, :num_tokens].astype(np.float64) for each in (one, two))
    value = by_name["output"]
    assert value["relative"] == pytest.approx(np.linalg.norm(first - second) / np.linalg.norm(first))
    assert value["largest"] == pytest.approx(np.abs(first - second).max())
    assert np.abs(first - second)[tuple(value["index"])] == value["largest"]
    assert by_name["final_norm/scale"]["relative"] == 0.0
    same = asker.json("comparison", first=text_trace["id"], second=text_trace["id"])
    assert {value["relative"] for value in same["values"]} == {0.0}
    assert not same["not_compared"]


@pytest.mark.parametrize(
    ("what", "query"),
    [
        ("plane", {}),
        ("plane", {"name": "no/such/value"}),
        ("plane", {"name": "output", "at": "0,99,0", "rows": 0, "cols": 2}),
        ("plane", {"name": "output", "at": "x"}),
        ("tile", {"name": "output", "level": 9}),
        ("tile", {"name": "output", "row": 10**30}),
        ("series", {"name": "output", "axis": 5}),
        ("top", {"name": "output", "at": "0,-1", "axis": 2}),
        ("neighbours", {"name": "final_norm/scale", "row": 0}),
        ("neighbours", {"name": "token_embedding/embeddings", "row": -1}),
        ("explanation", {"name": "output", "index": "0"}),
        ("explanation", {"name": "output", "index": "0,0,99999"}),
        ("summaries", {"name": "<script>"}),
    ],
)
def test_question_that_does_not_fit_is_refused_in_a_sentence(asker, text_trace, what, query):
    answer = asker.get(f"traces/{text_trace['id']}/{what}", **query)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


def test_names_with_html_in_them_come_back_as_they_are(make_asker):
    import keras

    hostile = "<img src=x onerror=alert(1)>"
    inputs = keras.Input((2,), name="numbers")
    model = keras.Model(inputs, keras.layers.Dense(1, name=f"{hostile}!")(inputs), name=hostile)
    asker = make_asker([subject_of(model)])
    [told] = asker.json("state")["models"]
    assert told["title"] == hostile
    assert told["id"] == "img-src-x-onerror-alert-1"
    info = asker.trace(told["id"], {"kind": "arrays", "arrays": {"numbers": [1, 2]}})
    assert f"{hostile}!/kernel" in info["values"]
    answer = asker.get(f"traces/{info['id']}/summaries", name=f"{hostile}!/kernel")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
