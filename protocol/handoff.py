"""A HANDOFF to us, in whatever order and dress its fields come.

    <@id> [HANDOFF] 데이터 생성 완료. Cycle: 7
    데이터 경로: gs://ralphton-handoff/dataset/
    에피소드 수: 85개

Known fields may share a line; an unknown one is kept as it stands. Prose is read for a cycle, a count and a
path where no field says them, and only when it says one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from protocol.errors import NotUnderstood
from protocol.lessons import LessonReader
from protocol.lines import Spoken, folded
from protocol.messages import Lesson

Name = Literal["cycle", "data", "episodes"]

_LABELS: dict[Name, str] = {
    "cycle": r"(?:사이클|cycle|회차)(?: ?(?:번호|number|no|n))?",
    "data": r"(?:(?:데이터|dataset|data|gcs|버킷|bucket|저장|업로드) ?(?:셋|세트)? ?)?"
    r"(?:경로|path|위치|location|uri|url)|데이터 ?(?:셋|세트)?|dataset|data",
    "episodes": r"(?:총 ?|전체 ?|total )?(?:에피소드|episodes?)(?: ?(?:수|개수|count|total))?"
    r"|(?:num|number of) episodes",
}
_KNOWN = re.compile(
    r"(?:^|(?<=[\s,.;|/(·]))(?:"
    + "|".join(f"(?P<{name}>{label})" for name, label in _LABELS.items())
    + r")\s*(?:\([^()\n]{0,40}\)\s*)?[:：=](?!//)\s*",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"([^:：\n]{1,30})[:：](?!//)\s+(\S.*)|([^:：\s]{1,20})[:：](?!//)(\S.*)", re.DOTALL)
_SEPARATOR = re.compile(r"(?:[\s,;|·(]|(?<=\s)/)+$")
_NUMBER = re.compile(r"\d[\d,]{0,12}")
_URL = re.compile(r"(?:gs|s3|https?|file)://[!-~]*[\w/-]", re.ASCII)
_PATH = re.compile(r"[\"'“‘`(<\[]*((?:(?:gs|s3|https?|file)://|[\w.~-]*/)[^\s\"'”’`<>,，]*)")
_CYCLE_IN_PROSE = re.compile(
    r"(?:cycle|사이클)\s?#?(\d{1,6})(?!\d)|(?<!\d)(\d{1,6})\s?(?:번째|회차|차)?\s?사이클", re.IGNORECASE
)
_EPISODES_IN_PROSE = re.compile(
    r"(?:에피소드|episodes?)\s?(?:수\s?)?(\d[\d,]{0,9})\s?개|(?<![\w.])(\d[\d,]{0,9})\s?(?:개의?\s?)?(?:에피소드|episodes?)(?!\w)",
    re.IGNORECASE,
)
_NOT_YET = re.compile(r"요청|예정|대기|기다|하면|후에|will\b|once\b|when\b|after\b", re.IGNORECASE)
_NOT_DATA = re.compile(r"/(?:checkpoints|ssot|lessons)(?:/|$)|\.md$")


@dataclass(slots=True)
class HandoffReader:
    """Takes the lines behind the tag, one by one."""

    fields: dict[Name, str] = field(default_factory=dict[Name, str])
    where: dict[Name, str] = field(default_factory=dict[Name, str])
    extra: dict[str, str] = field(default_factory=dict[str, str])
    prose: list[str] = field(default_factory=list[str])
    _lessons: LessonReader = field(default_factory=LessonReader)

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
        if "cycle" in self.fields:
            return self._number("cycle", "Cycle 번호")
        return _only(_CYCLE_IN_PROSE, self.prose)

    @property
    def episodes(self) -> int | None:
        """Raises NotUnderstood when the field has no number."""
        if "episodes" in self.fields:
            return self._number("episodes", "에피소드 수")
        return _only(_EPISODES_IN_PROSE, self.prose)

    @property
    def data(self) -> str | None:
        if found := _PATH.match(self.fields.get("data", "")):
            return _bare(found[1])
        said = (found[0] for line in self.prose if not _NOT_YET.search(line) for found in _URL.finditer(line))
        return next((_bare(url) for url in said if not _NOT_DATA.search(url)), None)

    @property
    def unread(self) -> dict[str, str]:
        """What stood behind a label, but could not be used."""
        data = self.fields.get("data")
        return self.extra | ({"데이터": data} if data and not _PATH.match(data) else {})

    @property
    def says_something(self) -> bool:
        return bool(self.fields or self.lessons) or self.cycle is not None or self.data is not None

    def take(self, line: Spoken) -> None:
        if line.quoted or self._known(line) or self._lessons.take(line):
            return
        self._lessons.end()
        found = _UNKNOWN.fullmatch(line.text)
        label, value = ((found[1] or found[3]), (found[2] or found[4])) if found else ("", "")
        if found and folded(label):
            kept = self.extra.get(label.strip())
            self.extra[label.strip()] = f"{kept}\n{value.strip()}" if kept else value.strip()
        else:
            self.prose.append(line.text)

    def _known(self, line: Spoken) -> bool:
        text = line.text
        found = list(_KNOWN.finditer(text))
        if not found or text.lstrip("\"'“‘").startswith(("[", "［")):
            return False
        if lead := text[: found[0].start()].strip(" ,;|·"):
            self.prose.append(lead)
        ends = [after.start() for after in found[1:]] + [len(text)]
        for label, end in zip(found, ends, strict=True):
            self._set(label, _SEPARATOR.sub("", text[label.end() : end]), f"{line.number}행")
        return True

    def _set(self, label: re.Match[str], value: str, where: str) -> None:
        """Raises NotUnderstood when a field is said twice, and differently."""
        for name in _LABELS:
            if not label[name] or not value:
                continue
            if name == "data" and (path := _PATH.match(value)):
                self.prose.append(value[path.end() :])
                value = path[0]
            before = self.fields.setdefault(name, value)
            same = before == value if name == "data" else _number(before) == _number(value)
            if not same:
                raise NotUnderstood(f"{label[name]} 값이 둘입니다 ({before[:60]} / {value[:60]})", where)
            self.where.setdefault(name, where)

    def _number(self, name: Name, called: str) -> int:
        number = _number(self.fields[name])
        if number is None:
            raise NotUnderstood(f"{called}를 읽지 못했습니다 ({self.fields[name][:60]})", self.where[name])
        return number


def read_handoff(lines: Iterable[Spoken], reader: HandoffReader | None = None) -> HandoffReader:
    reader = reader or HandoffReader()
    for line in lines:
        reader.take(line)
    return reader


def _number(text: str) -> int | None:
    found = _NUMBER.search(text)
    digits = found[0].replace(",", "") if found else ""
    return int(digits) if 0 < len(digits) <= 7 else None


def _only(pattern: re.Pattern[str], prose: Iterable[str]) -> int | None:
    """The one number said; none when several are."""
    said = {_number(found[1] or found[2]) for line in prose for found in pattern.finditer(line)}
    return said.pop() if len(said) == 1 else None


def _bare(path: str) -> str:
    return path.rstrip(".,;:)]>!")
