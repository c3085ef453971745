"""Recorded runs of the real trainer: causes are found, healthy runs raise no alarm.

Thresholds were chosen by looking at the tuning half; what is asserted of the detectors is the other half's.
A threshold that is moved because something here fails is tuned by what counts: other runs are counted then.
"""

import pytest

from benches.histories.plants import PLANTS
from benches.histories.recording import HEALTHY, Recording, recordings
from benches.histories.table import row_of, rows, table

RECORDED = list(recordings())
COUNTED = [run for run in RECORDED if run.half == "counted"]


def planted(runs: list[Recording]) -> list[Recording]:
    return [run for run in runs if run.cause != HEALTHY]


def healthy(runs: list[Recording]) -> list[Recording]:
    return [run for run in runs if run.cause == HEALTHY]


def test_there_are_twelve_real_causes_and_ten_healthy_runs_that_were_never_tuned_by() -> None:
    assert {run.cause for run in planted(COUNTED)} == set(PLANTS)
    assert len({run.cause for run in planted(COUNTED) if run.real}) >= 12
    assert len(healthy(COUNTED)) == 10
    assert len(healthy(RECORDED)) >= 20
    assert {run.seed for run in COUNTED}.isdisjoint(run.seed for run in RECORDED if run.half == "tuning")


@pytest.mark.parametrize("run", planted(COUNTED), ids=lambda run: run.name)
def test_a_planted_cause_is_found(run: Recording) -> None:
    row = row_of(run)
    assert row.fact in PLANTS[run.cause].facts
    assert row.within is not None
    assert row.within <= run.epochs - run.planted_at


@pytest.mark.parametrize("run", healthy(COUNTED), ids=lambda run: run.name)
def test_a_healthy_run_raises_no_alarm(run: Recording) -> None:
    assert run.told() == {}


def test_the_table_has_a_line_for_each_cause_and_a_sum() -> None:
    lines = table(rows("counted"))
    assert len(lines) == 2 + len(planted(COUNTED)) + 2
    assert lines[-2:] == ["healthy runs: 10, false alarms: none", "causes: 16, found: 16"]


def test_a_recording_is_small_and_comes_back_as_it_was(tmp_path) -> None:
    run = COUNTED[0]
    run.save(tmp_path)
    saved = tmp_path / f"{run.name}.json.gz"
    assert Recording.load(saved) == run
    assert saved.stat().st_size < 32_000
