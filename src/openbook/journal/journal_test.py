"""The journal of run folders: what it says, notes, friends' runs, a page with everything inside, bad files."""

import base64
import html.parser
import json
import shutil

import pytest
from typer.testing import CliRunner

from openbook.cli.app import app
from openbook.errors import DataError, UsageError
from openbook.journal.entry import Entry, entry_of
from openbook.journal.html import to_html
from openbook.journal.writing import write_journal
from openbook.runs import Run
from openbook.runs.notes import add_note

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder of one's own, with its runs below."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    return tmp_path


def make(*, name=None, recipe="digits", machine="Some CPU, 2 cores", sample=None, picture=False, **fields):
    record = {
        "created": "2026-11-30T20:00:00+00:00",
        "settings": {"model": "dense", "epochs": 8.0, "batch_size": 64, "data": "mnist-5k"},
        "settings_default": {"model": "convnet", "epochs": None, "batch_size": None, "data": "mnist"},
        "data": {"source": "mnist-5k", "fingerprint": "ab" * 32},
        "machine": {"label": machine},
        "forecast": {"steps": 500, "epochs": 8.0, "time_s": {"low": 20.0, "middle": 30.0, "high": 45.0}},
        "actual": {"train_s": 24.0, "total_s": 33.0, "steps": 500, "step_s": 0.04},
        "score": {"accuracy": 0.979, "loss": 0.07},
    }
    run = Run.create(recipe=recipe, record={**record, **fields}, name=name)
    if sample:
        (run.samples_folder / "final-1.txt").write_text(sample, encoding="utf-8")
    if picture:
        (run.samples_folder / "confusion matrix.png").write_bytes(PNG)
    run.complete()
    return run


def invoke(*arguments):
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout, result.stderr, result.exception


def test_entry_has_what_one_would_write_down(folder):
    run = make(picture=True)
    add_note(run, "fours look like nines", hours=1.5)
    add_note(run, "", hours=0.5)
    write_journal(folder / "journal.md")
    text = (folder / "journal.md").read_text("utf-8")
    for part in (
        "Handwritten digits (chapter 2) · digits-1",
        "| data | mnist-5k |",
        "| machine | Some CPU, 2 cores |",
        "| settings | model dense (instead of convnet), epochs 8 |",
        "| training | 500 steps, 8 epochs in 24.0 s |",
        # 500 steps are 8 epochs, and a step takes 0.04 s.
        "| seconds per epoch | 2.5 s |",
        "| forecast and actual | 30.0 s (20.0 s – 45.0 s) expected; it took 33.0 s |",
        "| held-out score | 97.9 % accuracy, loss 0.07000 |",
        "| time spent | 33.0 s of the machine's, 2 h of yours |",
        "](runs/digits-1/samples/confusion%20matrix.png)",
        "> fours look like nines",
        "Together: 1 run, 33.0 s of the machine's time, 2 h of yours.",
    ):
        assert part in text


def test_own_words_stay_and_new_runs_come_below(folder):
    make()
    journal = folder / "journal.md"
    write_journal(journal)
    journal.write_text(journal.read_text("utf-8") + "\n## What I learned\n\nA lot.\n", "utf-8")
    make(name="digits-2", created="2026-12-01T20:00:00+00:00")
    written = write_journal(journal)
    text = journal.read_text("utf-8")
    assert written.problems == ()
    assert text.index("digits-1 ") < text.index("A lot.") < text.index("· digits-2")
    write_journal(journal)
    assert journal.read_text("utf-8") == text


def test_run_copied_from_a_friend_works_as_ones_own(folder):
    run = make(machine="A friend's GPU")
    add_note(run, "ran at night", hours=1)
    friend = folder / "elsewhere"
    shutil.copytree(run.path, friend / "digits-1")
    shutil.rmtree(run.path)
    shutil.copytree(friend / "digits-1", folder / "runs" / "annas-digits")
    code, out, _, _ = invoke("journal", "--json")
    (entry,) = json.loads(out)["runs"]
    assert code == 0
    assert (entry["name"], entry["machine"], entry["hours"]) == ("annas-digits", "A friend's GPU", 1.0)
    assert invoke("note", "annas-digits", "thank you")[0] == 0
    Run.open(folder / "runs" / "annas-digits").verify()
    assert "thank you" in (invoke("note", "annas-digits")[1])


def test_run_that_was_renamed_keeps_its_place_and_one_that_is_gone_its_entry(folder):
    run = make(name="first one")
    journal = folder / "journal.md"
    write_journal(journal)
    journal.write_text(journal.read_text("utf-8") + "\nbelow the first\n", "utf-8")
    run.path.rename(folder / "runs" / "renamed")
    assert write_journal(journal).gone == ()
    assert "· renamed" in journal.read_text("utf-8") and "· first one" not in journal.read_text("utf-8")
    shutil.rmtree(folder / "runs" / "renamed")
    assert write_journal(journal).gone == ("first one",)
    assert "· renamed" in journal.read_text("utf-8")


