"""Words that are not ours, made safe to repeat, and made plain again when they are read back.

A lesson, a file name, an error may hold a mention, a fence or a tag. An invisible MARK takes their power
and leaves their looks, so `clean(defused(text)) == clean(text)`: what is read back is what was meant.
"""

import re
import unicodedata

from protocol.roster import Peer
from protocol.tags import BRACKETED, tag_of

MARK = "\u200b"
"""ZERO WIDTH SPACE, as Discord's own libraries defuse mentions."""

LINE_BREAK = "⏎"
"""How a line break looks where only one line may stand."""

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]"
)
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_NAMES = "|".join(Peer).replace("DomainExpert", "Domain[ -]?Expert")
LATE = "늦은 보고:"
"""Opens the one line of ours that may stand among additions."""

_LINE_POWER = re.compile(rf"\s*(?:-#|>|$|{LATE})|[\W\d_]*(?:{_NAMES})", re.IGNORECASE)


def plain(text: str) -> str:
    """`text` in NFC with `\\n` for every line end, without characters that cannot be seen."""
    ended = _LINE_ENDS.sub("\n", text)
    return unicodedata.normalize("NFC", _HALF_CHARACTER.sub("\ufffd", _UNSEEN.sub("", ended)))


def clean(text: str) -> str:
    """What remains of a text on the wire: plain, trimmed, its line breaks real ones. Idempotent."""
    return plain(text).replace(LINE_BREAK, "\n").strip()


def clean_block(text: str) -> str:
    """What remains of preformatted text, whose first line may be indented. Idempotent."""
    return plain(text).replace(LINE_BREAK, "\n").rstrip().lstrip("\n")


def silenced(text: str) -> str:
    """A clean text that can neither ping, nor open or close a fence."""
    return re.sub("`(?=`)", "`" + MARK, text.replace("@", "@" + MARK))


def defused(text: str) -> str:
    """Nor look like a tag to a machine."""
    return BRACKETED.sub(_tagless, silenced(text))


def on_one_line(text: str) -> str:
    """A clean text, defused, for a place behind a label."""
    return defused(text).replace("\n", LINE_BREAK)


def as_line(text: str) -> str:
    """A defused line for a place of its own: no reference, no quotation, no name as address, not blank."""
    return MARK + text if _LINE_POWER.match(text) else text


def _tagless(found: re.Match[str]) -> str:
    bracket, word = found.groups()
    return bracket + MARK + word if tag_of(word) else found[0]
