"""A message in several parts: taken apart so that each part reaches its reader, and put together again.

Discord takes 2,000 characters. Every part repeats the mentions and the tag, ends with the reference and
its number, and closes what it has opened; an arrow behind the number says that the next part goes on
within the same line. Lengths are counted in UTF-16 units, the most that any client counts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.layout import FENCE
from protocol.quotation import MARK

HARD_LIMIT = 2000
ROOM = 1900
CONTINUED = "(계속)"

_NUMBER = re.compile(r"-# (?:(?P<ref>\S+) )?· (?P<number>\d{1,4})/(?P<count>\d{1,4})(?P<cut> ↩)?")
_FOOTER = re.compile(r"-# (?P<ref>\S+)")
_HEAD = re.compile(rf"(?:<@\d+> )+\[[A-Z]+\] {re.escape(CONTINUED)}")


def width(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def footer(ref: str) -> str:
    return f"-# {ref}" if ref else ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the last line of a part of ours says: the outbox reference, and which of how many parts it is."""

    ref: str
    part: int = 1
    parts: int = 1


def reference(text: str) -> Reference | None:
    """By this a message of ours is found again in the channel's history."""
    last = text.rstrip().rpartition("\n")[2]
    if found := _FOOTER.fullmatch(last):
        return Reference(found["ref"])
    if found := _NUMBER.fullmatch(last):
        return Reference(found["ref"] or "", int(found["number"]), int(found["count"]))
    return None


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of one part without head and number. `cut`: the last of them goes on in the next part."""

    lines: tuple[str, ...]
    cut: bool


def split(lines: Sequence[str], mentions: str, tag: str, ref: str) -> list[str]:
    """The parts of a message. The first of `lines` already has the mentions and the tag."""
    whole = "\n".join([*lines, footer(ref)] if ref else lines)
    if width(whole) <= HARD_LIMIT:
        return [whole]
    head = f"{mentions} [{tag}] {CONTINUED}"
    reserved = width(head) + width(f"-# {ref} · 9999/9999 ↩") + 2 * len(FENCE) + 8
    pages = list(_fenced(_pages(lines, ROOM - reserved)))
    return [
        "\n".join([*([head] if at else []), *page.lines, _number(ref, at + 1, len(pages), page.cut)])
        for at, page in enumerate(pages)
    ]


def join(parts: Sequence[str]) -> str:
    """One text from the parts of a message, ours or a peer's.

    Peers mark nothing: a part of full length was cut anywhere, a shorter one at a line's end.
    """
    numbers = [_NUMBER.fullmatch(part.rpartition("\n")[2]) for part in parts]
    marked = [number for number in numbers if number is not None]
    if marked and len(marked) == len(parts):
        return _joined_ours(parts, marked)
    text = ""
    for at, part in enumerate(parts):
        glue = "\n" if at and width(parts[at - 1]) < HARD_LIMIT else ""
        text += glue + part
    return text


def _number(ref: str, number: int, count: int, cut: bool) -> str:
    return f"-# {ref + ' ' if ref else ''}· {number}/{count}{' ↩' if cut else ''}"


def _pages(lines: Sequence[str], room: int) -> Iterator[Page]:
    page: list[str] = []
    used = 0
    for line in lines:
        if page and used + width(line) > room:
            yield Page(tuple(page), cut=False)
            page, used = [], 0
        *full, rest = _pieces(line, room)
        for piece in full:
            yield Page((piece,), cut=True)
        page.append(rest)
        used += width(rest) + 1
    yield Page(tuple(page), cut=False)


def _pieces(line: str, room: int) -> list[str]:
    """A line cut where it is too long, at a blank if there is one in the second half of a piece.

    What goes on begins with a mark, so that no chance word at the head of a part has power there.
    """
    pieces: list[str] = []
    start = 0
    while width(line[start : start + room]) + 1 > room or len(line) - start > room - 1:
        end = _end(line, start, room)
        pieces.append((MARK if start else "") + line[start:end])
        start = end
    return [*pieces, (MARK if start else "") + line[start:]]


def _end(line: str, start: int, room: int) -> int:
    end, used = start, 1
    while end < len(line) and used + 1 + (line[end] > "\uffff") <= room:
        used += 1 + (line[end] > "\uffff")
        end += 1
    while line[end : end + 1] == MARK and end > start + 1:
        end -= 1  # what a mark disarms stays with it
    blank = line.rfind(" ", start + (end - start) // 2, end)
    return blank if blank > start else end


def _fenced(pages: Iterator[Page]) -> Iterator[Page]:
    """Every page closes the fence it leaves open, and the next one opens it again."""
    inside = False
    for page in pages:
        lines = [FENCE, *page.lines] if inside else list(page.lines)
        inside ^= page.lines.count(FENCE) % 2 == 1
        yield Page((*lines, FENCE) if inside else tuple(lines), page.cut)


def _joined_ours(parts: Sequence[str], numbers: Sequence[re.Match[str]]) -> str:
    lines: list[str] = []
    cut = False
    for part, number in zip(parts, numbers, strict=True):
        page = part.split("\n")[:-1]
        if number["number"] != "1" and page and _HEAD.fullmatch(page[0]):
            del page[0]
        if lines and page and lines[-1] == page[0] == FENCE:
            del lines[-1], page[0]
        if cut and lines and page:
            lines[-1] += page.pop(0).removeprefix(MARK)
        lines += page
        cut = number["cut"] is not None
    ref = numbers[0]["ref"]
    return "\n".join([*lines, footer(ref)] if ref else lines)
