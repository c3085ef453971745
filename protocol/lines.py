"""A peer's message as lines without its dress: mentions, fences, bullets, emphasis, blanks of every width.

Peers are language models; they decorate. What a line said, whether it was a quotation and where it stood
is all that the readers above need.
"""

import re
import unicodedata
from dataclasses import dataclass

from protocol.quotation import plain
from protocol.tags import Tag, tag_of

_MENTION = re.compile(r"<@[!&]?\d{1,25}>")
_FENCE = re.compile(r"\s*(?:```|~~~)[\w+-]*\s*$")
_QUOTE = re.compile(r"[ \t]*>+[ \t]?")
_SUBTEXT = re.compile(r"\s*-# ")
_PART_NUMBER = re.compile(r"\s*[(\[]?\d{1,3}/\d{1,3}[)\]]?\s*$")
_HEADING = re.compile(r"#{1,6}[ \t]+")
_BULLET = re.compile(r"(?:[-*+•·▪▫◦‣●○■□◆▶➤–—]|\d{1,3}[.)]|[①-⑳])[ \t]+(?:\[[ xX✓✔]\][ \t]+)?|[•·▪◦‣●][ \t]*")
_STRUCK = re.compile(r"(?<!~)~~(?!~)[^~]+~~(?!~)")
_FULL_WIDTH = {
    wide: wide - 0xFEE0 for wide in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_EMPHASIS = re.compile(r"\*\*|~~|`+|(?<!\w)__|__(?!\w)|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])")
_LEADING_TAG = re.compile(r"[^\w\[［【(（\"'“‘「>!！]*[\[［【]([^\[\]［］【】\n]{1,24})[\]］】]\s*[:：]?\s*")
_BARE_TAG = re.compile(r"[^\w\n]*(HANDOFF|핸드오프)\s*(?:[:：—–-]|$)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line. `number` counts from 1 in the original; `text` is undressed and trimmed."""

    number: int
    text: str
    quoted: bool = False
    bullet: bool = False
    heading: bool = False
    indent: int = 0


def lines_of(text: str) -> tuple[Spoken, ...]:
    """Every line that says something, in NFC, without fences, references, part numbers and what was struck.

    Letters and digits of full width are those of ordinary width.
    """
    bare = _MENTION.sub(" ", _STRUCK.sub(_gone, plain(text))).translate(_FULL_WIDTH)
    return tuple(
        spoken
        for number, line in enumerate(bare.split("\n"), start=1)
        if not _FENCE.match(line) and not _SUBTEXT.match(line) and not _PART_NUMBER.match(line)
        if (spoken := _undressed(number, line)).text
    )


def leading_tag(text: str) -> tuple[Tag, str] | None:
    """The tag that a line begins with, and what stands behind it."""
    if found := _LEADING_TAG.match(text):
        tag = tag_of(found[1])
        return (tag, text[found.end() :]) if tag else None
    if found := _BARE_TAG.match(text):
        return Tag.HANDOFF, text[found.end() :]
    return None


def folded(text: str) -> str:
    """For comparing: compatibility forms and case folded, blanks single, signs at both ends gone."""
    even = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\s+", " ", re.sub(r"\([^()]*\)", " ", even)).strip(" \t#*_~-–—.,:;·•!?'\"“”‘’→>()[]/|")


def _gone(struck: re.Match[str]) -> str:
    """Its author took it back; the lines keep their numbers."""
    return " " + "\n" * struck[0].count("\n")


def _undressed(number: int, line: str) -> Spoken:
    quote = _QUOTE.match(line)
    rest = line[quote.end() :] if quote else line
    stripped = rest.lstrip()
    indent = len(rest) - len(stripped)
    heading = _HEADING.match(stripped)
    if heading:
        stripped = stripped[heading.end() :]
    bullet = _BULLET.match(stripped)
    if bullet:
        stripped = stripped[bullet.end() :]
    text = _EMPHASIS.sub("", stripped).strip()
    return Spoken(number, text, bool(quote), bool(bullet), bool(heading), indent)
