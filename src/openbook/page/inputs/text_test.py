"""Tokens as they are shown."""

from openbook.page.inputs.text import shown_text


def test_token_of_nothing_but_space_can_be_seen():
    assert [shown_text(text) for text in (" ", "  ", "\n", "\r\n", "\t")] == ["·", "··", "↵", "←↵", "⇥"]


def test_space_within_a_token_stays_a_space():
    assert shown_text(" film\n") == " film↵"
    assert shown_text("<b> \x00") == "<b> ·"
