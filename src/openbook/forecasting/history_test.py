"""What earlier runs say: same steps first, other machines and broken records not at all."""

import dataclasses

import pytest

from openbook.forecasting.history import History, PastRun, history_of


class Recorded:
    """A finished run as `openbook.runs` shows it."""

    def __init__(
        self, name, *, machine="here", program=None, predicted=None, actual=None, is_complete=True, **extra
    ):
        self.name, self.recipe, self.is_complete = name, "dense", is_complete
        self._sections = {
            "forecast": {
                "machine_identity": machine,
                "program": program or {"units": 128},
                "from_profile": predicted or {"step": 1.0, "finish": 4.0, "memory": 1e9},
                **extra,
            },
            "actual": actual or {"phases": {"finish": 8.0}, "step_s": 1.5, "memory_bytes": 1.1e9},
        }

    def section(self, name):
        return self._sections.get(name, {})


def history(*runs, settings=None):
    return history_of(runs, recipe="dense", settings=settings or {"units": 128}, machine="here")


def test_nothing_known_corrects_nothing():
    assert History().correction("step").factor == 1.0
    assert not history().same


def test_the_same_steps_correct_nearly_in_full():
    found = history(Recorded("first"))
    assert [run.name for run in found.same] == ["first"]
    assert found.correction("step").factor == pytest.approx(1.5, rel=0.02)
    assert found.correction("finish").factor == pytest.approx(2.0, rel=0.02)
    assert found.correction("memory").factor == pytest.approx(1.1, rel=0.02)
    assert found.correction("step").spread < History().correction("step").spread


def test_another_program_of_the_recipe_counts_less():
    other = history(Recorded("other", program={"units": 64}))
    same = history(Recorded("same"))
    assert not other.same
    assert 1.0 < other.correction("step").factor < same.correction("step").factor


def test_runs_that_disagree_widen_the_range():
    fast = Recorded("fast", actual={"phases": {}, "step_s": 0.7})
    slow = Recorded("slow", actual={"phases": {}, "step_s": 1.4})
    assert history(fast, slow).correction("step").spread > history(fast, fast).correction("step").spread
    assert history(fast, slow).correction("step").factor == pytest.approx((0.7 * 1.4) ** 0.5, rel=0.02)


def test_other_machines_and_unfinished_runs_do_not_count():
    runs = (
        Recorded("elsewhere", machine="there"),
        Recorded("stopped", is_complete=False),
        Recorded("resumed", is_whole=False),
        Recorded("old", predicted="none"),
    )
    assert history(*runs) == History()


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), None, "much", True])
def test_what_is_no_time_is_left_out(value):
    damaged = Recorded("damaged", actual={"phases": {"finish": value}, "step_s": value})
    assert history(damaged).correction("finish").factor == 1.0
    assert history(damaged).correction("step").factor == 1.0


def test_one_stray_run_cannot_correct_beyond_measure():
    stray = PastRun(name="stray", is_same=True, predicted={"step": 1.0}, actual={"step": 1000.0})
    assert History(runs=(stray,)).correction("step").factor <= 8.0
    assert dataclasses.replace(stray, name="again") != stray
