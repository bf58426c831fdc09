"""Training side by side: what is compared, and that a benchmark which was stopped goes on."""

import json

import pytest

from bench.side_by_side import Rows, train_side_by_side

KEY = {"model": "one", "seed": 0}


def book(calls, scores=(0.5, 0.8, 0.7, 0.6, 0.9)):
    for epoch, score in enumerate(scores, 1):
        calls.append(("book", epoch))
        yield epoch, 10.0 * epoch, score


def openbook(calls, length):
    calls.append(("openbook", length))
    return {"train_s": 4.0 * length, "score": min(0.95, 0.4 + 0.2 * length)}


def measure(path, calls, **options):
    train_side_by_side(
        Rows(path, command="python -m bench.some"),
        KEY,
        book=lambda: book(calls, **options),
        openbook=lambda length: openbook(calls, length),
        lengths=(0.5, 1.0, 2.0, 4.0),
        patience=2,
    )
    return json.loads(path.read_text())


def test_the_book_stops_without_progress_and_openbook_when_it_is_as_good(tmp_path):
    calls = []
    found = measure(tmp_path / "some.json", calls)
    assert calls == [("book", epoch) for epoch in (1, 2, 3, 4)] + [
        ("openbook", length) for length in (0.5, 1.0, 2.0)
    ]
    [summary] = found["summary"]
    assert summary["model"] == "one"
    assert summary["best"]["ratio_s"] == pytest.approx(20.0 / 8.0)
    assert summary["best"]["ratio_epochs"] == pytest.approx(2 / 2.0)
    assert [each["openbook_s"] for each in summary["by_epoch"]] == [2.0, 8.0, 8.0, 4.0]


def test_what_is_measured_is_not_measured_again(tmp_path):
    path, calls = tmp_path / "some.json", []
    first = measure(path, calls)
    calls.clear()
    assert measure(path, calls)["summary"] == first["summary"]
    assert calls == []


def test_a_stopped_benchmark_goes_on_with_the_arm_it_was_in(tmp_path):
    path = tmp_path / "some.json"

    def stopped(length):
        if length == 1.0:
            raise KeyboardInterrupt
        return openbook([], length)

    with pytest.raises(KeyboardInterrupt):
        train_side_by_side(
            Rows(path, command="python -m bench.some"),
            KEY,
            book=lambda: book([]),
            openbook=stopped,
            lengths=(0.5, 1.0, 2.0),
            patience=2,
        )
    calls = []
    measure(path, calls)
    assert calls == [("openbook", 1.0), ("openbook", 2.0)]


def test_epochs_of_a_stopped_book_are_trained_again(tmp_path):
    path = tmp_path / "some.json"
    Rows(path, command="").put({**KEY, "arm": "book"}, {"epochs": [{"epoch": 1}], "is_whole": False})
    calls = []
    measure(path, calls)
    assert calls[0] == ("book", 1)


def test_an_arm_that_is_never_as_good_has_no_ratio(tmp_path):
    found = measure(tmp_path / "some.json", [], scores=(0.99,))
    assert found["summary"][0]["best"]["reached"] == 0
    assert "ratio_s" not in found["summary"][0]["best"]


def test_rows_of_another_machine_are_dropped(tmp_path):
    path = tmp_path / "some.json"
    content = measure(path, [])
    path.write_text(json.dumps({**content, "machine": {"label": "another"}}))
    assert list(Rows(path, command="")) == []
