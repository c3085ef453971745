"""The fields of a HANDOFF: how peers label them, and what a value may look like.

Three are known: the cycle's number, where the data lies, how many episodes it has.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Name = Literal["cycle", "data", "episodes"]

_LABELS: dict[Name, str] = {
    "cycle": r"(?:사이클|cycle|회차)(?:[ _]?(?:번호|number|no|n|id))?",
    "data": r"(?:(?:데이터|dataset|data|gcs|버킷|bucket|저장|업로드) ?(?:셋|세트)?[ _]?)?"
    r"(?:경로|path|위치|location|uri|url)|데이터 ?(?:셋|세트)?|dataset|data",
    "episodes": r"(?:총 ?|전체 ?|total[ _])?(?:에피소드|episodes?)(?:[ _]?(?:수|개수|count|total))?"
    r"|(?:num|number[ _]of)[ _]episodes",
}
_LABEL = (
    "(?:"
    + "|".join(f"(?P<{name}>{label})" for name, label in _LABELS.items())
    + r")[\"']?\s*(?:\([^()\n]{0,40}\)\s*)?"
)
_KNOWN = re.compile(rf"(?:^|(?<=[\s,.;|/(·{{\"'])){_LABEL}[:：=](?!//)\s*", re.IGNORECASE)
_LABEL_ALONE = re.compile(rf"[^\w\[(]*{_LABEL}[:：=]?", re.IGNORECASE)
_COUNT_ALONE = re.compile(r"\D{0,3}\d[\d,]*\s*(?:개|건|회차|번|차|episodes?)?\.?", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?:[\s,;|·(]|(?<=\s)/)+$")
_NUMBER = re.compile(r"(?<![\d.,])\d[\d,]{0,12}(?!\d|,\d|\.\d)")
_NEGATIVE = re.compile(r"\s*[-\u2212]\d")
_TOTAL = re.compile(r"(?:총|전체|합계|total)\s?(?=\d)", re.IGNORECASE)
_COUNTED = re.compile(r"(?<![\d.,])\d[\d,]{0,12}(?=\s?(?:개|episodes?\b|eps\b))", re.IGNORECASE)
_RANGE = re.compile(r"\d\s?(?:[-~–〜]|\.\.)\s?\d|\d\s?부터")
_URL = re.compile(r"(?:gs|s3|https?|file)://[!-~]*[\w/-]", re.ASCII)
_PATH = re.compile(
    r"(?:\[[^\]\n]{0,200}\]\()?[\"'“‘`(<\[]*((?:(?:gs|s3|https?|file)://|[\w.~-]*/)[^\s\"'”’`<>,，]*)"
)
_CYCLE_IN_PROSE = re.compile(
    r"(?:cycle|사이클)\s{0,3}(?:[-–—→>]\s)?#?(\d{1,6})(?!\d)|(?<!\d)(\d{1,6})\s?(?:번째|회차|차)?\s?사이클",
    re.IGNORECASE,
)
_EPISODES_IN_PROSE = re.compile(
    r"(?:에피소드|episodes?)\s?(?:수\s?)?(?:[-–—→>]\s)?(\d[\d,]{0,9})\s?개"
    r"|(?<![\w.])(\d[\d,]{0,9})\s?(?:개의?\s?)?(?:에피소드|episodes?)(?![^\W가-힣]|[가-힣]{2}|당)",
    re.IGNORECASE,
)
_NOT_YET = re.compile(r"요청|예정|대기|기다|하면|후에|will\b|once\b|when\b|after\b", re.IGNORECASE)
_NOT_DATA = re.compile(r"/(?:checkpoints|ssot|lessons)(?:/|$)|\.md$")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A value behind a label, in the words that were used."""

    name: Name
    label: str
    value: str


def labelled(text: str) -> tuple[str, list[Labelled]]:
    """What stands before the first known label of a line, and each label with its value."""
    found = list(_KNOWN.finditer(text))
    if not found or text.lstrip("\"'“‘").startswith(("[", "［")):
        return text, []
    ends = [after.start() for after in found[1:]] + [len(text)]
    return text[: found[0].start()].strip(" ,;|·"), [
        Labelled(*_named(label), _SEPARATOR.sub("", text[label.end() : end]))
        for label, end in zip(found, ends, strict=True)
    ]


def label_alone(text: str) -> Name | None:
    """The field of a text that is nothing but a label."""
    found = _LABEL_ALONE.fullmatch(text)
    return _named(found)[0] if found else None


def value_alone(name: Name, text: str) -> bool:
    """Is the text nothing but a value of this field?"""
    if name == "data":
        return _PATH.fullmatch(text.rstrip("\"'”’`>) ")) is not None
    return _COUNT_ALONE.fullmatch(text) is not None


def usable(name: Name, value: str) -> bool:
    """Could it be meant as the field's value? A range of episodes is not their number."""
    if name == "data":
        return _PATH.match(value) is not None
    return name == "cycle" or _COUNTED.search(value) is not None or _RANGE.search(value) is None


def path_and_rest(value: str) -> tuple[str, str]:
    """A usable value of `data`: the path, and what stands behind it."""
    found = _PATH.match(value)
    return (_bare(found[1]), value[found.end() :]) if found else (value, "")


def number_meant(name: Name, value: str) -> int | None:
    """Of several numbers of episodes the one that is counted, or called the total."""
    if name == "episodes" and (total := _TOTAL.search(value)):
        return _number(value[total.end() :])
    counted = _COUNTED.search(value) if name == "episodes" else None
    return _number(counted[0] if counted else value)


def cycle_in(prose: Iterable[str]) -> int | None:
    return _only(_CYCLE_IN_PROSE, prose)


def episodes_in(prose: Iterable[str]) -> int | None:
    return _only(_EPISODES_IN_PROSE, prose)


def data_in(prose: Iterable[str]) -> str | None:
    said = (found[0] for line in prose if not _NOT_YET.search(line) for found in _URL.finditer(line))
    return next((_bare(url) for url in said if not _NOT_DATA.search(url)), None)


def _named(label: re.Match[str]) -> tuple[Name, str]:
    """Which field a label stands for, and the words it used."""
    return next((name, label[name]) for name in _LABELS if label[name])


def _number(text: str) -> int | None:
    found = None if _NEGATIVE.match(text) else _NUMBER.search(text)
    digits = found[0].replace(",", "") if found else ""
    return int(digits) if 0 < len(digits) <= 7 else None


def _only(pattern: re.Pattern[str], prose: Iterable[str]) -> int | None:
    """The one number said; none when several are."""
    said = {_number(found[1] or found[2]) for line in prose for found in pattern.finditer(line)}
    return said.pop() if len(said) == 1 else None


def _bare(path: str) -> str:
    return path.rstrip(".,;:)]>!")
