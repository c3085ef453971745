"""Is somebody in the channel not who the roster says? What was seen is compared; nobody is shut out.

Two things count. A peer's *name* that speaks from another id than the roster's. And a peer that uses
another id for a role than we do: in an assignment (`Evaluation: <@…>`, `Evaluation(<@…>)`,
`@Evaluation <@…>`), or by sending what only a peer is sent (a HANDOFF; a REPORT, DONE or BLOCKED, which are
Watcher's) to nobody we know. All else is talk: people may be mentioned, and roles spoken of.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.core.events import Sighted
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.showing import people
from bot.core.state import Sighting, State
from protocol.lines import leading_tag, lines_of
from protocol.messages import Alert
from protocol.quotation import plain
from protocol.roster import MENTION, Peer, mentioned_ids
from protocol.tags import Tag

REMEMBERED = 64
"""So many are shown, the newest; one that is forgotten is told of once more when it is seen again."""

ALSO_CALLED = ("claw", "bot", "agent", "봇")
"""What may stand behind a peer's name in an account's: the role card writes `Watcher-Claw`."""

SENT_TO_WATCHER = (Tag.REPORT, Tag.DONE, Tag.BLOCKED)

_LETTER_OF = str.maketrans(
    "i1|\u0456\u04cf\u03b90\u043e\u03bf\u0430\u03b1\u0441\u0501\u0435\u04bb\u0578\u0440\u0475\u03bd\u051d\u0445",
    "lllllloooaacdehnpvvwx",
)
"""Latin, Cyrillic and Greek letters, and digits, that nobody can tell apart in a name."""

_NAMES = r"(?:Watcher|Developer|Domain[ -]?Expert|Training|Evaluation)"
_ROLE = rf"(?<![^\W_])(?P<role>{_NAMES})(?:[ -]?(?:Claw|Bot))?"
_ID = r"<@!?(?P<id>\d{15,22})>"
_DRESS = r"[ \t`*_]*"
_AND_NEXT = rf"(?={_DRESS}(?:[;)|]|,\s*{_NAMES}|$))"
_ASSIGNED = re.compile(rf"{_ROLE}{_DRESS}[:：=]{_DRESS}{_ID}{_AND_NEXT}", re.IGNORECASE)
_IN_BRACKETS = re.compile(rf"{_ROLE}{_DRESS}\({_DRESS}{_ID}{_DRESS}\)", re.IGNORECASE)
_CALLED = re.compile(rf"[@|]{_DRESS}{_ROLE}{_DRESS}\|?{_DRESS}{_ID}", re.IGNORECASE)
"""Both may be meant: who is called by name, and who is mentioned behind it."""
_HEAD = re.compile(rf"\s*(?:{MENTION.pattern.replace('?P<id>', '?:')}[\s,]*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message of the channel. `names` are all that its author's account goes by."""

    author: int
    names: frozenset[str]
    text: str
    message_id: int


def contradictions(seen: Seen, policy: Policy) -> tuple[Sighting, ...]:
    """Where the message and the roster contradict each other."""
    return tuple(
        Sighting(why=why, peer=peer, user_id=user_id, message_id=seen.message_id)
        for why, peer, user_id in dict.fromkeys((*_by_name(seen, policy), *_by_use(seen, policy)))
    )


def news(state: State, found: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Those that nobody was told of yet."""
    told = {_key(one) for one in state.sightings}
    return tuple(one for one in found if _key(one) not in told)


def sighted(state: State, event: Sighted, policy: Policy) -> Step:
    """One alert a finding, to Watcher and the operators."""
    fresh = news(state, event.sightings)
    alerts = [Alert(to=(policy.roster.watcher, *policy.operators), body=people.sighted(one)) for one in fresh]
    return now(state, sightings=(*state.sightings, *fresh)[-REMEMBERED:]), say(*alerts)


def reconsidered(state: State, policy: Policy) -> State:
    """The roster or the operators may have been put right by hand since."""
    standing = tuple(one for one in state.sightings if _contradicts(one.peer, one.user_id, policy))
    return now(state, sightings=standing)


# --- a name from another id ---------------------------------------------------

type Found = tuple[Literal["name", "use"], Peer | None, int]


def peer_called(name: str) -> Peer | None:
    """The peer whose name this is, however it is spelt.

    >>> peer_called("watcher_claw")
    <Peer.WATCHER: 'Watcher'>
    """
    letters = _letters(name)
    return next(
        (peer for peer in Peer if letters in {_letters(f"{peer}{also}") for also in ("", *ALSO_CALLED)}), None
    )


def _letters(name: str) -> str:
    even = unicodedata.normalize("NFKC", name).casefold().translate(_LETTER_OF)
    return re.sub(r"[\W_]", "", even)


def _by_name(seen: Seen, policy: Policy) -> Iterator[Found]:
    for name in sorted(seen.names):
        peer = peer_called(name)
        if peer and _contradicts(peer, seen.author, policy):
            yield "name", peer, seen.author


# --- another id for a role ----------------------------------------------------


def _by_use(seen: Seen, policy: Policy) -> Iterator[Found]:
    author = policy.roster.peer_of(seen.author)
    if author in (None, Peer.TRAINING):
        return
    text = plain(seen.text)
    for line in text.split("\n"):
        if not line.lstrip().startswith(">"):
            yield from _assigned(line, policy)
    yield from _sent(author, text, policy)


def _assigned(line: str, policy: Policy) -> Iterator[Found]:
    for pattern in (_ASSIGNED, _IN_BRACKETS, _CALLED):
        for found in pattern.finditer(line):
            peer, user_id = peer_called(found["role"]), int(found["id"])
            both_meant = pattern is _CALLED and policy.roster.peer_of(user_id) is not None
            if not both_meant and _contradicts(peer, user_id, policy):
                yield "use", peer, user_id


def _sent(author: Peer | None, text: str, policy: Policy) -> Iterator[Found]:
    """What only peers are sent, sent to nobody we know."""
    head = _HEAD.match(text)
    first = next(iter(lines_of(text)), None)
    tagged = leading_tag(first.text) if first else None
    if head is None or tagged is None:
        return
    whose = None if tagged[0] is Tag.HANDOFF else Peer.WATCHER
    said = tagged[0] is Tag.HANDOFF or (tagged[0] in SENT_TO_WATCHER and author is not Peer.WATCHER)
    to = dict.fromkeys(mentioned_ids(head[0]))
    if said and all(_contradicts(None, user_id, policy) for user_id in to):
        for user_id in to:
            yield "use", whose, user_id


def _contradicts(peer: Peer | None, user_id: int, policy: Policy) -> bool:
    """Is this an id that the roster does not know by this role? Operators are people, whatever their name."""
    known_as = policy.roster.peer_of(user_id)
    return user_id not in policy.operators and (known_as is None or (peer is not None and known_as != peer))


def _key(one: Sighting) -> tuple[str, Peer | None, int]:
    return one.why, one.peer, one.user_id
