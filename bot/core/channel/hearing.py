"""What a message makes us do: who may say what, and what it means for the open cycle."""

from datetime import datetime

from bot.core.channel import complaints, consent, orders
from bot.core.channel.typed import typed
from bot.core.effects import Effect
from bot.core.events import Garbled, Heard
from bot.core.moves import Step, declare, now, say
from bot.core.policy import Policy
from bot.core.saying import proposals, replies
from bot.core.showing import commands
from bot.core.state import (
    Awaited,
    Cycle,
    Entry,
    LessonHeard,
    Refused,
    State,
    Unread,
    Unstarted,
    Waiting,
    would_repeat,
)
from bot.core.tracks import cycles, data, ledger, mending, terms
from protocol.lines import leading_tag, lines_of
from protocol.messages import (
    Acknowledgement,
    Answer,
    Approval,
    Command,
    Handoff,
    Lessons,
    Order,
    Question,
    Rejection,
    Talk,
)
from protocol.roster import Peer
from protocol.tags import Tag

TOLD = (Tag.REPORT, Tag.DONE, Tag.BLOCKED, Tag.RECEIPT, Tag.ALERT, Tag.ANSWER)


def heard(state: State, event: Heard, policy: Policy) -> Step:
    peer = policy.roster.peer_of(event.author)
    is_command = isinstance(event.message, Command)
    if event.author in policy.operators and (peer is None or is_command):
        return _from_an_operator(state, event, policy)
    match event.message:
        case Handoff() as handoff if peer in (Peer.DEVELOPER, Peer.WATCHER):
            return take_handoff(state, handoff, event.author, event.at, policy)
        case Lessons() as lessons if peer is Peer.WATCHER:
            return _take_lessons(state, lessons, event, policy)
        case (Approval() | Rejection() | Acknowledgement()) as word if peer is Peer.WATCHER:
            return consent.answered(state, word, event, policy)
        case Order(verb=verb) if peer is Peer.WATCHER:
            return orders.given(state, verb, event, peer.value, policy)
        case _:
            return _talked(state, event, policy)


def _from_an_operator(state: State, event: Heard, policy: Policy) -> Step:
    """What he may say behind a `!` he may say in his own words, too."""
    command = typed(event.message.text, (*commands.available(policy), *commands.DELEGATED))
    match command or event.message:
        case Command() as command:
            return orders.commanded(state, command, event, policy)
        case Order(verb=verb):
            return orders.given(state, verb, event, f"operator {event.author}", policy)
        case Talk(about="other"):
            return state, _answer(event, commands.WHAT_OPERATORS_SAY)
        case _:
            return _talked(state, event, policy)


def _talked(state: State, event: Heard, policy: Policy) -> Step:
    match event.message:
        case Acknowledgement():
            return state, ()
        case Talk(about="other", text=text) if _tells_only(text):
            return state, ()
        case Talk(about="complaint", text=text):
            return complaints.complained(state, text, event.author, policy)
        case Talk(about=about):
            return state, _answer(event, commands.told(about, state, event.gauges, event.at, policy))
        case _:
            return state, _answer(event, replies.not_yours(event.message.kind))


def _tells_only(text: str) -> bool:
    """A peer's REPORT, DONE or the like: answering it would begin a conversation of machines."""
    first = next(iter(lines_of(text)), None)
    tagged = leading_tag(first.text) if first else None
    return tagged is not None and tagged[0] in TOLD


def garbled(state: State, event: Garbled, policy: Policy) -> Step:
    if event.author in policy.operators:
        answer = Answer(to=(event.author,), body=f"{event.what}\n{commands.WHAT_OPERATORS_SAY}")
        return state, say(answer)
    question = Question(to=(event.author,), question=event.what, how_to_answer=commands.WHAT_WE_UNDERSTAND)
    return state, say(question)


def take_handoff(state: State, handoff: Handoff, author: int, at: datetime, policy: Policy) -> Step:
    """A HANDOFF, fresh from the channel or from the queue: open its cycle, or add it to the open one."""
    number = handoff.cycle or (state.cycle.number if state.cycle else cycles.next_number(state))
    if any(one.number == number for one in state.finished):
        return state, say(replies.number_is_taken(number, cycles.next_number(state), author))
    if author == policy.roster.developer and handoff.data is None:
        return state, say(replies.path_missing(author))
    if state.cycle and state.cycle.number != number:
        return _queue(state, state.cycle, handoff, number, author)
    if state.cycle is None:
        state, _, opening = cycles.begin(state, number, at, policy)
    else:
        state, opening = _look_again(state, state.cycle, author, policy)
    if handoff.cycle and state.cycle:
        state = now(state, cycle=now(state.cycle, own="meant"))
    before, lessons = state, cycles.lessons_of(handoff.lessons, "HANDOFF")
    state, more = _add_lessons(state, lessons, at, policy)
    go, asked = _where_they_go(before, state, lessons, policy)
    state, fetching = _add_data(state, handoff, author, at)
    assert state.cycle is not None, "it stays open"
    receipt = say(replies.handoff_received(state.cycle, handoff, go, author))
    return state, (*receipt, *opening, *more, *asked, *fetching)


