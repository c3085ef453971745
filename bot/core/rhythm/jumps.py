"""The clock jumped: what was due stays as far away as it was, and Watcher hears why times do not fit.

After a jump ahead what has become due meanwhile is late, and said to be; after one back nothing may wait
for a moment that is suddenly hours away. How long somebody had to answer is never counted by a jump.
"""

from datetime import datetime, timedelta

from bot.core.channel.listening import LONGEST_OPEN_S
from bot.core.events import ClockJumped
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.rhythm import cadence
from bot.core.saying import reports
from bot.core.state import Cooling, Cycle, Jumped, State


def jumped(state: State, event: ClockJumped, policy: Policy) -> Step:
    by = timedelta(seconds=event.by_s)
    shifted = now(_answered_shifted(state, by), jumped=Jumped(by_s=event.by_s, at=event.at))
    if event.by_s < 0:
        shifted = _dues_shifted(shifted, by)
    if shifted.cycle is None:
        return shifted, ()
    after, missed = cadence.next_due(shifted, event.at, policy)
    told = reports.report(shifted.cycle, event.gauges, event.at, missed, policy)
    return after, say(reports.with_clock(after, told, event.at, policy))


def clamped(state: State, at: datetime, policy: Policy) -> State:
    """For a clock that was put back while nobody looked: nothing is due later than it can be, and nothing was
    said in the future."""
    due = state.report_due_at
    soon = at + timedelta(seconds=LONGEST_OPEN_S)
    return now(
        state,
        report_due_at=due and min(due, at + timedelta(seconds=policy.report_every_s)),
        open_messages=tuple(now(one, due_at=min(one.due_at, soon)) for one in state.open_messages),
        answered=tuple(now(one, at=min(one.at, at)) for one in state.answered),
        cycle=_clamped_cycle(state.cycle, at, policy),
    )


def _clamped_cycle(cycle: Cycle | None, at: datetime, policy: Policy) -> Cycle | None:
    if cycle and cycle.proposal:
        cycle = now(cycle, proposal=now(cycle.proposal, since=min(cycle.proposal.since, at)))
    if cycle and cycle.untold:
        cycle = now(cycle, untold=now(cycle.untold, since=min(cycle.untold.since, at)))
    match cycle:
        case Cycle(run=Cooling(until=until, tries=tries) as run):
            latest = at + timedelta(seconds=policy.pause_s(tries))
            return now(cycle, run=now(run, until=min(until, latest)))
        case _:
            return cycle


def _answered_shifted(state: State, by: timedelta) -> State:
    """What counts how long ago something was said."""
    answered = tuple(now(one, at=one.at + by) for one in state.answered)
    cycle = state.cycle
    if cycle and cycle.proposal:
        proposal = now(cycle.proposal, since=cycle.proposal.since + by)
        cycle = now(cycle, proposal=proposal)
    return now(state, answered=answered, cycle=cycle)


def _dues_shifted(state: State, by: timedelta) -> State:
    opened = tuple(now(one, due_at=one.due_at + by) for one in state.open_messages)
    due = state.report_due_at and state.report_due_at + by
    return now(state, open_messages=opened, report_due_at=due, cycle=_cycle_shifted(state.cycle, by))


def _cycle_shifted(cycle: Cycle | None, by: timedelta) -> Cycle | None:
    if cycle and cycle.untold:
        cycle = now(cycle, untold=now(cycle.untold, since=cycle.untold.since + by))
    match cycle:
        case Cycle(run=Cooling(until=until) as run):
            return now(cycle, run=now(run, until=until + by))
        case _:
            return cycle
