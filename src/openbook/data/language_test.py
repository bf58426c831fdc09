"""Words are counted as `wc -w` counts them; scripts are named as Unicode names them."""

import pytest

from openbook.data.language import count_words, script_shares


@pytest.mark.parametrize(
    ("texts", "num_words"),
    [
        ([], 0),
        ([""], 0),
        (["one"], 1),
        (["  one\ttwo \n three  "], 3),
        (["one", "two"], 2),
        (["naïve café", "你好 世界"], 4),
        (["a b"] * 10_000, 20_000),
    ],
)
def test_words_are_runs_between_white_space(texts, num_words):
    assert count_words([text.encode() for text in texts]) == num_words


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("hello", "Latin"),
        ("привет", "Cyrillic"),
        ("你好", "Han"),
        ("こんにちは", "Hiragana"),
        ("ﾊﾛｰ", "Katakana"),
        ("안녕", "Hangul"),
        ("γειά", "Greek"),
        ("سلام", "Arabic"),
        ("नमस्ते", "Devanagari"),
        ("ｈｅｌｌｏ", "Latin"),
    ],
)
def test_scripts_are_named(text, script):
    assert script_shares([text]) == ((script, 1.0),)


def test_shares_are_of_letters_only_and_largest_first():
    assert script_shares(["abc 123 !!! де"]) == (("Latin", 0.6), ("Cyrillic", 0.4))
    assert script_shares(["123 456"]) == ()


def test_the_sample_is_spread_over_all_texts():
    shares = dict(script_shares(["latin letters " * 100] * 5000 + ["кириллица " * 140] * 5000))
    # One script a half; the letters' shares of the two texts differ by a few per cent.
    assert abs(shares["Latin"] - 0.5) < 0.05
