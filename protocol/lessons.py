"""Lessons as peers write them: the card's bare sentences, lists under a heading, blocks of labelled lines.

    [학습] batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생
    - [데이터] 에피소드 첫 50프레임은 카메라 스윙으로 무효
      → 적용: 데이터 로드 시 각 에피소드 첫 50프레임 스킵 처리

What stands behind `→ 적용:` is the remedy. A quoted one is nobody's order, so it is left out. One without a
lesson before it, as our questions ask for, is a lesson of its own.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from protocol.lines import Spoken, folded, lines_of
from protocol.messages import Lesson
from protocol.tags import tag_of

_CATEGORY_WORDS = """
학습 데이터 평가 시뮬레이션 시뮬레이터 시뮬 시나리오 인프라 프로세스 모델 환경 개발 코드 검증 운영
도메인 전략 통신 협업 설정 체크포인트
learning training train data dataset eval evaluation simulation sim scenario infra infrastructure process
model environment code ops config checkpoint
"""
CATEGORIES = frozenset(_CATEGORY_WORDS.split())
"""What a bracket at the head of a sentence must say to make it a lesson where nothing else does."""

_OURS = "학습"
"""What a remedy by itself is about, or it would not be said to us."""

_CATEGORY = re.compile(
    r"[^\w\[［【]{0,4}[\[［【]\s*([^\[\]［］【】\n]{1,24}?)\s*[\]］】]\s*[:：]?\s*(.*)", re.DOTALL
)
_LINK = re.compile(r"[^\w\[]{0,4}\[([^\[\]\n]{1,300})\]\(([^)\n]{0,300})")
_ADDRESS = re.compile(r"(?:[a-z]+://|[./#]|\S*\.[a-z])\S*", re.IGNORECASE)
_ARROW = re.compile(r"(?:→|⇒|➜|➔|⟶|-+>|=+>)\s*(.*)", re.DOTALL)
_REMEDY = re.compile(
    r"(?:적용|조치|반영|apply|applied|action|remedy)\s*(?:사항|방안)?\s*[:：]\s*(.*)",
    re.IGNORECASE | re.DOTALL,
)
_SETS = re.compile(r"[A-Za-z_.]+\s*=")
_INLINE_REMEDY = re.compile(
    r"\s*(?:→|⇒|➜|➔|⟶|->|=>)\s*(?=(?:적용|조치|반영|apply|action|remedy)\s*[:：])", re.IGNORECASE
)
_HEADER = re.compile(
    r"(?:[\w ]{0,20} )?(?:레슨런?|교훈|lessons?(?: learned)?)(?: ?(?:목록|전달|사항|\d{1,3} ?건))*",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"([^:：\n]{1,40})[:：]\s*(.*)", re.DOTALL)
_NONE = {"", "없음", "없습니다", "없어요", "none", "n/a", "na", "nothing", "해당 없음", "-"}
_BLOCK = {
    "카테고리": "category",
    "category": "category",
    "분류": "category",
    "문제": "problem",
    "problem": "problem",
    "원인": "cause",
    "cause": "cause",
    "해결": "cure",
    "solution": "cure",
    "영향 범위": "scope",
    "scope": "scope",
}
_REMEDY_HEADS = {"적용", "조치", "반영", "적용 사항", "조치 사항", "apply", "remedy", "action"}
_ELSEWHERE = re.compile(r"\.md\b|\?$")
_BELOW = re.compile(
    r"(?:아래|다음|이하)(?:와 같|과 같|를 참고|를 참조| 참고| 참조|\W*$)|(?:see |as )?(?:below|follows)\b",
    re.IGNORECASE,
)
_QUOTES = "\"'“”‘’「」『』"


@dataclass(slots=True)
class _Draft:
    category: str
    text: str = ""
    remedies: list[str] = field(default_factory=list[str])
    block: dict[str, str] = field(default_factory=dict[str, str])

    def lesson(self) -> Lesson:
        reasons = [
            f"{label}: {self.block[key]}"
            for label, key in (("원인", "cause"), ("해결", "cure"))
            if self.block.get(key)
        ]
        text = (self.text or " ".join(self.remedies)) + (f" ({'; '.join(reasons)})" if reasons else "")
        return Lesson(category=self.category, text=text, remedy="\n".join(self.remedies) or None)


@dataclass(slots=True)
class LessonReader:
    """Takes a message line by line; what it does not take belongs to somebody else.

    `listing`: a heading was read, so every entry is a lesson, its category known or not.
    `file`: a document of lessons, where a quotation is as good as a plain line.
    """

    listing: bool = False
    file: bool = False
    drafts: list[_Draft] = field(default_factory=list[_Draft])
    _remedy_column: int = 0
    _default: str = ""
    _style: Literal["", "bullets", "plain"] = ""

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        return tuple(lesson for draft in self.drafts if (lesson := draft.lesson()).text)

    def take(self, line: Spoken) -> bool:
        """Is the line a lesson's, or a heading of lessons?"""
        return (
            self._row(line)
            or self._arrow(line)
            or self._categorised(line)
            or self._header(line)
            or self._part_of_block(line)
            or self._listed(line)
        )

    def end(self) -> None:
        """Something else has begun."""
        self.listing, self._style, self._default = False, "", ""

    def _row(self, line: Spoken) -> bool:
        """A table's row that says a category and a sentence: `| 학습 | … |`. The others are its frame."""
        if not (self.listing and line.text.startswith("|")):
            return False
        cells = [cell.strip() for cell in line.text.strip("|").split("|")]
        if _BLOCK.get(folded(cells[0])) == "category":
            self._remedy_column = next(
                (n for n, cell in enumerate(cells) if folded(cell) in _REMEDY_HEADS), 0
            )
        elif len(cells) > 1 and _known(cells[0]):
            self.drafts.append(_Draft(_unbracketed(cells[0]), _unquoted(cells[1])))
            remedy = cells[self._remedy_column] if 1 < self._remedy_column < len(cells) else ""
            if folded(remedy) not in _NONE and (self.file or not line.quoted):
                self.drafts[-1].remedies.append(_unquoted(remedy))
        return True

    def _arrow(self, line: Spoken) -> bool:
        arrow = _ARROW.match(line.text)
        behind = arrow[1] if arrow else line.text
        remedy = _REMEDY.match(behind)
        said = _unquoted(remedy[1]) if remedy and (self.file or not line.quoted) else ""
        if not self.drafts and said and (arrow or _SETS.match(said)):
            self.drafts.append(_Draft(_OURS))
        if not self.drafts or not (arrow or remedy):
            return False
        if said:
            self.drafts[-1].remedies.append(said)
        return True

    def _categorised(self, line: Spoken) -> bool:
        text = _unlabelled(line.text).lstrip(_QUOTES)
        found = None if _is_link(text) else _CATEGORY.match(text)
        if found is None or tag_of(found[1]) or not (self.listing or _known(found[1])):
            return False
        if not found[2]:
            self._default, self.listing, self._style = found[1], True, ""
            return True
        self._begin(found[1], found[2], line)
        return True

    def _header(self, line: Spoken) -> bool:
        label, value = _label_and_value(line.text)
        name = _unmarked(folded(label))
        if line.heading and _known(name) and not value:
            self._default, self.listing, self._style = _unmarked(label), True, ""
            return True
        if not _HEADER.fullmatch(name) or "://" in value or _ELSEWHERE.search(value):
            return False
        self.listing, self._style, self._default = True, "", ""
        if folded(value) not in _NONE and not _BELOW.match(value):
            self._begin("", value, line)
        return True

    def _part_of_block(self, line: Spoken) -> bool:
        label, value = _label_and_value(line.text)
        key = _BLOCK.get(folded(label))
        if key == "category" and value:
            self.drafts.append(_Draft(_unbracketed(value), block={"category": value}))
            return True
        draft = self.drafts[-1] if self.drafts else None
        if key is None or draft is None or not draft.block or key in draft.block:
            return False
        draft.block[key] = value
        if key == "problem":
            draft.text = value
        return True

    def _listed(self, line: Spoken) -> bool:
        if not self.listing:
            return False
        style = "bullets" if line.bullet else "plain"
        if self._style == "bullets" and style == "plain" and line.indent and self.drafts:
            self.drafts[-1].text += " " + _unquoted(line.text)
            return True
        if self._style not in ("", style) or line.heading or (self.file and not self._counts_in_a_file(line)):
            return False
        self._style = style
        self._begin(self._default, line.text, line)
        return True

    def _counts_in_a_file(self, line: Spoken) -> bool:
        label, value = _label_and_value(line.text)
        return line.bullet and (bool(self._default) or not value or _known(folded(label)))

    def _begin(self, category: str, text: str, line: Spoken) -> None:
        label, value = _label_and_value(text)
        if not category and value and _known(folded(label)):
            category, text = _unmarked(label), value
        said, *remedy = _INLINE_REMEDY.split(text, maxsplit=1)
        self._style = self._style or ("bullets" if line.bullet else "plain")
        self.drafts.append(_Draft(category.strip(), _unquoted(said)))
        found = _REMEDY.match(remedy[0]) if remedy else None
        if found and (self.file or not line.quoted):
            self.drafts[-1].remedies.append(_unquoted(found[1]))


