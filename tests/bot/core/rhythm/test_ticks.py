"""The daemon sleeps until the earliest thing that is due."""

from bot.core.policy import Policy
from bot.core.rhythm import ticks
from protocol.messages import (
    Lesson,
)


def test_the_next_wake_is_the_earliest_thing_due(training) -> None:
    assert ticks.wake_at(training.state, training.policy) == training.state.report_due_at
    training.job_ends(None)
    assert ticks.wake_at(training.state, training.policy) == training.cycle.run.until


def test_idle_and_patient_states_ask_for_no_early_wake(play, stage_class) -> None:
    assert ticks.wake_at(play.state, play.policy) is None
    hasty = stage_class(Policy(approval="notice", notice_grace_s=60))
    hasty.watcher_hands_over(Lesson(category="학습", text="OOM"))
    hasty.terms_are_read()
    woken = ticks.wake_at(hasty.state, hasty.policy)
    assert (woken - hasty.cycle.proposal.since).total_seconds() == 60
