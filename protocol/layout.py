"""The shape of a message: rows that are written one under another and read back the same way.

A row knows nothing of words. A `Line` has a template as it stands in the channel, with the fields of the
message in braces; the others are for what may take several lines, or none. Reading goes down
the lines once, so its cost grows with their number.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from string import Formatter
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from protocol.codecs import CODECS
from protocol.figures import unsaid_moment
from protocol.quotation import as_line, clean, clean_block, defused, on_one_line

Values = dict[str, Any]
FENCE = "```"


class Mismatch(Exception):
    """The lines are not of this shape."""


@dataclass(slots=True)
class Reading:
    """Where a reader stands in the lines of a message."""

    lines: list[str]
    zone: ZoneInfo
    at: int = 0

    @property
    def left(self) -> int:
        return len(self.lines) - self.at

    def peek(self) -> str:
        if not self.left:
            raise Mismatch
        return self.lines[self.at]

    def take(self) -> str:
        line = self.peek()
        self.at += 1
        return line


class Row(Protocol):
    def write(self, said: Any) -> list[str]: ...

    def read(self, reading: Reading) -> Values:
        """Raises Mismatch."""
        ...


@dataclass(frozen=True)
class Line:
    """One line. `{field:codec}`, or `{field}` for free text; `{}` is the value itself."""

    template: str

    @cached_property
    def _pieces(self) -> list[tuple[str, str | None, str]]:
        return [(text, name, codec or "") for text, name, codec, _ in Formatter().parse(self.template)]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        pattern = ""
        for text, name, codec in self._pieces:
            pattern += re.escape(text) + (f"({CODECS[codec].pattern})" if name is not None else "")
        return re.compile(pattern, re.DOTALL)

    def matches(self, line: str) -> re.Match[str] | None:
        """A line at the end of a message may have lost its last blank."""
        return self._pattern.fullmatch(line) or self._pattern.fullmatch(line + " ")

    def write(self, said: Any) -> list[str]:
        line = ""
        for text, name, codec in self._pieces:
            line += text
            if name is not None:
                line += CODECS[codec].write(attrgetter(name)(said) if name else said)
        return [line]

    def read(self, reading: Reading) -> Values:
        found = self.matches(reading.peek())
        if found is None:
            raise Mismatch
        values: Values = {}
        fields = [(name, codec) for _, name, codec in self._pieces if name is not None]
        for (name, codec), text in zip(fields, found.groups(), strict=True):
            values.setdefault(name, _zoned(_read(codec, text), reading.zone))
        reading.take()
        return values


@dataclass(frozen=True)
class WhenAny:
    """A line that is there only if there is something to say in it."""

    field: str
    line: Line

    def write(self, said: Any) -> list[str]:
        return self.line.write(said) if attrgetter(self.field)(said) else []

    def read(self, reading: Reading) -> Values:
        there = reading.left and self.line.matches(reading.peek())
        return self.line.read(reading) if there else {self.field: ()}


@dataclass(frozen=True)
class Each:
    """A list: for each item all of `rows`, the first of which tells an item from what follows the list.

    `none` is what stands there when the list is empty.
    """

    field: str
    rows: tuple[Row, ...]
    none: tuple[Row, ...] = ()

    def write(self, said: Any) -> list[str]:
        items = attrgetter(self.field)(said)
        lines = [line for item in items for row in self.rows for line in row.write(item)]
        return lines or [line for row in self.none for line in row.write(said)]

    def read(self, reading: Reading) -> Values:
        items: list[Any] = []
        while (item := _attempt(self.rows, reading)) is not None:
            items.append(item.get("", item))
        if not items:
            _ = _read_rows(self.none, reading)
        return {self.field: items}


@dataclass(frozen=True)
class OneOrMany:
    """One text behind the label, or several as a list under it."""

    label: str
    field: str

    def write(self, said: Any) -> list[str]:
        items = [on_one_line(item) for item in attrgetter(self.field)(said)]
        return (
            [f"{self.label} {items[0]}"]
            if len(items) == 1
            else [self.label, *(f"- {as_line(item)}" for item in items)]
        )

    def read(self, reading: Reading) -> Values:
        line = reading.take()
        if line.startswith(self.label + " "):
            return {self.field: [clean(line.removeprefix(self.label))]}
        if line != self.label:
            raise Mismatch
        items: list[str] = []
        while reading.left and reading.peek().startswith("- "):
            items.append(clean(reading.take()[2:]))
        return {self.field: items}


@dataclass(frozen=True)
class Body:
    """Free text of several lines behind `lead`, up to a fence or a bare empty line."""

    lead: str
    field: str

    def write(self, said: Any) -> list[str]:
        first, *others = defused(attrgetter(self.field)(said)).split("\n")
        return [f"{self.lead} {as_line(first)}" if first else self.lead, *map(as_line, others)]

    def read(self, reading: Reading) -> Values:
        first = reading.take()
        if first != self.lead and not first.startswith(self.lead + " "):
            raise Mismatch
        lines = [first.removeprefix(self.lead)]
        while reading.left and reading.peek() not in {"", FENCE}:
            lines.append(reading.take())
        return {self.field: clean("\n".join(lines))}


@dataclass(frozen=True)
class Block:
    """Preformatted text in a fence, or nothing."""

    field: str

    def write(self, said: Any) -> list[str]:
        block = defused(attrgetter(self.field)(said))
        return [FENCE, *block.split("\n"), FENCE] if block else []

    def read(self, reading: Reading) -> Values:
        if not reading.left or reading.peek() != FENCE:
            return {self.field: ""}
        reading.take()
        lines: list[str] = []
        while (line := reading.take()) != FENCE:
            lines.append(line)
        return {self.field: clean_block("\n".join(lines))}


@dataclass(frozen=True)
class Layout:
    """A kind of message: `rows`, then its additions, then `tail`.

    Additions of a kind with an open end are told from it by the empty line `apart`. `unsaid` are fields
    that no line shows.
    """

    kind: type[Any]
    rows: tuple[Row, ...]
    tail: tuple[Row, ...] = ()
    apart: bool = False
    unsaid: tuple[str, ...] = ()

    def write(self, said: Any) -> list[str]:
        notes = [as_line(on_one_line(note)) for note in said.notes]
        lines = [line for row in self.rows for line in row.write(said)]
        gap = [""] if self.apart and notes else []
        return [*lines, *gap, *notes, *(line for row in self.tail for line in row.write(said))]

    def read(self, reading: Reading) -> Values:
        values = _read_rows(self.rows, reading)
        if self.apart and reading.left and reading.take():
            raise Mismatch
        notes = [clean(reading.take()) for _ in range(reading.left - len(self.tail))]
        unsaid = dict.fromkeys(self.unsaid, unsaid_moment(reading.zone))
        return {**_read_rows(self.tail, reading), **values, **unsaid, "notes": notes}


def _read_rows(rows: tuple[Row, ...], reading: Reading) -> Values:
    values: Values = {}
    for row in rows:
        for name, value in row.read(reading).items():
            _place(values, name, value)
    return values


def _attempt(rows: tuple[Row, ...], reading: Reading) -> Values | None:
    """An item, when the next line begins one. What begins one and does not go on like one is a mismatch."""
    at = reading.at
    try:
        return _read_rows(rows, reading)
    except Mismatch:
        if reading.at > at:
            raise
        return None


def _place(values: Values, name: str, value: Any) -> None:
    """`change.field` goes into the value named `change`."""
    head, _, rest = name.partition(".")
    if rest:
        _place(values.setdefault(head, {}), rest, value)
    else:
        values[name] = value


def _read(codec: str, text: str) -> Any:
    try:
        return CODECS[codec].read(text)
    except ValueError as wrong:
        raise Mismatch from wrong


def _zoned(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, list):
        return [_zoned(item, zone) for item in cast("list[Any]", value)]
    return value.replace(tzinfo=zone) if isinstance(value, datetime) else value
