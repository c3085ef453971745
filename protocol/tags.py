"""The words in square brackets that open a message, in every spelling the peers use."""

import re
import unicodedata
from enum import StrEnum


class Tag(StrEnum):
    HANDOFF = "HANDOFF"
    REPORT = "REPORT"
    BLOCKED = "BLOCKED"
    DONE = "DONE"
    RECEIPT = "RECEIPT"
    ANSWER = "ANSWER"
    QUESTION = "QUESTION"
    ALERT = "ALERT"
    LESSONS = "LESSONS"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    ACK = "ACK"
    STOP = "STOP"
    RESUME = "RESUME"
    RETRY = "RETRY"


_ALSO = {
    Tag.HANDOFF: "핸드오프 인계 hand-off handover",
    Tag.REPORT: "보고",
    Tag.DONE: "완료",
    Tag.ANSWER: "답변 reply re",
    Tag.QUESTION: "질문",
    Tag.LESSONS: "lesson 레슨런 레슨 교훈",
    Tag.APPROVE: "approved approval 승인",
    Tag.REJECT: "rejected rejection 반려 거절 거부",
    Tag.ACK: "확인 acknowledged",
    Tag.STOP: "중단 중지 정지 cancel",
    Tag.RESUME: "재개",
    Tag.RETRY: "재시도",
}
_BY_WORD = {tag.casefold(): tag for tag in Tag} | {
    word: tag for tag, words in _ALSO.items() for word in words.split()
}

BRACKETED = re.compile(r"([\[［])([^\[\]［］\n]{1,24})(?=[\]］])")
"""An opening bracket and the word behind it, of either width; the closing one is looked at, not taken."""

_INVISIBLE_OR_SPACE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff*_]+")


def tag_of(word: str) -> Tag | None:
    """The tag a bracketed word stands for: any case, any width, blanks and invisible signs left out.

    >>> tag_of("ＨＡＮＤＯＦＦ")
    <Tag.HANDOFF: 'HANDOFF'>
    """
    plain = _INVISIBLE_OR_SPACE.sub("", unicodedata.normalize("NFKC", word)).casefold()
    return _BY_WORD.get(plain)
