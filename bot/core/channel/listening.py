"""What is being said to us. A message stays open for a quiet time, so that its author can finish it.

Peers are language models: they split what is long without a mark, and finish what they said by editing it.
So the same author's unaddressed messages within a few seconds belong to the addressed one before them, and
edits count until we act. What comes later than that is never taken in silently: we ask.
"""

import hashlib
from datetime import datetime, timedelta

from bot.core.channel import hearing
from bot.core.effects import Effect
from bot.core.events import DaemonWoke, Edited, Garbled, Gauges, Heard, Spoke, Ticked
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.saying import replies
from bot.core.state import ActedOn, OpenMessage, State, Uttered
from protocol import NotUnderstood, Voice, parse
from protocol.messages import Incoming, Said
from protocol.parts import join, width

FULL = 1800
"""A part of this width was probably cut; what follows it may be held back by Discord's rate limit."""
PATIENCE_WITH_FULL = 3.0
LONGEST_OPEN_S = 30.0
CATCH_UP_S = 15.0
"""After a restart an open message waits until the channel's history may have been read."""
MOST_RESTARTS = 3
"""So many restarts it waits through: who is killed every few seconds acts on what he hears all the same."""
REMEMBERED = 8
MOST_PRINTS = 64
"""Of one message so many parts are remembered: who goes on talking to others for days never ends it."""


def spoke(state: State, event: Spoke, policy: Policy) -> Step:
    if remembers(state, event.message_id):
        return state, ()
    if not event.addressed:
        return _continued(state, event, policy)
    state, effects = _closed(state, event.author, event.at, event.gauges, policy)
    message = _opened(event, policy)
    if message.due_at <= event.at:
        state, more = _acted(state, message, event.at, event.gauges, policy)
        return state, (*effects, *more)
    return now(state, open_messages=(*state.open_messages, message)), effects


def edited(state: State, event: Edited, policy: Policy) -> Step:
    """Before we acted the new words simply count; afterwards a change of meaning is asked about."""
    for message in state.open_messages:
        if event.message_id in _ids(message) and message.author == event.author:
            return _replaced(state, message, _rewritten(message, event, policy)), ()
    for acted in state.acted_on:
        if event.message_id in acted.prints and acted.author == event.author:
            return _changed_too_late(state, acted, event, policy)
    return state, ()


def due(state: State, event: Ticked, policy: Policy) -> Step:
    """Act on every message whose author has been quiet for long enough, in the order of falling quiet."""
    effects: tuple[Effect, ...] = ()
    for message in sorted(state.open_messages, key=lambda one: one.due_at):
        if message.due_at <= event.at:
            state, more = _acted(_without(state, message), message, event.at, event.gauges, policy)
            effects = (*effects, *more)
    return state, effects


def woken(state: State, event: DaemonWoke) -> State:
    """What was said while we were away comes first, then its beginning is acted on."""
    until = event.at + timedelta(seconds=CATCH_UP_S)

    def waiting(one: OpenMessage) -> OpenMessage:
        patient = one.restarts < MOST_RESTARTS
        return now(one, due_at=max(one.due_at, until) if patient else event.at, restarts=one.restarts + 1)

    return now(state, open_messages=tuple(waiting(one) for one in state.open_messages))


def goes_on(state: State, author: int, said_at: datetime, policy: Policy) -> bool:
    """Would an unaddressed message of this author, said at this moment, belong to one before it?"""
    last = [one.parts[-1] for one in state.open_messages if one.author == author]
    last += [one.last for one in state.acted_on if one.author == author]
    return any(_follows(one, said_at, policy) for one in last)


def remembers(state: State, message_id: int) -> bool:
    return message_id in remembered(state)


def remembered(state: State) -> tuple[int, ...]:
    """The messages whose edits still matter, the oldest first."""
    opened = [number for one in state.open_messages for number in _ids(one)]
    acted = [number for one in state.acted_on for number in one.prints]
    return tuple(sorted({*opened, *acted}))


# --- acting -----------------------------------------------------------------


def _acted(state: State, message: OpenMessage, at: datetime, gauges: Gauges, policy: Policy) -> Step:
    """The message is whole: what does it say, and what does it make us do?"""
    first = message.parts[0]
    read = _read(join([one.text for one in message.parts]), first.id, policy)
    prints = {one.id: _print(one.text) for one in message.parts}
    acted = ActedOn(author=message.author, prints=prints, meaning=_meaning(read), last=message.parts[-1])
    state = now(state, acted_on=(*state.acted_on, acted)[-REMEMBERED:])
    match read:
        case str():
            return hearing.garbled(state, Garbled(at=at, author=message.author, what=read), policy)
        case None:
            return state, ()
        case _:
            heard = Heard(
                at=at, author=message.author, message=read, reply_ref=message.reply_ref, gauges=gauges
            )
            return hearing.heard(state, heard, policy)


