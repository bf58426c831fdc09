"""Notes on a run: from two terminals at once, on a finished run, cut off, changed by hand."""

import subprocess
import sys

import pytest

from openbook.errors import RunError, UsageError
from openbook.runs import Run
from openbook.runs.notes import add_note, read_notes


@pytest.fixture
def run(tmp_path):
    return Run.create(recipe="digits", record={}, parent=tmp_path, name="digits-1")


def test_notes_come_back_in_their_order_and_a_finished_run_stays_whole(run):
    add_note(run, "before it was finished")
    run.complete()
    add_note(run, "  fours look like nines  ", hours=1.5)
    assert [(note.text, note.hours) for note in read_notes(run)] == [
        ("before it was finished", None),
        ("fours look like nines", 1.5),
    ]
    Run.open(run.path).verify()
    assert Run.open(run.path).is_complete


def test_two_terminals_at_once_lose_nothing(run):
    script = (
        "import sys; from openbook.runs import Run; from openbook.runs.notes import add_note\n"
        "for number in range(20): add_note(Run.open(sys.argv[1]), f'{sys.argv[2]} {number}')"
    )
    terminals = [
        subprocess.Popen([sys.executable, "-c", script, str(run.path), name]) for name in ("left", "right")
    ]
    assert [terminal.wait(timeout=60) for terminal in terminals] == [0, 0]
    texts = [note.text for note in read_notes(run)]
    for name in ("left", "right"):
        assert [text for text in texts if text.startswith(name)] == [
            f"{name} {number}" for number in range(20)
        ]


def test_note_that_was_cut_off_is_left_out_and_the_next_one_is_whole(run):
    add_note(run, "first")
    with (run.path / "notes.jsonl").open("a") as file:
        file.write('{"time": "2026-')
    assert [note.text for note in read_notes(run)] == ["first"]
    add_note(run, "second")
    assert [note.text for note in read_notes(run)] == ["first", "second"]


@pytest.mark.parametrize("line", ["nonsense", '{"text": "no time"}', '{"time": "yesterday", "text": "a"}'])
def test_file_changed_by_hand_is_named(run, line):
    (run.path / "notes.jsonl").write_text(f"{line}\n")
    with pytest.raises(RunError, match=r"notes\.jsonl"):
        read_notes(run)


@pytest.mark.parametrize(
    ("text", "hours", "said"),
    [
        ("  ", None, "needs words"),
        ("a", -1, "--hours"),
        ("a", float("nan"), "--hours"),
        ("a" * 30_000, None, "30,000"),
    ],
)
def test_what_is_no_note_is_refused(run, text, hours, said):
    with pytest.raises(UsageError, match=said):
        add_note(run, text, hours=hours)
    assert read_notes(run) == []


def test_hours_alone_are_a_note(run):
    add_note(run, "", hours=0.5)
    assert read_notes(run)[0].hours == 0.5
