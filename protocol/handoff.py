"""A HANDOFF to us, in whatever order and dress its fields come.

    <@id> [HANDOFF] 데이터 생성 완료. Cycle: 7
    데이터 경로: gs://ralphton-handoff/dataset/
    에피소드 수: 85개

Known fields may share a line, stand in a table, or above their value; an unknown one is kept as it stands.
Prose is read for a cycle, a count and a path where no field says them, and only when it says one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from protocol import fields
from protocol.errors import NotUnderstood
from protocol.fields import Labelled, Name
from protocol.lessons import LessonReader
from protocol.lines import Spoken, folded
from protocol.messages import Lesson

_UNKNOWN = re.compile(r"([^:：\n]{1,30})[:：](?!//)\s+(\S.*)|([^:：\s]{1,20})[:：](?!//)(\S.*)", re.DOTALL)
_ROW = re.compile(r"\|(?!\|)(.*)\|", re.DOTALL)
_FRAME = re.compile(r"[|\s:-]+")
_HEADS = {"항목", "필드", "구분", "이름", "key", "field", "item", "name"}


@dataclass(slots=True)
class HandoffReader:
    """Takes the lines behind the tag, one by one."""

    known: dict[Name, str] = field(default_factory=dict[Name, str])
    where: dict[Name, str] = field(default_factory=dict[Name, str])
    extra: dict[str, str] = field(default_factory=dict[str, str])
    prose: list[str] = field(default_factory=list[str])
    _lessons: LessonReader = field(default_factory=LessonReader)
    _label_above: Name | None = None
    _head: tuple[str, ...] = ()

    @classmethod
    def of_lessons(cls) -> "HandoffReader":
        """For the lines behind [LESSON], which are lessons if nothing else is said."""
        return cls(_lessons=LessonReader(listing=True))

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        return self._lessons.lessons

    @property
    def cycle(self) -> int | None:
        """Raises NotUnderstood when the field has no number."""
        return self._number("cycle", "Cycle 번호") if "cycle" in self.known else fields.cycle_in(self.prose)

    @property
    def episodes(self) -> int | None:
        """Raises NotUnderstood when the field has no number."""
        if "episodes" in self.known:
            return self._number("episodes", "에피소드 수")
        return fields.episodes_in(self.prose)

    @property
    def data(self) -> str | None:
        return self.known.get("data") or fields.data_in(self.prose)

    @property
    def says_something(self) -> bool:
        return bool(self.known or self.lessons) or self.cycle is not None or self.data is not None

    def take(self, line: Spoken) -> None:
        if line.quoted:
            return
        above, self._label_above = self._label_above, fields.label_alone(line.text)
        if above and fields.value_alone(above, line.text):
            self._set(Labelled(above, above, line.text), line)
        elif not (self._row(line) or self._labelled(line) or self._lessons.take(line)):
            self._lessons.end()
            self._unknown(line.text)

    def _labelled(self, line: Spoken) -> bool:
        lead, found = fields.labelled(line.text)
        if found and lead:
            self.prose.append(lead)
        for one in found:
            self._set(one, line)
        return bool(found)

    def _row(self, line: Spoken) -> bool:
        """A row of a table: `| Cycle | 7 |`, or values under a head of labels."""
        row = None if self._lessons.listing else _ROW.fullmatch(line.text)
        if row is None:
            self._head = ()
            return False
        cells = [cell.strip() for cell in row[1].split("|")]
        names = [fields.label_alone(cell) for cell in cells]
        if any(left and right for left, right in pairwise(names)):
            self._head = tuple(cells)
        elif not _FRAME.fullmatch(row[1]) and folded(cells[0]) not in _HEADS:
            labels, values = (self._head, cells) if self._head else (cells[::2], cells[1::2])
            for label, value in zip(labels, values, strict=False):
                self._cell(label, value, line)
        return True

    def _cell(self, label: str, value: str, line: Spoken) -> None:
        if name := fields.label_alone(label):
            self._set(Labelled(name, label, value), line)
        elif folded(label) and value:
            self._keep(label, value)

    def _unknown(self, text: str) -> None:
        found = _UNKNOWN.fullmatch(text)
        label, value = ((found[1] or found[3]), (found[2] or found[4])) if found else ("", "")
        if found and folded(label):
            self._keep(label, value)
        else:
            self.prose.append(text)

    def _keep(self, label: str, value: str) -> None:
        kept = self.extra.get(label.strip())
        self.extra[label.strip()] = f"{kept}\n{value.strip()}" if kept else value.strip()

    def _set(self, said: Labelled, line: Spoken) -> None:
        """Raises NotUnderstood when a field is said twice, and differently."""
        name, value, where = said.name, said.value, f"{line.number}행"
        if not value:
            return
        if not fields.usable(name, value):
            self._keep(said.label, value)
            return
        if name == "data":
            value, rest = fields.path_and_rest(value)
            self.prose.append(rest)
        before = self.known.setdefault(name, value)
        if before != value and (
            name == "data" or fields.number_meant(name, before) != fields.number_meant(name, value)
        ):
            raise NotUnderstood(f"{said.label} 값이 둘입니다 ({before[:60]} / {value[:60]})", where)
        self.where.setdefault(name, where)

    def _number(self, name: Name, called: str) -> int:
        number = fields.number_meant(name, self.known[name])
        if number is None:
            raise NotUnderstood(f"{called}를 읽지 못했습니다 ({self.known[name][:60]})", self.where[name])
        return number


def read_handoff(lines: Iterable[Spoken], reader: HandoffReader | None = None) -> HandoffReader:
    reader = reader or HandoffReader()
    for line in lines:
        reader.take(line)
    return reader
