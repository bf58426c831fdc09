"""The page as one file: it holds what it needs, asks nobody, and no text in it becomes code."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.looking import subject_of
from openbook.page.single_file import single_file
from page_types import check_type

HOSTILE = "</script><script>alert(1)</script><!-- <script> &amp; \u2028"
SCRIPT = "console.log('</script>', '<!--', `</SCRIPT>`)"


@pytest.fixture
def static(tmp_path):
    """A page as the front end's build leaves it."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(
        '<!doctype html>\n<html><head>\n<meta charset="utf-8" /><title>openbook</title>\n'
        '<script type="module" crossorigin src="./assets/page.js"></script>\n'
        '<link rel="stylesheet" crossorigin href="./assets/page.css">\n</head><body></body></html>',
        encoding="utf-8",
    )
    (folder / "assets" / "page.js").write_text(SCRIPT, encoding="utf-8")
    (folder / "assets" / "page.css").write_text(
        "@font-face{src:url(./serif.woff2)format('woff2')}", encoding="utf-8"
    )
    (folder / "assets" / "serif.woff2").write_bytes(b"a font")
    return folder


@pytest.fixture
def written(static, small_run):
    texts = [{"kind": "text", "text": text} for text in ("the film was", HOSTILE)]
    said = []
    html = single_file([subject_of(small_run)], texts, say=said.append, static_folder=static)
    assert said
    return html


def content_of(html):
    text = re.search(r"<script>window\.__OPENBOOK_SAVED__=(.*?)</script>", html, re.DOTALL)[1]
    return json.loads(text)


def test_content_is_what_the_page_expects(written):
    content = content_of(written)
    check_type(content, "SavedPage")
    check_type(content["answers"]["state"], "State")
    assert content["answers"]["state"]["isSaved"] is True
    check_type(content["answers"]["models/small/run"], "RunInfo")
    check_type(content["answers"]["models/small/examples"], "Example[]")
    first, second = content["traces"]
    assert second["info"]["input"]["text"] == HOSTILE.replace("\u2028", "\u2028")
    key = f"comparison?first={first['info']['id']}&second={second['info']['id']}"
    check_type(content["answers"][key], "Comparison")


def test_values_and_explanations_are_the_traces_own(written, small_run):
    content = content_of(written)
    info = content["traces"][0]["info"]
    arrays = {**content["shared"], **content["arrays"][info["id"]]}
    assert set(arrays) == set(info["values"])
    numbers = {
        name: np.frombuffer(base64.b64decode(text), "<f4").reshape(info["values"][name]["shape"])
        for name, text in arrays.items()
    }
    np.testing.assert_allclose(numbers["block_1/attention/weights"].sum(axis=-1), 1.0, rtol=1e-5)
    explanations = content["explanations"][info["id"]]
    explained = {explanation["name"] for explanation in explanations.values()}
    assert {name for name, value in info["values"].items() if value["role"] == "value"} <= explained
    last = len(info["input"]["tokens"]) - 1
    assert f"output[0,{last},{info['answer'][0]['index']}]" in explanations
    assert f"block_1/attention/weights[0,0,{last},0]" in explanations
    for place, explanation in explanations.items():
        index = tuple(map(int, filter(None, place.rpartition("[")[2].removesuffix("]").split(","))))
        assert explanation["index"] == list(index)
        if explanation["name"] in numbers:
            assert explanation["value"] == pytest.approx(float(numbers[explanation["name"]][index]), abs=0.0)


def test_no_text_ends_the_script(written):
    # Each tag once: the data's script, the page's script, nothing that a text opened or closed.
    assert len(re.findall(r"</script", written, re.IGNORECASE)) == 2
    assert len(re.findall(r"<script", written, re.IGNORECASE)) == 2
    assert "<!--" not in written
    assert "\u2028" not in written


def test_only_these_scripts_and_styles_may_run_and_nothing_is_fetched(written):
    policy = re.search(r'http-equiv="content-security-policy" content="([^"]*)"', written)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    assert "http" not in policy
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        texts = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", written, re.DOTALL)
        hashes = {
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts
        }
        assert set(rules[kind].split()) == hashes
    outside = written.replace(content_text(written), "")
    assert not re.search(r'(src|href)="(?!data:)', outside)
    assert f"data:font/woff2;base64,{base64.b64encode(b'a font').decode()}" in written


def content_text(html):
    return re.search(r"window\.__OPENBOOK_SAVED__=(.*?)</script>", html, re.DOTALL)[1]


def test_charset_stands_first(written):
    assert written.index("charset") < 200


def test_what_does_not_fit_is_left_out_and_the_story_comes_first(static, small_run):
    html = single_file(
        [subject_of(small_run)], say=lambda message: None, limit_bytes=120_000, static_folder=static
    )
    content = content_of(html)
    [trace] = content["traces"]
    arrays = {**content["shared"], **content["arrays"][trace["info"]["id"]]}
    assert "block_1/attention/weights" in arrays and "output" in arrays
    assert len(arrays) < len(trace["info"]["values"])
    assert sum(len(base64.b64decode(text)) for text in arrays.values()) <= 120_000


def test_models_without_a_recipe_are_written_too(static, digits, forecaster, rng):
    pictures = rng.random((2, 12, 12, 1)).astype("float32")
    html = single_file(
        [subject_of(digits, pictures), subject_of(forecaster)], say=lambda message: None, static_folder=static
    )
    content = content_of(html)
    check_type(content, "SavedPage")
    assert [trace["model"] for trace in content["traces"]] == ["digits", "digits", "forecaster"]


def test_model_of_pictures_needs_one(static, digits):
    with pytest.raises(UsageError, match=r"--input photo\.png"):
        single_file([subject_of(digits)], say=lambda message: None, static_folder=static)


def test_page_that_is_not_built_cannot_be_written(tmp_path, digits):
    with pytest.raises(UsageError, match="make page"):
        single_file([subject_of(digits)], say=lambda message: None, static_folder=tmp_path)
