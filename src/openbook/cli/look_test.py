"""`openbook look` as a process: the address, Ctrl-C, the page as a file, models that are refused."""

import json
import os
import pickle
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import keras
import numpy as np
import pytest

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    inputs = keras.Input((3,), name="numbers")
    model = keras.Model(inputs, keras.layers.Dense(2, name="sums")(inputs), name="small")
    path = tmp_path_factory.mktemp("look") / "small.keras"
    model.save(path)
    return path


def start(*words, folder):
    environment = {
        **os.environ,
        "OPENBOOK_CACHE": str(folder / "cache"),
        "OPENBOOK_RUNS": str(folder / "runs"),
    }
    command = [sys.executable, "-m", "openbook", "look", *map(str, words)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_one_line_tells_the_address_and_ctrl_c_ends_it_cleanly(model_path, tmp_path):
    process = start(model_path, "--no-browser", "--json", folder=tmp_path)
    url = json.loads(process.stdout.readline())["url"]
    assert url.startswith("http://127.0.0.1:")
    state = json.load(urllib.request.urlopen(f"{url}api/state"))
    assert state["models"][0]["title"] == "small.keras"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url.rsplit("/", 2)[0] + "/another-token/api/state")
    # An open stream of events does not hold up the end.
    body = json.dumps({"input": {"kind": "arrays", "arrays": {"numbers": [1, 2, 3]}}, "mode": "forward"})
    stream = urllib.request.urlopen(
        urllib.request.Request(f"{url}api/models/small.keras/traces", data=body.encode())
    )
    assert stream.readline().startswith(b"event: ")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_port_that_is_taken_is_said_in_a_sentence(model_path, tmp_path):
    first = start(model_path, "--no-browser", "--json", folder=tmp_path)
    try:
        url = json.loads(first.stdout.readline())["url"]
        port = url.split(":")[2].split("/")[0]
        second = start(model_path, "--no-browser", "--port", port, folder=tmp_path)
        _, err = second.communicate(timeout=60)
        assert second.returncode == 2
        assert f"port {port} cannot be used" in err
    finally:
        first.kill()
        first.communicate()


class Exploit:
    def __reduce__(self):
        return (os.mkdir, ("exploited",))


def test_pickle_with_the_name_of_a_model_runs_nothing(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(pickle.dumps(Exploit()))
    process = start(path, "--no-browser", folder=tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot be read as a Keras model" in err
    assert not os.path.exists("exploited") and not (tmp_path / "exploited").exists()


def test_model_with_code_of_its_own_runs_nothing(tmp_path):
    inputs = keras.Input((3,))
    outputs = keras.layers.Lambda(lambda numbers: numbers * 2)(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "code.keras")
    process = start(tmp_path / "code.keras", "--no-browser", folder=tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "cannot be read as a Keras model" in err
    assert "Traceback" not in err


def test_page_is_written_as_one_file(model_path, tmp_path):
    from openbook.page.app import STATIC_FOLDER

    if not (STATIC_FOLDER / "index.html").exists():
        pytest.skip("the page is not built here: make page")
    np.save(tmp_path / "numbers.npy", np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    target = tmp_path / "page.html"
    process = start(
        model_path, "--html", target, "--input", tmp_path / "numbers.npy", "--json", folder=tmp_path
    )
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    written = json.loads(out)
    assert written["path"] == str(target)
    assert written["size_bytes"] == target.stat().st_size


def test_several_arrays_for_a_file_are_refused(model_path, tmp_path):
    process = start(model_path, "--input", "[[1,2,3]]", "--input", "[[1,2,3]]", folder=tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "one --input" in err