MOST = 500
"""Lessons that a file may hold. A cycle has a dozen; each is weighed against all others at once."""


def read_lessons(text: str) -> tuple[Lesson, ...]:
    """The lessons of a file `lessons/cycle{NN}.md`, in its order."""
    reader = LessonReader(listing=True, file=True)
    for line in lines_of(text):
        reader.take(line)
    return reader.lessons


def gathered(lines: Iterable[Spoken]) -> tuple[Lesson, ...]:
    """The lessons in free words: only sentences that say their category, or stand under a heading."""
    reader = LessonReader()
    for line in lines:
        if not reader.take(line):
            reader.end()
    return reader.lessons


def _unmarked(label: str) -> str:
    """Without the emoji that peers put in front."""
    return re.sub(r"^[^\w(\[]+", "", label).strip()


def _known(category: str) -> bool:
    return any(part in CATEGORIES for part in re.split(r"[\s/,·&+]+", folded(category)))


def _is_link(text: str) -> bool:
    """`[README](https://x)` leads elsewhere; `[학습](cycle 2)` is a category, and tells more of it."""
    link = _LINK.match(text)
    return bool(link and (not _known(link[1]) or _ADDRESS.fullmatch(link[2])))


def _label_and_value(text: str) -> tuple[str, str]:
    found = _LABELLED.match(text)
    return (found[1], found[2].strip()) if found and not found[2].startswith("//") else (text, "")


def _unlabelled(text: str) -> str:
    """`Watcher 레슨런: "[학습] …"` without what introduces it."""
    label, value = _label_and_value(text)
    return value if value and _HEADER.fullmatch(folded(label)) else text


def _unquoted(text: str) -> str:
    return text.strip().strip(_QUOTES).strip()


def _unbracketed(text: str) -> str:
    return text.strip().strip("[]［］【】").strip()
