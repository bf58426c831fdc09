"""Tests of reading runs that are damaged, half copied, or copied elsewhere."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openbook.errors import RunError
from openbook.runs import Run

SCORE = {"bits_per_byte": 2.1, "perplexity": 60.5, "accuracy": 0.31, "loss": 4.1}


def make_complete(parent: Path, **fields: object) -> Run:
    record = {"settings": {"size": "tiny"}, "settings_default": {"size": "small"}, "seed": 1, **fields}
    run = Run.create(recipe="text-generator", record=record, parent=parent)
    run.append_metrics({"step": 10, "train_s": 1.5, "loss": 5.0})
    run.append_metrics({"step": 20, "train_s": 3.0, "held_out": SCORE})
    run.model_path.write_bytes(bytes(range(256)) * 400)
    (run.path / "tokenizer.json").write_text("{}")
    (run.checkpoints / "latest").write_bytes(b"checkpoint")
    (run.samples_folder / "final-1.txt").write_text("This movie …", encoding="utf-8")
    run.update(score=SCORE, actual={"train_s": 3.0, "total_s": 5.0, "steps": 20}, kept="last")
    run.complete()
    return run


def damage(run: Run, name: str, change: Callable[[bytes], bytes]) -> None:
    path = run.path / name
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize("name", ["model.keras", "tokenizer.json", "samples/final-1.txt", "metrics.jsonl"])
def test_damage_is_named(tmp_path: Path, name: str) -> None:
    changes: dict[str, Callable[[bytes], bytes]] = {
        "is cut off": lambda content: content[:-1],
        "was changed after the run was complete": lambda content: bytes([content[0] ^ 1]) + content[1:],
        "was changed": lambda content: content + b"x",
    }
    for message, change in changes.items():
        run = make_complete(tmp_path)
        damage(run, name, change)
        with pytest.raises(RunError, match=f"{name}: {message}.*Copy the run again"):
            Run.open(run.path).verify()
    run = make_complete(tmp_path)
    (run.path / name).unlink()
    with pytest.raises(RunError, match=f"{name}: .*missing"):
        Run.open(run.path).verify()


def test_one_file_can_be_checked_alone(tmp_path: Path) -> None:
    run = make_complete(tmp_path)
    damage(run, "model.keras", lambda content: content[:100])
    run.verify("tokenizer.json", "run.json")
    with pytest.raises(RunError, match=r"model\.keras: is cut off: expected 102400 bytes, got 100"):
        run.verify("model.keras")
    with pytest.raises(RunError, match=r"other\.json: is no part of this run"):
        run.verify("other.json")


def test_changed_record_or_metrics_of_a_complete_run_are_noticed_when_read(tmp_path: Path) -> None:
    run = make_complete(tmp_path)
    damage(run, "run.json", lambda content: content.replace(b"2.1", b"1.1"))
    with pytest.raises(RunError, match=r"run\.json: was changed"):
        Run.open(run.path)
    run = make_complete(tmp_path)
    damage(run, "metrics.jsonl", lambda content: content[:-4])
    with pytest.raises(RunError, match=r"metrics\.jsonl: is cut off"):
        Run.open(run.path).metrics()


@pytest.mark.parametrize("name", ["run.json", "manifest.json"])
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_cut_record_or_manifest_is_named(tmp_path: Path, name: str, share: float) -> None:
    run = make_complete(tmp_path)
    damage(run, name, lambda content: content[: int(share * len(content))])
    with pytest.raises(RunError, match=name.replace(".", r"\.")):
        Run.open(run.path)


def test_manifest_that_leads_out_of_the_run_is_refused(tmp_path: Path) -> None:
    run = make_complete(tmp_path)
    manifest = json.loads((run.path / "manifest.json").read_text())
    for name in ("../outside", "/etc/hostname", "a/../../b", "", "a\0b"):
        changed = {**manifest, "files": {**manifest["files"], name: manifest["files"]["run.json"]}}
        (run.path / "manifest.json").write_text(json.dumps(changed))
        with pytest.raises(RunError, match=r"manifest\.json: the entry"):
            Run.open(run.path)


@pytest.mark.parametrize(
    "files", [None, [], {}, {"run.json": 3}, {"run.json": {"size_bytes": "1", "sha256": "a"}}]
)
def test_manifest_of_another_shape_is_refused(tmp_path: Path, files: object) -> None:
    run = make_complete(tmp_path)
    (run.path / "manifest.json").write_text(json.dumps({"files": files}))
    with pytest.raises(RunError, match=r"manifest\.json: .*Copy the run again"):
        Run.open(run.path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"status": "finished"}, "expected a status"),
        ({"recipe": 3}, "expected the recipe's name"),
        ({"settings": [1]}, "expected 'settings' to be an object"),
        ({"score": "good"}, "expected 'score' to be an object"),
        ({"created": "yesterday"}, "expected the time of creation"),
        ({"created": None}, "expected the time of creation"),
        ({"schema_version": "1"}, "expected schema_version 1"),
        ({"schema_version": True}, "expected schema_version 1"),
        ({"schema_version": 2}, "written by a newer openbook.*Upgrade"),
    ],
)
def test_record_with_a_wrong_field_is_named(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    run = Run.create(recipe="gan", record={}, parent=tmp_path)
    (run.path / "run.json").write_text(json.dumps({**run.record, **fields}))
    with pytest.raises(RunError, match=rf"run\.json: .*{message}"):
        Run.open(run.path)


def test_half_copied_runs_are_refused_at_every_point_of_the_copy(tmp_path: Path) -> None:
    run = make_complete(tmp_path / "here")
    files = sorted(path for path in run.path.rglob("*") if path.is_file() and path.name != "latest")
    for num_copied in range(len(files)):
        target = tmp_path / f"copy-{num_copied}"
        for path in files[:num_copied]:
            destination = target / path.relative_to(run.path)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, destination)
        target.mkdir(exist_ok=True)
        with pytest.raises(RunError):
            Run.open(target).verify()


def test_copy_without_its_manifest_says_so(tmp_path: Path) -> None:
    run = make_complete(tmp_path)
    (run.path / "manifest.json").unlink()
    opened = Run.open(run.path)
    assert opened.status == "interrupted"
    with pytest.raises(RunError, match=r"manifest\.json: is missing, though the run says it is complete"):
        opened.verify()


def test_run_works_in_another_folder_under_another_name_on_another_machine(tmp_path: Path) -> None:
    run = make_complete(tmp_path / "here")
    shutil.copytree(run.path, tmp_path / "there" / "copied run", ignore=shutil.ignore_patterns("checkpoints"))
    shutil.rmtree(tmp_path / "here")
    copy = Run.open(tmp_path / "there" / "copied run")
    copy.verify()
    assert copy.name == "copied run"
    assert copy.record["name"] == "text-generator-1"
    assert len(copy.metrics()) == 2
    assert str(tmp_path) not in "".join(
        path.read_text(errors="replace") for path in copy.path.rglob("*.json*")
    )


def test_notes_and_what_file_managers_leave_are_no_damage(tmp_path: Path) -> None:
    run = make_complete(tmp_path)
    for name in (".DS_Store", "notes.txt", "samples/.hidden", "checkpoints/more"):
        (run.path / name).write_text("mine")
    Run.open(run.path).verify()


def test_pipes_and_dangling_links_do_not_hold_up_closing(tmp_path: Path) -> None:
    run = Run.create(recipe="gan", record={}, parent=tmp_path)
    os.mkfifo(run.path / "pipe")
    (run.path / "link").symlink_to(tmp_path / "nowhere")
    run.complete()
    run.verify()


def test_file_that_cannot_be_read_stops_closing_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_complete(tmp_path)
    real_open = Path.open

    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "model.keras":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return real_open(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RunError, match=r"model\.keras: cannot be read to close the run.*Permission denied"):
        run.complete()
    assert not run.is_complete


def test_unfinished_run_is_checked_for_being_readable(tmp_path: Path) -> None:
    run = Run.create(recipe="gan", record={}, parent=tmp_path)
    run.verify()
    (run.path / "metrics.jsonl").unlink()
    with pytest.raises(RunError, match=r"metrics\.jsonl: is missing"):
        run.verify()
