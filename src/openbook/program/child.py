"""Reading a model of another backend: saved, run under JAX in a child process, and handed back as a trace."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys
import tempfile
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.program import Program, Step
from openbook.program.reading import Reading
from openbook.program.roles import Roles
from openbook.program.trace import Trace


def trace_in_child(model: Any, inputs: Any, *, training: bool, limit_bytes: int) -> Trace:
    """As `trace_model`, for a model of another backend; all values are kept."""
    return _run(model, {"inputs": inputs, "training": training})


def trace_step_in_child(model: Any, inputs: Any, targets: Any, *, loss: Any, optimizer: Any) -> Trace:
    """As a training step's trace, for a model of another backend."""
    import keras

    request = {
        "inputs": inputs,
        "targets": targets,
        "loss": loss if isinstance(loss, str) or loss is None else keras.losses.serialize(loss),
        "optimizer": optimizer
        if isinstance(optimizer, str) or optimizer is None
        else keras.optimizers.serialize(optimizer),
    }
    return _run(model, request)


def _run(model: Any, request: Mapping[str, Any]) -> Trace:
    with tempfile.TemporaryDirectory(prefix="openbook-") as folder:
        model.save(Path(folder) / "model.keras")
        (Path(folder) / "request.pickle").write_bytes(pickle.dumps(request))
        environment = {**os.environ, "KERAS_BACKEND": "jax"}
        done = subprocess.run(
            [sys.executable, "-m", "openbook.program.child", folder],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        answer_path = Path(folder) / "answer.pickle"
        if not answer_path.exists():
            reason = next(reversed(done.stderr.strip().splitlines()), "it ended without a word")
            raise ModelError(f"{model.name} could not be read under JAX in a child process: {reason}")
        # Written by our own child a moment ago, in a folder only this user can read.
        answer = pickle.loads(answer_path.read_bytes())
    if "error" in answer:
        raise ModelError(answer["error"])
    program, roles = answer["program"], answer["roles"]
    return Trace(Reading(program, roles, is_captured=True), answer["inputs"], answer["captured"])


def _answer(folder: Path) -> dict[str, Any]:
    import keras

    from openbook.program.model import forward_program, step_program

    request = pickle.loads((folder / "request.pickle").read_bytes())
    try:
        model = keras.saving.load_model(folder / "model.keras", safe_mode=True)
    except (OSError, ValueError, TypeError) as error:
        return {"error": f"the model's file cannot be read under JAX: {str(error).splitlines()[0]}"}
    try:
        if "targets" in request:
            program, roles, arrays = step_program(
                model,
                request["inputs"],
                request["targets"],
                loss=_deserialized(keras.losses, request["loss"]),
                optimizer=_deserialized(keras.optimizers, request["optimizer"]),
            )
        else:
            program, roles, arrays = forward_program(model, request["inputs"], training=request["training"])
    except ModelError as error:
        return {"error": str(error)}
    reading = Reading(program, roles, limit_bytes=sys.maxsize)
    captured = {key: np.asarray(array) for key, array in reading.capture(arrays).items()}
    return {
        "program": _portable(program),
        "roles": _portable_roles(roles),
        "inputs": [np.asarray(array) for array in arrays],
        "captured": captured,
    }


def _deserialized(module: Any, config: Any) -> Any:
    return config if config is None or isinstance(config, str) else module.deserialize(config)


def _portable(program: Program) -> Program:
    """The program without what only JAX can hold; bodies stand for their jaxprs."""

    def portable_step(step: Step) -> Step:
        params = {key: _named(value) for key, value in step.params.items() if _is_portable(_named(value))}
        bodies = tuple(_portable(body) for body in step.bodies)
        return dataclasses.replace(step, params=params, bodies=bodies, jax_primitive=None)

    return dataclasses.replace(program, steps=tuple(portable_step(step) for step in program.steps))


def _named(value: Any) -> Any:
    """A primitive among the parameters of another cannot travel; the table asks its name only."""
    from jax.extend.core import Primitive

    return types.SimpleNamespace(name=value.name) if isinstance(value, Primitive) else value


def _portable_roles(roles: Roles) -> Roles:
    return dataclasses.replace(roles, outputs=dict(roles.outputs), aliases=dict(roles.aliases))


def _is_portable(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - whatever an object of JAX's raises, it cannot travel
        return False
    return True


if __name__ == "__main__":
    _folder = Path(sys.argv[1])
    _content = pickle.dumps(_answer(_folder))
    (_folder / "answer.writing").write_bytes(_content)
    (_folder / "answer.writing").rename(_folder / "answer.pickle")
