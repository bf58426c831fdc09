"""The ratios of the text generator's benchmark, on rows whose ratios are known."""

import pytest

from bench.text_generator import _windows
from bench.text_ratios import has_stopped, ratios


def book(arm, seed, *scores, epoch_s=100.0):
    epochs = [
        {"epoch": n, "train_s": n * epoch_s, "total_s": n * epoch_s + 10, "bits_per_byte": score}
        for n, score in enumerate(scores, 1)
    ]
    return {"key": {"arm": arm, "seed": seed}, "epochs": epochs}


def ours(seed, budget_s, score):
    key = {"arm": "openbook", "seed": seed, "budget_s": budget_s}
    return {"key": key, "train_s": budget_s, "total_s": budget_s + 10, "bits_per_byte": score}


def test_the_shortest_run_that_is_as_good_counts():
    rows = [
        book("published", 0, 2.0, 1.8, 1.9, 1.9, 1.9),
        ours(0, 10, 1.95),
        ours(0, 20, 1.8),
        ours(0, 40, 1.7),
    ]
    first, second, third, _, _, best, all_epochs = ratios(rows)
    assert first["ratio_train"] == pytest.approx(100 / 10)
    assert first["ratio_total"] == pytest.approx(110 / 20)
    assert second["ratio_train"] == pytest.approx(200 / 20)
    assert third["ratio_train"] == pytest.approx(300 / 20)
    assert best["is_best"]
    assert best["book_epoch"] == 2
    assert all_epochs["book_s"] == pytest.approx(200 * 100)
    assert all_epochs["ratio_train"] == pytest.approx(200 * 100 / 20)


def test_medians_over_seeds_and_no_ratio_where_one_seed_falls_short():
    rows = [book("strongest", seed, score) for seed, score in enumerate((1.8, 1.9, 2.0))]
    rows += [ours(seed, 10 * (seed + 1), 1.85) for seed in range(3)]
    first, *_ = ratios(rows)
    assert first["bits_per_byte"] == pytest.approx(1.9)
    assert first["openbook_train_s"] == pytest.approx(20)
    assert first["spread_train_s"] == [10, 30]
    assert "ratio_train" not in ratios([*rows[:5], ours(2, 30, 1.95)])[0]
    # One epoch is not the best of many.
    assert not any(row.get("is_best") for row in ratios(rows))


def test_book_stops_when_it_becomes_no_better():
    epochs = [{"epoch": n, "bits_per_byte": score} for n, score in enumerate((2.0, 1.9, 1.95, 1.94, 1.93), 1)]
    assert has_stopped(epochs)
    assert not has_stopped(epochs[:4])


@pytest.mark.parametrize("length", [2, 9, 10, 13, 30])
def test_windows_cover_every_target_once(length):
    ids, context = list(range(length)), 8
    covered = []
    for window, num_seen in _windows(ids, context):
        assert 2 <= len(window) <= context + 1
        covered += window[1 + num_seen :]
    assert covered == ids[1:]
