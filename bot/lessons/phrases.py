"""How peers word an order, a report of what was, a doubt or a prohibition; numbers as they write them."""

import re

NUMBER = r"(?>[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?)(?!\.?\d)"
"""Atomic: the 6 of 64 is never a number of its own."""

LARGEST = 1e15

ARROW = r"(?:→|⇒|➜|->|=>)"
TO = r"\s*(?:으로|로)(?![가-힣]*부터)"
"""The particle that says where a change leads: `32로`, `16으로`."""

_FORBIDDEN = re.compile(r"지\s*(?:마|말)|금지|안\s*됨|(?:do not|don't|never|must not)\b", re.IGNORECASE)
_DENIED = re.compile(
    rf"{_FORBIDDEN.pattern}|지\s*않|불?필요\S*\s*없|불필요|더\s*이상|그만|취소|해제|되돌|원복"
    r"|\b(?:stop|no longer|not needed|unneeded|unnecessary|revert|undo)\b",
    re.IGNORECASE,
)
_BECAUSE_NOT = re.compile(r"지\s*않(?:으므로|아서|아\s|기\s*때문|으니)")
_DENIED_AHEAD = re.compile(
    r"(?:do not|don't|never|must not|should not|shouldn't|cannot|can't|not to)\b[^,;.\n]*$", re.IGNORECASE
)
_DOUBTED = re.compile(
    r"까요|까\?|어떨|어떤가|검토|고려|추천|권장|권고|제안|좋을|\?|것\s*같|듯|아마"
    r"|가능하면|가급적|되도록|필요(?:하면|시)|정도|쯤|가량|대략|(?<![가-힣])약\s*\d"
    r"|\b(?:maybe|might|perhaps|probably|likely|consider|could|should we|suggest|seems?"
    r"|if (?:possible|needed)|(?:about|around|roughly|approximately)\s+\d)",
    re.IGNORECASE,
)
_HAPPENS = r"(?:발생|재발|발산|부족|정체|초과|실패|감지|증가|감소|상승|악화|반복|지속|과적합)"
_CONDITION = re.compile(
    rf"{_HAPPENS}(?:이|가)?\s*(?:[하되]|나오|나|보이)면(?=[\s,])|{_HAPPENS}\s*(?:할\s*|될\s*)?(?:시|경우)(?:에는|에|는|엔)?(?=[\s,])"
    r"|(?<![가-힣])(?:나|나오|생기|보이|오르|떨어지|넘으|커지|느리|멈추|없으|있으|낮으|높으|[가-힣]+지\s*않으)면(?=[\s,])"
    r"|만약|만일|(?:OOM|NaN)(?:이|가)?\s*(?:이면|면|나면|발생\s*시|시(?=[\s,:])|일\s*경우)"
    r"|\bwhen(?:ever)?\b[^,;.\n]*\b(?:occurs?|happens?|appears?|fails?|diverges?|plateaus?|runs?\s+out)\b"
    r"|\bshould\s+\S+\s+(?:occur|happen|diverge|fail|appear)"
    r"|\b(?:if(?!\s+(?:possible|needed|you)\b)|unless|in case|whenever)\b",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"(?:[,;\n]|\.(?!\d)|(?<=[가-힣][고며])\s|\band\b(?!\s+[\w ]+\b(?:augmentation|jitter)))"
    r"(?![^\[({]*[\])}])"
)
_FINE = re.compile(
    r"정상|문제\s*없|이상\s*없|괜찮|중요|유지|양호|\b(?:fine|good|ok|okay|important|keep)\b", re.IGNORECASE
)


def denies(words: str) -> bool:
    """
    >>> denies("batch_size를 32로 바꾸지 마세요"), denies("do not lower lr to 1e-5"), denies("lr을 1e-5로")
    (True, True, False)
    """
    return bool(_DENIED.search(words))


def refuses(words: str) -> bool:
    """As `denies`, but that something is not so may be the reason for an order.

    >>> refuses("로봇이 움직이지 않으므로 잘라낼 것"), refuses("잘라내지 말 것")
    (False, True)
    """
    return denies(_BECAUSE_NOT.sub("", words))


def forbids(words: str) -> bool:
    """Do they say what must not be done? Weaker than `denies`: what does not happen is no order.

    >>> forbids("lr을 바꾸지 마세요"), forbids("loss가 더 이상 줄지 않음"), denies("loss가 더 이상 줄지 않음")
    (True, False, True)
    """
    return bool(_FORBIDDEN.search(words))


def depends(words: str) -> bool:
    """Do they say what to do once something happens, which nobody knows yet?

    >>> depends("OOM이 다시 발생하면 batch_size를 32로"), depends("if it diverges, use lr 5e-5")
    (True, True)
    >>> depends("가능하면 lr을 5e-5로"), depends("lr을 5e-5로 낮추면 안정")
    (False, False)
    """
    return bool(_CONDITION.search(words))


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


def clause(words: str) -> str:
    """Up to where the next clause begins.

    >>> clause("로 낮추고, 나머지는 그대로"), clause(" 적용. 끝")
    ('로 낮추고', ' 적용')
    """
    return re.split(r"[,;\n]|\.(?!\d)", words, maxsplit=1)[0]


def clauses(words: str) -> list[str]:
    """Each that may say something of its own; what stands in brackets stays together.

    >>> clauses("lr을 5e-5로 낮추고, warmup 추가. image_size=[96, 96] and seed=7")
    ['lr을 5e-5로 낮추고', 'warmup 추가', 'image_size=[96, 96]', 'seed=7']
    """
    parts = _BETWEEN.split(words)
    return [part.strip() for part in parts if part.strip()]


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
