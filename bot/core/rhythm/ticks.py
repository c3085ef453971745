"""What a moment brings that somebody waited for, and which moment is the next."""

from datetime import datetime

from bot.core.channel import listening
from bot.core.events import Ticked
from bot.core.moves import Step, now
from bot.core.policy import Policy
from bot.core.rhythm import cadence, unanswered
from bot.core.state import Cooling, State
from bot.core.tracks import insights, run


def ticked(state: State, event: Ticked, policy: Policy) -> Step:
    state, heard = listening.due(state, event, policy)
    if state.cycle is None:
        return state, heard
    cycle, cooled = run.cooled(state.cycle, event.at)
    state, graced = unanswered.grace_over(now(state, cycle=cycle), event.at, policy)
    state, told = unanswered.operators_told(state, event.at, policy)
    state, reported = cadence.reported(state, event, policy)
    return state, (*heard, *cooled, *graced, *told, *reported)


def wake_at(state: State, policy: Policy) -> datetime | None:
    """The next moment something is due, if any is."""
    moments = [one.due_at for one in state.open_messages]
    if state.report_due_at:
        moments.append(state.report_due_at)
    cycle = state.cycle
    if cycle and isinstance(cycle.run, Cooling):
        moments.append(cycle.run.until)
    if cycle and (due := unanswered.grace_until(cycle, policy)):
        moments.append(due)
    if cycle and (due := unanswered.operators_due(cycle, policy)):
        moments.append(due)
    if cycle and (due := insights.due_at(cycle)):
        moments.append(due)
    return min(moments, default=None)
