"""The language of the channel. Other bots may install just this.

parse(text)           what was heard, or one of our own messages read back; raises NotUnderstood alone
Collector().feed(…)   what came in parts, whole
render(message)       the parts to send;  join(parts)  the inverse
wire(message)         what remains of a message on its way:  parse(join(render(m))) == wire(m)
"""

from protocol.collector import Collector
from protocol.errors import NotUnderstood, Refused
from protocol.gate import check
from protocol.parts import Reference, join, reference
from protocol.text import allowed_user_ids, parse, read_said, recipients_of, render
from protocol.voice import CARD_VOICE, Voice
from protocol.wire import wire

__all__ = [
    "CARD_VOICE",
    "Collector",
    "NotUnderstood",
    "Reference",
    "Refused",
    "Voice",
    "allowed_user_ids",
    "check",
    "join",
    "parse",
    "read_said",
    "recipients_of",
    "reference",
    "render",
    "wire",
]
