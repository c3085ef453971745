"""Watcher hears from us every half hour of a cycle, whatever happens: when the next report is due."""

from datetime import datetime, timedelta

from bot.core.events import Ticked
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.saying import reports
from bot.core.state import Cycle, State, Unread
from bot.core.tracks import plans

MISSED_NAMED = 48
"""A day of half hours: after a longer absence nobody reads more."""


def reported(state: State, event: Ticked, policy: Policy) -> Step:
    due = state.report_due_at
    if state.cycle is None or due is None or event.at < due:
        return state, ()
    after, missed = next_due(state, event.at, policy)
    told = reports.report(state.cycle, event.gauges, event.at, missed, policy)
    cycle, look = plans.look(state.cycle)
    return now(after, cycle=cycle), (*say(reports.with_clock(after, told, event.at, policy)), *look)


def interval(cycle: Cycle, policy: Policy) -> timedelta:
    """How far apart two reports may be: what the operators set, or less where a lesson or PLAN.md says so."""
    if isinstance(cycle.terms, Unread):
        return timedelta(seconds=policy.report_every_s)
    return timedelta(
        seconds=min(policy.report_every_s, 60 * cycle.terms.config.training.report_every_minutes)
    )


def hurried(state: State, at: datetime, policy: Policy) -> State:
    """Reports may be due more often from now on; then the next one is, too."""
    if state.cycle is None or state.report_due_at is None:
        return state
    latest = at + interval(state.cycle, policy)
    return state if state.report_due_at <= latest else now(state, report_due_at=latest)


def next_due(state: State, at: datetime, policy: Policy) -> tuple[State, tuple[datetime, ...]]:
    """What was due until `at` counts as reported; beside it the times that were missed, the newest few."""
    due = state.report_due_at
    if state.cycle is None or due is None or at < due:
        return state, ()
    every = interval(state.cycle, policy)
    passed = (at - due) // every
    missed = tuple(due + every * n for n in range(max(0, passed - MISSED_NAMED), passed))
    return now(state, report_due_at=due + every * (passed + 1)), missed
