"""The files that every project has, from a run and what its recipe brings."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path
from typing import Any

from openbook.projects.filling import filled, filled_text, has_template
from openbook.projects.keras_source import model_module
from openbook.projects.pieces import GOALS, Pieces
from openbook.projects.scripts import importable
from openbook.runs import Run
from openbook.saved_models import load_model
from openbook.training.checkpoint import load_latest
from openbook.training.schedule import Schedule

RUN_MODEL = "run.keras"


def project_files(run: Run, pieces: Pieces, *, title: str) -> dict[str, str]:
    """All texts of a project by name, in the order of reading."""
    shape = _schedule_of(run).shape
    checked = tuple(row["step"] for row in run.metrics() if "held_out" in row)
    kind = "tokens" if pieces.goal == "tokens" else "examples"
    muon = "muon" if "muon" in pieces.parts else "not_muon"
    single = () if "folds" in pieces.parts else ("single",)
    parts = (*pieces.parts, shape, pieces.goal, kind, *single, *(["trained"] if checked else []), muon)
    return {
        "README.md": filled_text("common/README.md", _readme(run, pieces, title)),
        "data.py": filled(f"{pieces.template}/data.py", constants=pieces.constants, parts=parts),
        "model.py": pieces.model or model_module(load_model(run.model_path), made_first=pieces.made_first),
        "train.py": filled("common/train.py", constants=_settings(run, pieces, checked), parts=parts),
        "evaluate.py": filled("common/evaluate.py", constants={}),
        "predict.py": filled(_predict_template(pieces), constants={}),
        "test_project.py": filled("common/test_project.py", constants={}, parts=parts),
        "requirements.txt": _requirements(run, pieces.packages),
    }


def _predict_template(pieces: Pieces) -> str:
    """A recipe's own, where it has one."""
    own = f"{pieces.template}/predict.py"
    return own if has_template(own) else "common/predict.py"


def save_run_model(run: Run, folder: Path) -> None:
    """The project's own network with the weights of the run, as `run.keras`."""
    # Made by the project's source: the file then names its layers, and not openbook's.
    with importable(folder):
        model = importlib.import_module("model").build_model()
    weights = load_model(run.model_path).get_weights()
    # Where a backbone comes before it, the network is the end of the run's.
    model.set_weights(weights[len(weights) - len(model.weights) :])
    model.save(folder / RUN_MODEL)


def _settings(run: Run, pieces: Pieces, checked: tuple[int, ...]) -> dict[str, Any]:
    settings = run.section("settings")
    schedule = _schedule_of(run)
    goal = GOALS[pieces.goal]
    return {
        "SEED": settings["seed"],
        "BATCH_SIZE": settings["batch_size"],
        "LEARNING_RATE": settings["learning_rate"],
        "WEIGHT_DECAY": settings["weight_decay"],
        "CHECKED_STEPS": checked,
        "CHOSEN_BY": goal.chosen_by,
        "NUM_STEPS": _num_steps(run),
        **({} if schedule.shape == "constant" else {"WARM_UP_SHARE": schedule.warm_up_share}),
        **({"DECAY_SHARE": schedule.decay_share} if schedule.shape == "trapezoid" else {}),
        "RUN_SCORE": {name: float(f"{value:.6g}") for name, value in _held_out(run, pieces).items()},
        "COMPARED": goal.compared,
        "TOLERANCE": float(f"{pieces.tolerance:.3g}"),
        **pieces.train_constants,
    }


def _held_out(run: Run, pieces: Pieces) -> dict[str, float]:
    """The run's score on its test examples; where it had folds, that stands under names of its own."""
    score = run.section("score")
    prefix = "held_out_" if pieces.fold_score else ""
    return {name: float(score[f"{prefix}{name}"]) for name in GOALS[pieces.goal].score}


def _schedule_of(run: Run) -> Schedule:
    settings = run.section("settings")
    given = {name: settings[name] for name in ("warm_up_share", "decay_share") if name in settings}
    return Schedule(peak=1.0, shape=str(settings.get("schedule") or Schedule(peak=1.0).shape), **given)


def _readme(run: Run, pieces: Pieces, title: str) -> dict[str, str]:
    settings = run.section("settings")
    compared = GOALS[pieces.goal].compared
    has_budget = settings.get("steps") is None and settings.get("epochs") is None
    budget_note = (
        " The run was trained for a time, so its learning rate followed the clock and differs a little from "
        "the one here."
        if has_budget
        else ""
    )
    return {
        "title": title,
        "about": pieces.about,
        "run": run.name,
        "given": pieces.given,
        "data": pieces.data,
        "data_note": pieces.data_note,
        "examples": pieces.examples,
        "score": f"{compared} {_held_out(run, pieces)[compared]:.4g}",
        "compared": compared,
        "num_test": f"{pieces.num_test:,}",
        "tolerance_words": pieces.tolerance_words,
        "tolerance": f"{pieces.tolerance:.3g}",
        "own_data": pieces.own_data,
        "notes": budget_note + pieces.notes,
    }


def _num_steps(run: Run) -> int:
    """The length that was planned; a run may have ended earlier."""
    latest = load_latest(run.checkpoints)
    if latest is not None and latest[1].num_steps:
        return latest[1].num_steps
    return int(run.section("settings").get("steps") or run.section("actual")["steps"])


def _requirements(run: Run, packages: tuple[str, ...]) -> str:
    versions = dict(run.record["versions"])
    pinned = [f"{name}=={versions[name]}" for name in ("jax", "jaxlib", "keras", "numpy")]
    pinned += [f"{name}=={importlib.metadata.version(name)}" for name in packages]
    return "\n".join([*sorted(pinned), "pytest>=9"]) + "\n"
