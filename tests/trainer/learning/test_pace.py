"""When a line is due, and what it promises."""

from dataclasses import dataclass

from trainer.learning.pace import LINE_EVERY_S, PATIENCE_S, Pace


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_is_due_once_in_its_time() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert not pace.something_due()
    clock.now += LINE_EVERY_S
    assert pace.line_due()
    pace.said()
    assert not pace.line_due()


def test_a_resume_point_is_due_some_time_after_any_save() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += pace.resume_point_every_s
    assert pace.resume_point_due()
    pace.saving()
    assert not pace.resume_point_due()


def test_the_rate_counts_steps_and_not_saves() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.eta_s(100) is None
    assert pace.share(0.0) is None
    for _ in range(2):
        clock.now += 0.5
        pace.stepped(8)
        clock.now += 60
        pace.stood_still(started_at=clock.now - 60)
    assert pace.samples_per_s == 16
    assert pace.eta_s(160) == 10
    assert pace.share(0.25) == 0.25
    assert pace.stood_still_s == 120


def test_what_came_before_the_first_step_is_no_step() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += 200  # a recipe was looked for
    pace.begins()
    clock.now += 0.5
    pace.stepped(8)
    assert pace.slowest_step_s == 0.5
    assert pace.samples_per_s == 16


def test_a_promise_covers_the_slowest_save_and_step_seen() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += 7
    pace.stepped(8)
    clock.now += 100
    pace.saved(started_at=clock.now - 100)
    assert pace.promise_s >= PATIENCE_S + LINE_EVERY_S + 7 + 100


def test_one_long_pause_does_not_let_each_later_step_take_as_long() -> None:
    """The machine stood still for ten minutes: a trainer that hangs afterwards is found within the hour."""
    clock = Clock()
    pace = Pace(clock)
    for seconds in (*[1.0] * 500, 600.0, *[1.0] * 500):
        clock.now += seconds
        pace.stepped(8)
    assert 600 < pace.promise_s < 1800
