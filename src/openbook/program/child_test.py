"""A process whose Keras runs on another backend gets the same trace from a child on JAX."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

_CODE = """
import json, sys
import keras, numpy as np
assert keras.backend.backend() == "numpy"
import openbook
from openbook.errors import OpenbookError

L = keras.layers
convolution = [L.Reshape((5, 3, 1)), L.Conv2D(3, 2), L.MaxPooling2D(2, 1), L.Reshape((3, 3))]
layers = [*convolution, L.LSTM(4), L.Dropout(0.2, seed=1), L.Dense(2, activation="softmax")]
model = keras.Sequential([keras.Input((5, 3)), *layers])
for number, variable in enumerate(model.trainable_variables):
    variable.assign(np.random.default_rng(number).normal(size=variable.shape))
inputs = np.random.default_rng(9).normal(size=(2, 5, 3)).astype("float32")
trace = openbook.trace(model, inputs)
explanation = trace.explain("output", (1, 0))
leaf = explanation
while leaf.terms:
    leaf = leaf.terms[0].operands[0].explain()
loss = "sparse_categorical_crossentropy"
step = openbook.trace_step(model, inputs, np.array([0, 1]), loss=loss, optimizer="adam")
try:
    openbook.trace(model, inputs[:, :2])
    error = ""
except OpenbookError as wrong:
    error = str(wrong)
print(json.dumps({
    "output": trace["output"].tolist(), "expected": np.asarray(model(inputs)).tolist(),
    "evaluated": float(explanation.evaluate()), "leaf": leaf.kind, "names": trace.names(),
    "check": trace.check().largest, "loss": float(step["loss"]), "step_output": step["output"].tolist(),
    "step_check": step.check().largest,
    "error": error, "operations": trace.cost().operations, "step_operations": step.cost().operations,
    "source": openbook.to_numpy(model, inputs),
    "step_source": openbook.to_numpy(
        model, inputs, targets=np.array([0, 1]), step=True, loss=loss, optimizer="adam"
    ),
}))
"""


@pytest.mark.long
def test_model_of_another_backend_gets_the_same_trace():
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}
    done = subprocess.run(
        [sys.executable, "-c", _CODE], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    np.testing.assert_allclose(answer["output"], answer["expected"], rtol=1e-5)
    assert answer["evaluated"] == pytest.approx(answer["output"][1][0], rel=1e-5)
    assert answer["leaf"] in ("input", "weight", "constant")
    assert answer["check"] < 1e-5
    assert answer["step_check"] < 1e-5
    probabilities = [answer["step_output"][0][0], answer["step_output"][1][1]]
    assert answer["loss"] == pytest.approx(-np.mean(np.log(probabilities)), rel=1e-5)
    assert "(any, 5, 3)" in answer["error"]
    assert answer["step_operations"] > answer["operations"] > 0
    assert "def forward" in answer["source"]
    assert "def training_step" in answer["step_source"]