def _look_again(state: State, cycle: Cycle, author: int, policy: Policy) -> Step:
    """Watcher, who was asked to mend PLAN.md, hands over once more: it may have."""
    match cycle.terms:
        case Unread(broken=broken) if broken and author == policy.roster.watcher:
            looking, orders = terms.look(cycle)
            return now(state, cycle=looking), orders
        case _:
            return state, ()


def _queue(state: State, before: Cycle, handoff: Handoff, number: int, author: int) -> Step:
    state = cycles.queued(state, Waiting(handoff=handoff, author=author))
    place = cycles.place_in_queue(state, number)
    return state, say(replies.queued(handoff, number, place, before, author))


def _add_data(state: State, handoff: Handoff, author: int, at: datetime) -> Step:
    assert state.cycle is not None, "data belongs to a cycle"
    if handoff.data is None:
        return now(state, cycle=data.announce(state.cycle, handoff.episodes)), ()
    cycle = state.cycle
    if would_repeat(cycle):  # other data was asked for
        cycle = now(cycle, own="unsaid")
    elif not isinstance(cycle.data, Awaited | Refused):
        return state, say(replies.already_at_work(cycle, handoff, author))
    cycle, effects = data.name(cycle, handoff.data, handoff.episodes, at)
    return now(state, cycle=cycle), effects


def _take_lessons(state: State, message: Lessons, event: Heard, policy: Policy) -> Step:
    before, lessons = state, cycles.lessons_of(message.lessons, "Watcher")
    if state.cycle and message.cycle and message.cycle > state.cycle.number:
        state, effects = now(state, carried=(*state.carried, *lessons)), ()
    else:
        state, effects = _add_lessons(state, lessons, event.at, policy)
    go, asked = _where_they_go(before, state, lessons, policy)
    receipt = say(replies.lessons_received(message, go, event.author))
    return state, (*receipt, *effects, *asked)


def _where_they_go(
    before: State, after: State, lessons: tuple[LessonHeard, ...], policy: Policy
) -> tuple[replies.LessonsGo, tuple[Effect, ...]]:
    """Into the open cycle or the next one; what of the latter nobody understands is asked now."""
    later = after.carried[len(before.carried) :]
    foreseen = _foreseen(after.cycle, later, policy)
    asked = declare(*proposals.questions_about(foreseen, policy))
    return replies.LessonsGo(len(lessons) - len(later), len(later), foreseen), asked


def _foreseen(cycle: Cycle | None, carried: tuple[LessonHeard, ...], policy: Policy) -> tuple[Entry, ...]:
    """What comes too late for this run is judged at once all the same: what the next cycle makes of it."""
    if cycle is None or isinstance(cycle.terms, Unread):
        return ()
    return ledger.foreseen(cycle.terms, carried, policy.auto_approve).ledger


def _add_lessons(state: State, lessons: tuple[LessonHeard, ...], at: datetime, policy: Policy) -> Step:
    """Lessons reach the open cycle until its run begins; later ones wait for the next."""
    cycle = state.cycle
    if not lessons:
        return state, ()
    if cycle is None or not isinstance(cycle.run, Unstarted):
        return _add_in_mid_run(state, lessons, at, policy)
    match cycle.terms:
        case Unread() as unread:
            waiting = now(unread, heard=(*unread.heard, *lessons))
            return now(state, cycle=now(cycle, terms=waiting)), ()
        case _:
            after, effects = terms.take_in(cycle, lessons, at, policy)
            return now(state, cycle=after), effects


def _add_in_mid_run(state: State, lessons: tuple[LessonHeard, ...], at: datetime, policy: Policy) -> Step:
    """A run that is held can go on with some of them; the others are the next cycle's."""
    at_once = mending.for_now(state.cycle, lessons) if state.cycle else ()
    later = tuple(one for one in lessons if one not in at_once)
    state = now(state, carried=(*state.carried, *later))
    if state.cycle is None or not at_once:
        return state, ()
    after, effects = terms.take_in(state.cycle, at_once, at, policy)
    return now(state, cycle=after), effects


def _answer(event: Heard, body: str) -> tuple[Effect, ...]:
    return say(Answer(to=(event.author,), body=body))