def _closed(state: State, author: int, at: datetime, gauges: Gauges, policy: Policy) -> Step:
    """Who speaks to us anew has finished what he said before."""
    effects: tuple[Effect, ...] = ()
    for message in [one for one in state.open_messages if one.author == author]:
        state, more = _acted(_without(state, message), message, at, gauges, policy)
        effects = (*effects, *more)
    return state, effects


def _changed_too_late(state: State, acted: ActedOn, event: Edited, policy: Policy) -> Step:
    if acted.prints[event.message_id] == _print(event.text):
        return state, ()
    prints = acted.prints | {event.message_id: _print(event.text)}
    alone = len(acted.prints) == 1
    meaning = _meaning(_read(event.text, event.message_id, policy)) if alone else ""
    noted = now(acted, prints=prints, meaning=meaning or acted.meaning)
    others = tuple(noted if one is acted else one for one in state.acted_on)
    changed = () if alone and meaning == acted.meaning else say(replies.edited_too_late(event.author))
    return now(state, acted_on=others), changed


# --- an open message ----------------------------------------------------------


def _opened(event: Spoke, policy: Policy) -> OpenMessage:
    part = Uttered(id=event.message_id, text=event.text, said_at=event.said_at)
    at_once = policy.roster.peer_of(event.author) is None  # people press Enter once
    wait = timedelta() if at_once else _wait(part, policy)
    return OpenMessage(
        author=event.author,
        parts=(part,),
        reply_ref=event.reply_ref,
        since=event.at,
        due_at=event.at + wait,
    )


def _continued(state: State, event: Spoke, policy: Policy) -> Step:
    part = Uttered(id=event.message_id, text=event.text, said_at=event.said_at)
    for message in state.open_messages:
        if message.author == event.author and _follows(message.parts[-1], event.said_at, policy):
            parts = tuple(sorted((*message.parts, part), key=lambda one: one.id))
            return _replaced(state, message, _renewed(now(message, parts=parts), event.at, policy)), ()
    for acted in reversed(state.acted_on):
        if acted.author == event.author and _follows(acted.last, event.said_at, policy):
            fresh = {part.id: _print(part.text)} if len(acted.prints) < MOST_PRINTS else {}
            noted = now(acted, prints=acted.prints | fresh, last=part)
            others = tuple(noted if one is acted else one for one in state.acted_on)
            return now(state, acted_on=others), say(replies.went_on_too_late(event.author))
    return state, ()


def _rewritten(message: OpenMessage, event: Edited, policy: Policy) -> OpenMessage:
    parts = tuple(now(one, text=event.text) if one.id == event.message_id else one for one in message.parts)
    return message if parts == message.parts else _renewed(now(message, parts=parts), event.at, policy)


def _renewed(message: OpenMessage, at: datetime, policy: Policy) -> OpenMessage:
    """Quiet begins anew; but nobody who never falls quiet keeps us waiting for ever."""
    longest = message.since + timedelta(seconds=LONGEST_OPEN_S)
    return now(message, due_at=max(message.due_at, min(at + _wait(message.parts[-1], policy), longest)))


def _follows(last: Uttered, said_at: datetime, policy: Policy) -> bool:
    return said_at - last.said_at <= _wait(last, policy)


def _wait(last: Uttered, policy: Policy) -> timedelta:
    patience = PATIENCE_WITH_FULL if width(last.text) >= FULL else 1.0
    return timedelta(seconds=policy.quiet_s * patience)


def _replaced(state: State, message: OpenMessage, by: OpenMessage) -> State:
    return now(state, open_messages=tuple(by if one is message else one for one in state.open_messages))


def _without(state: State, message: OpenMessage) -> State:
    return now(state, open_messages=tuple(one for one in state.open_messages if one is not message))


def _ids(message: OpenMessage) -> tuple[int, ...]:
    return tuple(one.id for one in message.parts)


# --- reading ------------------------------------------------------------------


def _read(text: str, message_id: int, policy: Policy) -> Incoming | str | None:
    """What it says; one line on why that cannot be told; None for words of our own that come back."""
    try:
        voice = Voice(roster=policy.roster, operators=policy.operators)
        message = parse(text, message_id=message_id, voice=voice)
    except NotUnderstood as error:
        return str(error)
    return None if isinstance(message, Said) else message


def _meaning(read: Incoming | str | None) -> str:
    meant = read if isinstance(read, str | None) else read.model_dump_json(exclude={"text", "message_id"})
    return _print(meant or "nothing")


def _print(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=12).hexdigest()
