"""Lenses on the page: the list is the shell's, an answer has picture, words and tables, and refusals say why."""

import base64

import numpy as np
import pytest

from openbook.lenses import all_lenses
from openbook.looking import subject_of
from openbook.page.lens_tables import MOST_ROWS, tables_of
from openbook.page.saved_content import saved_content
from page_types import check_type


@pytest.fixture(scope="module")
def lens_asker(make_asker, small_run, digits):
    rng = np.random.default_rng(0)
    return make_asker([subject_of(digits, rng.random((2, 12, 12, 1), np.float32)), subject_of(small_run)])


def look_through(asker, model, lens, **request):
    return asker.events(f"models/{model}/lenses/{lens}", {"settings": {}, **request})[-1]


@pytest.mark.parametrize("model", ["digits", "small"])
def test_list_is_that_of_the_shell(lens_asker, model):
    listed = lens_asker.json(f"models/{model}/lenses")
    check_type(listed, "LensInfo[]")
    source = lens_asker.library.subject(model).lens_source
    assert {each["name"] for each in listed} == set(all_lenses())
    for each in listed:
        lens = all_lenses()[each["name"]]
        if "examples" not in lens.takes:
            assert each["why_not"] == source.why_not(lens)
    reasons = [each["why_not"] for each in listed]
    assert reasons == sorted(reasons, key=lambda reason: reason is not None)


def test_every_lens_that_fits_answers_with_its_defaults(lens_asker):
    for model, given in (("digits", {"kind": "example", "id": "example-1"}), ("small", None)):
        for each in lens_asker.json(f"models/{model}/lenses"):
            if each["why_not"] is None:
                request = {"input": given} if each["reads_input"] else {}
                name, view = look_through(lens_asker, model, each["name"], **request)
                assert name == "done", view
                check_type(view, "LensView")
                assert view["tables"]
                [picture] = view["pictures"]
                kind, _, content = picture["picture"].partition(";base64,")
                assert kind == "data:image/png"
                assert base64.b64decode(content).startswith(b"\x89PNG")
                assert each["title"] in picture["alt"]


def test_lens_is_about_the_input_that_is_given(lens_asker):
    answers = [
        look_through(lens_asker, "digits", "grad-cam", input={"kind": "example", "id": f"example-{number}"})[
            1
        ]
        for number in (1, 2, 1)
    ]
    assert answers[0]["numbers"] != answers[1]["numbers"]
    assert answers[0] == answers[2]


def test_settings_are_those_of_the_form(lens_asker):
    given = {"input": {"kind": "example", "id": "example-1"}}
    [info] = (each for each in lens_asker.json("models/digits/lenses") if each["name"] == "grad-cam")
    assert [each["name"] for each in info["settings"]] == ["layer", "class_name"]
    assert "convolution" in info["settings"][0]["choices"]
    name, view = look_through(lens_asker, "digits", "grad-cam", **given, settings={"class_name": "3"})
    assert name == "done"
    assert view["numbers"]["class_index"] == 3
    for settings, expected in (
        ({"layer": "nowhere"}, "there are convolution"),
        ({"depth": "3"}, "no setting 'depth'"),
    ):
        name, answer = look_through(lens_asker, "digits", "grad-cam", **given, settings=settings)
        assert name == "failed"
        assert expected in answer["error"]


@pytest.mark.parametrize(
    ("model", "lens", "expected"),
    [
        ("digits", "grad-cam", "needs an input"),
        ("digits", "learning-curves", "comes from no run"),
        ("digits", "no-such-lens", "no lens 'no-such-lens'"),
        ("small", "filters", "no single picture"),
    ],
)
def test_what_cannot_be_shown_says_why(lens_asker, model, lens, expected):
    name, answer = look_through(lens_asker, model, lens)
    assert name == "failed"
    assert expected in answer["error"]


def test_saved_page_keeps_the_lenses_that_were_asked_for(lens_asker):
    given = [("digits", {"kind": "example", "id": "example-1"})]
    content = saved_content(
        lens_asker.library, given, say=lambda message: None, lenses=["grad-cam", "filters"]
    )
    assert [each["lens"] for each in content["lenses"]] == ["grad-cam", "filters"]
    assert "input" not in content["lenses"][1]["request"]
    check_type(content, "SavedPage")


def tables(numbers):
    return {each["title"]: (each["columns"], each["rows"]) for each in tables_of(numbers)}


def test_numbers_of_any_lens_become_tables():
    found = tables(
        {
            "layer": "convolution",
            "score": 1.5,
            "is_guessed": True,
            "steps": [1, 2],
            "values": [0.5, float("nan")],
            "classes": ["cat", "dog", "cow"],
            "counts": [[1, 2, 0], [3, 4, 0], [0, 0, 9]],
            "worst": [{"true": "cat", "answer": "dog"}],
            "by_layer": {"a": {"mean": 1.0, "shape": [2, 3]}, "b": {"mean": 2.0, "shape": [4, 5]}},
            "kernels": [[[1.0, 2.0]], [[3.0, 4.0]]],
            "curves": {"run": {"loss": {"steps": [1, 2, 3, 4], "values": [4, 3, 2, 1]}}},
        }
    )
    assert found == {
        "Numbers": (
            ["", "value"],
            [
                ["layer", "convolution"],
                ["score", 1.5],
                ["is guessed", "yes"],
                ["kernels", "2 × 1 × 2 numbers, in the file of all numbers"],
            ],
        ),
        "Steps, values": (["", "steps", "values"], [[0, 1, 0.5], [1, 2, None]]),
        "Classes": (["", "classes"], [[0, "cat"], [1, "dog"], [2, "cow"]]),
        "Counts": (["", "cat", "dog", "cow"], [["cat", 1, 2, 0], ["dog", 3, 4, 0], ["cow", 0, 0, 9]]),
        "Worst": (["", "true", "answer"], [[1, "cat", "dog"]]),
        "By layer": (["", "mean", "shape"], [["a", 1.0, "2 × 3"], ["b", 2.0, "4 × 5"]]),
        "Curves · run · loss · steps, values": (
            ["", "steps", "values"],
            [[0, 1, 4], [1, 2, 3], [2, 3, 2], [3, 4, 1]],
        ),
    }


def test_long_tables_are_cut_and_say_how_long_they_are():
    [table] = tables_of({"errors": list(range(1000))})
    assert (len(table["rows"]), table["num_rows"]) == (MOST_ROWS, 1000)
    assert tables_of({"empty": [], "nothing": {}})[0]["rows"] == [["empty", "none"], ["nothing", "none"]]
