"""`render` writes a message, `parse` reads one. Between them they know every word of the channel."""

import re

from pydantic import ValidationError

from protocol.errors import Refused
from protocol.hearing import read_heard
from protocol.layout import Layout, Mismatch, Reading, Values
from protocol.messages import Alert, Answer, Incoming, Said
from protocol.parts import split
from protocol.roster import Peer, mention
from protocol.voice import CARD_VOICE, Voice
from protocol.wire import wire
from protocol.wording import LAYOUT_OF, LAYOUTS

_HEAD = re.compile(r"(?:<@\d+> )+(?=\[(?P<tag>[A-Z]+)\])")
_ID = re.compile(r"<@(\d+)>")
_FOOTER = re.compile(r"-# (?P<ref>\S+)")


def recipients_of(message: Said, voice: Voice = CARD_VOICE) -> tuple[int, ...]:
    """The Discord ids that a message is for; they and nobody else are pinged.

    Raises:
        Refused: one of them is unknown, is us, or is an operator where only peers are spoken to.
        TypeError: it is what others say to Training.
    """
    if type(message) not in LAYOUT_OF:
        raise TypeError(
            f"{type(message).__name__} is no message of Training's; what is said to Training is plain text, "
            "and docs/protocol.md has the words"
        )
    ids = message.recipients(voice.roster)
    for user_id in ids:
        if user_id == voice.roster.id_of(Peer.TRAINING):
            raise Refused("recipients", f"{type(message).__name__} would go to ourselves")
        if voice.roster.peer_of(user_id) is not None:
            continue
        if user_id not in voice.operators:
            raise Refused("recipients", f"{user_id} is neither in the roster nor an operator")
        if not isinstance(message, Answer | Alert):
            raise Refused("recipients", f"{type(message).__name__} is not for operators ({user_id})")
    return ids


def allowed_user_ids(message: Said, voice: Voice = CARD_VOICE) -> tuple[int, ...]:
    """For Discord's `allowed_mentions.users`: the recipients alone, each once, whatever the text says.

    Raises:
        Refused: as `recipients_of`.
    """
    return tuple(dict.fromkeys(recipients_of(message, voice)))


def render(message: Said, *, voice: Voice = CARD_VOICE) -> list[str]:
    """The parts to send, in order; one, unless the text is too long for Discord.

    Raises:
        Refused: the message is for somebody it must not go to.
        TypeError: as `recipients_of`.
    """
    mentions = " ".join(mention(user_id) for user_id in recipients_of(message, voice))
    first, *others = LAYOUT_OF[type(message)].write(wire(message, voice=voice))
    tag = first[1 : first.index("]")]
    return split([f"{mentions} {first}", *others], mentions, tag, message.ref)


def parse(text: str, *, message_id: int | None = None, voice: Voice = CARD_VOICE) -> Incoming | Said:
    """What a message says: to us, or, if it is word for word one of ours, what we said.

    `voice` is asked only for the clock in which our own messages tell the time.

    Raises:
        NotUnderstood: and nothing else, whatever the text.
    """
    return read_said(text, voice) or read_heard(text, message_id)


def read_said(text: str, voice: Voice = CARD_VOICE) -> Said | None:
    """One of our own messages read back, or None if `text` is not exactly one. None of ours is to us."""
    head = _HEAD.match(text)
    to = tuple(map(int, _ID.findall(head[0]))) if head else ()
    if head is None or voice.roster.id_of(Peer.TRAINING) in to:
        return None
    lines = text[head.end() :].rstrip().split("\n")
    found = _FOOTER.fullmatch(lines[-1])
    body = lines[:-1] if found else lines
    own = {"ref": found["ref"] if found else "", "to": to}
    read = (_said(layout, body, own, voice) for layout in LAYOUTS)
    return next((said for said in read if said is not None), None)


def _said(layout: Layout, lines: list[str], own: Values, voice: Voice) -> Said | None:
    try:
        values = own | layout.read(Reading(lines, voice.zone))
        return layout.kind.model_validate(
            {name: values[name] for name in layout.kind.model_fields if name in values}
        )
    except (Mismatch, ValidationError):
        return None
