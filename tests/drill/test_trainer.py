"""The drill itself, twice: what `make drill-trainer` does a hundred times."""

from pathlib import Path

import pytest

from .kills import planned
from .trainer import Drill, undergo


def test_a_kills_moment_follows_from_seed_and_number() -> None:
    moments = [planned(0, number) for number in range(100)]
    assert moments == [planned(0, number) for number in range(100)]
    assert {kill.when for kill in moments} == {"loading", "working", "saving"}
    assert planned(1, 0) != moments[0]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_killed_twice_comes_to_the_bits_of_an_undisturbed_one(tmp_path: Path) -> None:
    drill = Drill.of(tmp_path, epochs=4)
    assert list(undergo(drill, kills=2, seed=3)) == [1, 2]
    assert [row["number"] for row in drill.rows()] == [0, 1]
