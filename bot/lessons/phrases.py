"""How peers word an order, a report of what was, a doubt or a prohibition; numbers as they write them."""

import re

NUMBER = r"(?>[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?)(?!\.?\d)"
"""Atomic: the 6 of 64 is never a number of its own."""

LARGEST = 1e15

ARROW = r"(?:→|⇒|➜|->|=>)"
TO = r"\s*(?:으로|로)(?![가-힣]*부터)"
"""The particle that says where a change leads: `32로`, `16으로`."""

_TOLD = re.compile(
    r"\s*(?:에서|에선|일\s*때|인\s*(?:경우|상태)|였|이었|이라|라서|때문|은\s|는\s|/|번|회|개|배|%|분\b)|\s+(?:was|caused|led)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"했|하였|하니|해서|해도|하면|할\s*때|하던|한\s*결과|해\s*보니|더니|췄|였|렸|됐|되었|돌렸|썼|니까"
    r"|(?:학습|설정|사용|적용|변경|진행)\s*(?:시|중|결과|후)(?=[\s,에]|$)"
    r"|\bled to\b|\bcaused\b"
)
_DENIED = re.compile(r"지\s*(?:마|말|않)|금지|안\s*됨|(?:do not|don't|never|must not)\b", re.IGNORECASE)
_DENIED_AHEAD = re.compile(r"(?:do not|don't|never|must not|not to)\b[^,;.\n]*$", re.IGNORECASE)
_DOUBTED = re.compile(
    r"까요|까\?|어떨|어떤가|검토|고려|추천|권장|권고|제안|좋을|\?"
    r"|\b(?:maybe|might|perhaps|consider|could|should we|suggest)",
    re.IGNORECASE,
)
_SOLVED = re.compile(
    r"(?:발산|OOM|부족|과적합|정체|NaN)\S{0,2}\s*(?:발생\s*)?(?:없|해결|해소|안\s*됨|하지\s*않)"
    r"|\b(?:no|without|no more|fixed)\s+(?:the\s+)?(?:OOM|out of memory|NaN|overfit|plateau|diverg)",
    re.IGNORECASE,
)
_FINE = re.compile(
    r"정상|문제\s*없|이상\s*없|괜찮|중요|유지|양호|\b(?:fine|good|ok|okay|important|keep)\b", re.IGNORECASE
)


def tells(tail: str) -> bool:
    """Do the words behind a value tell of a run that was, instead of asking for one?

    >>> tells("에서 GPU 메모리 부족"), tells("로 설정했더니 발산"), tells(" 사용 시 느림")
    (True, True, True)
    >>> tells("로 낮춰 주세요")
    False
    """
    return bool(_TOLD.match(tail) or _PAST.search(clause(tail)))


def denies(words: str) -> bool:
    """
    >>> denies("batch_size를 32로 바꾸지 마세요"), denies("do not lower lr to 1e-5"), denies("lr을 1e-5로")
    (True, True, False)
    """
    return bool(_DENIED.search(words))


def denies_ahead(head: str) -> bool:
    """Do the words before an order take it back?

    >>> denies_ahead("do not use "), denies_ahead("do not panic, use ")
    (True, False)
    """
    return bool(_DENIED_AHEAD.search(head))


def doubts(words: str) -> bool:
    """
    >>> doubts("lr을 1e-5로 낮추는 것을 검토"), doubts("maybe lower lr to 1e-5"), doubts("lr을 1e-5로")
    (True, True, False)
    """
    return bool(_DOUBTED.search(words))


def praises(words: str) -> bool:
    """
    >>> praises("첫 50프레임은 정상"), praises("the first 50 frames are fine"), praises("첫 50프레임은 무효")
    (True, True, False)
    """
    return bool(_FINE.search(words))


def solved(words: str) -> bool:
    """Is a trouble named only to say that it is gone?

    >>> solved("발산 없이 수렴"), solved("no OOM since then"), solved("OOM 2회 발생")
    (True, True, False)
    """
    return bool(_SOLVED.search(words))


def clause(words: str) -> str:
    """Up to where the next clause begins.

    >>> clause("로 낮추고, 나머지는 그대로"), clause(" 적용. 끝")
    ('로 낮추고', ' 적용')
    """
    return re.split(r"[,;\n]|\.(?!\d)", words, maxsplit=1)[0]


def number(text: str) -> int | float:
    """What is beyond all bounds comes out as the largest number there is here.

    >>> number("32"), number("1,000"), number("1e-5"), number("2.50")
    (32, 1000, 1e-05, 2.5)
    """
    value = max(-LARGEST, min(LARGEST, float(text.replace(",", ""))))
    return int(value) if value.is_integer() and "e" not in text.lower() else value


def to(count: int) -> str:
    """A number with the particle `(으)로` as it is read: 32로, 16으로, 10으로.

    >>> to(32), to(16), to(10)
    ('32로', '16으로', '10으로')
    """
    return f"{count}{'으로' if str(count)[-1] in '036' else '로'}"
