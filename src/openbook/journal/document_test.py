"""Words between, around and inside openbook's parts stay, whatever is done to the marks."""

import random
import re

import pytest

from openbook.journal.document import END, KEPT, parse, rewrite

A, B = "run a 2026-01-01T00:00:00+00:00", "run b 2026-01-02T00:00:00+00:00"
FRESH = {"overview": ["## Overview", "", "two runs"], A: ["## A", "", "score 1"], B: ["## B", "", "score 2"]}


def written(text="# My journal\n", fresh=None):
    return rewrite(parse(text), FRESH if fresh is None else fresh)


def without_digests(text):
    return re.sub(r"[0-9a-f]{8} -->", "-->", text)


def test_first_time_has_all_parts_and_the_second_time_changes_nothing():
    text, problems = written()
    assert problems == ()
    assert text.startswith("# My journal\n\n<!-- openbook overview ")
    assert text.index("## A") < text.index("## B")
    assert written(text) == (text, ())


def test_words_of_ones_own_stay_where_they_are():
    text, _ = written()
    place = text.index("<!-- openbook run b")
    text = f"{text[:place]}mine, after A\n\n{text[place:]}"
    text = f"mine, first\n{text}mine, last\n"
    again, problems = written(text, {**FRESH, A: ["## A", "", "score 3"]})
    assert problems == ()
    assert without_digests(again) == without_digests(text.replace("score 1", "score 3"))
    assert (
        again.index("score 3")
        < again.index("mine, after A")
        < again.index("## B")
        < again.index("mine, last")
    )


def test_words_inside_a_part_are_kept_below_it_and_said():
    text, _ = written()
    again, problems = written(text.replace("score 1", "score 1\nnonsense *typed* here"))
    assert ["kept below it" in problem for problem in problems] == [True]
    assert f"{KEPT}\n\nnonsense *typed* here" in again
    assert again.index("score 1") < again.index("nonsense") < again.index("## B")
    assert written(again) == (again, ())


def test_part_whose_end_mark_is_gone_is_found_again():
    text, _ = written()
    place = text.index(END, text.index("## A"))
    again, problems = written(text[:place] + "my words\n" + text[place + len(END) :])
    assert "the end mark of the part of a is gone" in problems[0]
    assert "my words" in again and again.count("## A") == 1
    assert written(again) == (again, ())


def test_part_whose_end_mark_is_gone_and_whose_lines_were_changed_keeps_everything():
    text, _ = written()
    place = text.index(END, text.index("## B"))
    again, problems = written(text[:place].replace("score 2", "score two") + text[place + len(END) :])
    assert problems and "score two" in again and "score 2" in again
    assert written(again) == (again, ())


def test_part_that_is_there_twice_is_kept_once():
    text, _ = written()
    again, problems = written(
        text + text[text.index("<!-- openbook run a") :].replace("score 2", "score 2\nmine")
    )
    assert any("is there twice" in problem for problem in problems)
    assert again.count("## A") == 1 and "mine" in again


def test_stray_end_mark_is_taken_out():
    text, problems = written(f"# My journal\n{END}\nwords\n")
    assert "an end mark without a beginning" in problems[0]
    assert "words" in text


def test_run_that_is_gone_keeps_its_part():
    text, _ = written()
    again, problems = written(text, {"overview": ["## Overview", "", "one run"], B: FRESH[B]})
    assert problems == () and "score 1" in again


def test_spaces_at_line_ends_and_other_line_ends_are_no_change():
    text, _ = written()
    assert written(text.replace("score 1", "score 1   "))[1] == ()
    assert written(text.replace("\n", "\r\n"))[1] == ()


@pytest.mark.parametrize("seed", range(40))
def test_nonsense_never_loses_a_word_and_settles(seed):
    chance = random.Random(seed)
    lines = written()[0].splitlines()
    mine = [f"word{number}" for number in range(6)]
    for word in mine:
        lines.insert(chance.randrange(len(lines) + 1), word)
    for _ in range(chance.randrange(4)):
        lines.pop(chance.choice([i for i, line in enumerate(lines) if line not in mine]))
    for _ in range(chance.randrange(3)):
        lines.insert(chance.randrange(len(lines) + 1), chance.choice([END, "<!-- openbook run", lines[2]]))
    text, _ = written("\n".join(lines))
    assert all(word in text.splitlines() for word in mine)
    assert all(line in text for new in FRESH.values() for line in new)
    assert written(text) == (text, ())
