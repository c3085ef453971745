"""Watcher's word on the open proposal: by hash, by reply, by reaction or in plain words.

Where Watcher's right was delegated an operator may say the same by `!approve` and `!reject`.
"""

from datetime import datetime

from bot.core.effects import Effect
from bot.core.events import Heard, Reacted
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.saying import replies
from bot.core.state import Cycle, Proposal, State
from bot.core.tracks import terms
from bot.core.tracks.terms import Word
from protocol.messages import Acknowledgement, Approval, Rejection
from protocol.roster import Peer

WATCHER = Peer.WATCHER.value


def answered(
    state: State, word: Approval | Rejection | Acknowledgement, event: Heard, policy: Policy
) -> Step:
    cycle = state.cycle
    if cycle is None or cycle.proposal is None:
        acknowledged = isinstance(word, Acknowledgement)  # an answer to that would never end
        return state, () if acknowledged else say(replies.nothing_to_decide(event.author))
    if isinstance(word, Acknowledgement):
        return _asked_back(state, cycle.proposal, event.author)
    if not _means(cycle.proposal, word.proposal, event.reply_ref):
        return state, say(replies.another_proposal(cycle.proposal, word.proposal or "", event.author))
    said = _read(word, cycle.proposal, WATCHER)
    if not _of_a_line(said, cycle.proposal):
        return state, say(replies.another_line(cycle.proposal, event.author))
    return _taken(state, cycle, said, event, policy)


def delegated(state: State, word: Approval | Rejection, event: Heard, policy: Policy) -> Step:
    """An operator's word: it counts as Watcher's would, and Watcher is told whose it was."""
    cycle = state.cycle
    if cycle is None or cycle.proposal is None:
        return state, say(replies.nothing_to_decide(event.author))
    if not _means(cycle.proposal, word.proposal, event.reply_ref):
        return state, say(replies.not_that_proposal(cycle.proposal, event.author))
    by = f"operator {event.author}"
    said = _read(word, cycle.proposal, by)
    if not _of_a_line(said, cycle.proposal):
        return state, say(replies.not_that_line(cycle.proposal, event.author))
    state, after, effects = settled(state, cycle, said, event.at, policy)
    told = replies.decided(word.kind, cycle.proposal, after, by, event.author, policy)
    return state, (*say(*told), *effects)


def reacted(state: State, event: Reacted, policy: Policy) -> Step:
    """✅ and ❌ on the proposal's own message are Watcher's yes and no to all of it."""
    cycle = state.cycle
    if cycle is None or cycle.proposal is None or event.ref not in cycle.proposal.refs:
        return state, ()
    if policy.roster.peer_of(event.author) is not Peer.WATCHER:
        return state, ()
    every = frozenset(line.number for line in cycle.proposal.lines)
    word = Word(by=WATCHER, approved=every) if event.yes else Word(by=WATCHER, rejected=every)
    return _taken(state, cycle, word, event, policy)


def _taken(state: State, cycle: Cycle, word: Word, event: Heard | Reacted, policy: Policy) -> Step:
    assert cycle.proposal is not None, "the callers have looked"
    state, after, effects = settled(state, cycle, word, event.at, policy)
    taken = replies.word_taken(after, _in_words(word, cycle.proposal), event.author)
    return state, (*say(taken), *effects)


def settled(
    state: State, cycle: Cycle, word: Word, at: datetime, policy: Policy
) -> tuple[State, Cycle, tuple[Effect, ...]]:
    """The state and its cycle after a word. What it approves too late for this run is the next cycle's."""
    after, effects = terms.answer(cycle, word, at, policy)
    carried = (*state.carried, *terms.too_late(cycle, word))
    return now(state, cycle=after, carried=carried), after, effects


def _means(proposal: Proposal, named: str | None, reply_ref: str | None) -> bool:
    """Naming nothing means the one open proposal, unless it answers another message of ours."""
    if named is not None:
        return proposal.hash.startswith(named.lower()) or named in proposal.refs
    return reply_ref is None or reply_ref in proposal.refs


def _in_words(word: Word, proposal: Proposal) -> str:
    """`1번 승인, 2번 반려`: of the lines that waited."""
    numbers = [line.number for line in proposal.lines]
    yes = [f"{number}번 승인" for number in numbers if number in word.approved]
    no = [f"{number}번 반려" for number in numbers if number in word.rejected]
    return ", ".join((*yes, *no))


def _of_a_line(word: Word, proposal: Proposal) -> bool:
    return any(line.number in word.approved | word.rejected for line in proposal.lines)


def _read(word: Approval | Rejection, proposal: Proposal, by: str) -> Word:
    every = frozenset(line.number for line in proposal.lines)
    if isinstance(word, Rejection):
        return Word(by=by, rejected=frozenset(word.items) or every, reason=word.reason)
    rejected = frozenset(word.rejected)
    return Word(by=by, approved=frozenset(word.items) or every - rejected, rejected=rejected)


def _asked_back(state: State, proposal: Proposal, author: int) -> Step:
    """Neither yes nor no: asked once, in a form that only a yes or a no answers."""
    assert state.cycle is not None, "a proposal belongs to a cycle"
    if proposal.asked_back:
        return state, ()
    asked = now(state.cycle, proposal=now(proposal, asked_back=True))
    return now(state, cycle=asked), say(replies.yes_or_no(proposal, author))