def test_damaged_run_is_said_and_its_entry_stays(folder):
    run = make()
    journal = folder / "journal.md"
    write_journal(journal)
    (run.path / "run.json").write_text("{")
    written = write_journal(journal)
    assert any("run.json" in problem for problem in written.problems)
    assert written.gone == () and "97.9 %" in journal.read_text("utf-8")


def test_words_of_others_are_nothing_but_text(folder):
    evil = "<script>alert(1)</script>\n<!-- openbook end -->\n<!-- openbook run a b 01234567 -->\n"
    evil += "| a | [x](javascript:1)"
    run = make(sample=evil, machine=evil, data={"source": "a|b*c", "fingerprint": ""})
    add_note(run, evil)
    journal = folder / "journal.md"
    for _ in range(2):
        written = write_journal(journal, html=folder / "journal.html")
        assert written.problems == () and written.gone == ()
    page = (folder / "journal.html").read_text("utf-8")
    assert "<script" not in page and 'href="javascript' not in page
    assert "&lt;script&gt;alert(1)" in page


class Page(html.parser.HTMLParser):
    """Collects what a page loads, its headings and its pictures' words."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.headings, self.words, self.attributes = [], [], [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.attributes.setdefault(tag, []).append(found)
        self.addresses += [found[name] for name in ("src", "href") if name in found]
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)
        if tag == "img":
            self.words.append(found.get("alt"))


def test_page_is_one_file_that_can_be_read_without_seeing(folder):
    make(picture=True)
    (folder / "own.png").write_bytes(PNG)
    journal = folder / "journal.md"
    write_journal(journal)
    own = "\n![my drawing](own.png)\n\n![far away](https://example.org/x.png)\n\n![not here](nothing.png)\n"
    journal.write_text(journal.read_text("utf-8") + own, "utf-8")
    code, out, _, _ = invoke("journal", "--html")
    assert code == 0 and "journal.html" in out
    page = Page((folder / "journal.html").read_text("utf-8"))
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)
    assert page.words == ["confusion matrix of digits-1", "my drawing"]
    assert page.headings[0] == "h1" and set(page.headings[1:]) == {"h2"}
    assert page.attributes["html"] == [{"lang": "en"}]
    assert all(cell.get("scope") == "col" for cell in page.attributes["th"])
    assert "far away: https://example.org/x.png" in (folder / "journal.html").read_text("utf-8")


def test_page_shows_no_marks_of_ours():
    assert "openbook" not in to_html(
        "# A\n<!-- openbook run a b 01234567 -->\nx\n<!-- openbook end -->\n", None
    )


def test_facts_in_the_journal_are_those_of_the_run(folder):
    run = make(name="digits--x--")
    write_journal(folder / "journal.md")
    text = (folder / "journal.md").read_text("utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("<!-- openbook facts")]
    facts = line.removeprefix("<!-- openbook facts ").removesuffix(" -->")
    assert "--" not in facts and ">" not in facts
    back, entry = Entry.from_json(facts), entry_of(run)
    assert (back.key, back.epoch_s, back.machine, back.score) == (
        entry.key,
        entry.epoch_s,
        entry.machine,
        entry.score,
    )


def test_file_that_is_no_text_is_left_as_it_is(folder):
    journal = folder / "journal.md"
    journal.write_bytes(b"\xff\xfe\x00nonsense\x80")
    with pytest.raises(DataError, match="no text in UTF-8"):
        write_journal(journal)
    assert journal.read_bytes() == b"\xff\xfe\x00nonsense\x80"
    with pytest.raises(UsageError, match=r"ends with \.md"):
        write_journal(folder / "journal.docx")


def test_nonsense_is_said_on_the_command_line(folder):
    make()
    invoke("journal")
    journal = folder / "journal.md"
    journal.write_text(journal.read_text("utf-8").replace("| data | mnist-5k |", "asdf jkl"), "utf-8")
    code, _, errors, _ = invoke("journal")
    assert code == 0
    assert "words were written into openbook's part; they are kept below it" in errors
    assert "asdf jkl" in journal.read_text("utf-8")


def test_no_runs_is_friendly(folder):
    code, out, _, _ = invoke("journal")
    assert code == 0 and "no runs yet" in out
    assert (folder / "journal.md").exists()


def test_notes_from_the_command_line(folder):
    make()
    assert "has no notes yet" in str(invoke("note", "last")[3])
    assert json.loads(invoke("note", "last", "seen", "--hours", "0.25", "--json")[1])["hours"] == 0.25
    assert "0.25 h  seen" in invoke("note", "digits-1")[1]
    assert invoke("note", "digits-1", " ")[0] != 0
    assert "no run 'digits-9'" in str(invoke("note", "digits-9", "x")[3])


def test_run_of_a_recipe_that_is_not_known(folder):
    make(recipe="weather-oracle")
    write_journal(folder / "journal.md")
    assert "· weather-oracle · weather-oracle-1" in (folder / "journal.md").read_text("utf-8")
