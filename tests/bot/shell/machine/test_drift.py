from datetime import UTC, datetime, timedelta

from bot.shell.machine.drift import Drift

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Hands:
    """A wall clock and a monotonic one, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.seconds = NOON, 100.0
        self.drift = Drift(lambda: self.wall, lambda: self.seconds)

    def pass_by(self, seconds: float, wall_s: float) -> float | None:
        self.seconds += seconds
        self.wall += timedelta(seconds=wall_s)
        return self.drift.jump_s()


def test_time_that_passes_is_no_jump() -> None:
    assert Hands().pass_by(7200, 7200) is None


def test_a_clock_that_is_set_has_jumped_once_by_that_much() -> None:
    hands = Hands()
    assert hands.pass_by(5, 3605) == 3600
    assert hands.pass_by(5, 5) is None
    assert hands.pass_by(5, -3595) == -3600


def test_a_machine_that_slept_has_jumped_ahead() -> None:
    assert Hands().pass_by(0, 28800) == 28800


def test_a_clock_that_is_slowly_put_right_never_jumps() -> None:
    hands = Hands()
    assert [hands.pass_by(5, 5.0025) for _ in range(1000)] == [None] * 1000
