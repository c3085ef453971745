"""A proposal that nobody answers: what silence may approve, and when operators hear of it."""

from datetime import datetime, timedelta

from bot.core.channel import consent
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.saying import replies
from bot.core.state import Cycle, State
from bot.core.tracks.terms import Word
from protocol.messages import Alert


def grace_over(state: State, at: datetime, policy: Policy) -> Step:
    """APPROVAL=notice: silence is consent only where an operator said so in the settings."""
    cycle = state.cycle
    due = cycle and grace_until(cycle, policy)
    if cycle is None or cycle.proposal is None or due is None or at < due:
        return state, ()
    word = Word(
        by=f"APPROVAL=notice, {policy.notice_grace_s:.0f}초 동안 이의 없음", approved=_by_silence(cycle)
    )
    after, _, effects = consent.settled(state, cycle, word, at, policy)
    return after, effects


def grace_until(cycle: Cycle, policy: Policy) -> datetime | None:
    if cycle.proposal is None or policy.approval != "notice" or not _by_silence(cycle):
        return None
    return cycle.proposal.since + timedelta(seconds=policy.notice_grace_s)


def _by_silence(cycle: Cycle) -> frozenset[int]:
    """The lines that silence may approve: of a translator's only somebody's word."""
    lines = cycle.proposal.lines if cycle.proposal else ()
    return frozenset(line.number for line in lines if not line.translated)


def operators_due(cycle: Cycle, policy: Policy) -> datetime | None:
    """When a proposal that nobody answers becomes the operators' business too; None once they were told."""
    asked = cycle.proposal
    if asked is None or asked.operators_told or not policy.operators:
        return None
    return asked.since + timedelta(seconds=policy.remind_operators_after_s)


def operators_told(state: State, at: datetime, policy: Policy) -> Step:
    cycle = state.cycle
    due = cycle and operators_due(cycle, policy)
    if cycle is None or cycle.proposal is None or due is None or at < due:
        return state, ()
    told = now(cycle, proposal=now(cycle.proposal, operators_told=True))
    alert = Alert(to=policy.operators, body=replies.unanswered(cycle, cycle.proposal, policy))
    return now(state, cycle=told), say(alert)
