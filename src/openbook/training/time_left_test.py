"""The time left: the forecast at first, what was seen later."""

from openbook.training.time_left import TimeLeft


def test_forecast_of_scores_and_end_is_counted():
    left = TimeLeft({"held_out": 8.0, "finish": 10.0})
    assert left.after(100.0, num_evaluations=3) == 100.0 + 4 * 2.0 + 10.0
    assert left.after(0.0, num_evaluations=0) == 2.0 + 10.0


def test_measured_score_corrects_those_to_come_and_the_end():
    left = TimeLeft({"held_out": 8.0, "finish": 10.0})
    left.evaluation_taken(4.0)
    assert left.after(50.0, num_evaluations=2) == 50.0 + 3 * 4.0 + 10.0, "the first compiles as well"
    left.evaluation_taken(2.0)
    assert left.after(20.0, num_evaluations=1) == 20.0 + 2 * 2.0 + 5.0


def test_without_a_forecast_only_what_was_seen_counts():
    left = TimeLeft({})
    assert left.after(50.0, num_evaluations=3) == 50.0
    left.evaluation_taken(4.0)
    assert left.after(50.0, num_evaluations=1) == 58.0
    assert left.after(None, num_evaluations=1) is None
