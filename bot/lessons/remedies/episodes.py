"""Which episodes are learned from, and which measured by."""

import re
from collections.abc import Iterator

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement, Satisfied, Unclear
from bot.lessons.phrases import NUMBER, denies, doubts, number

_UNUSED = re.compile(
    r"(?:사용|학습|포함)하지\s*(?:말|마|않)|쓰지\s*(?:말|마|않)|(?:do not|don't|never)\s+(?:use|train)",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"제외\s*(?:목록|리스트|대상|에피소드)?\s*에서\s*(?:다시\s*)?(?:빼|제거|삭제|제외)"
    r"|다시\s*(?:포함|사용)|제외\s*(?:를\s*)?(?:해제|취소)"
    r"|re-?includ|include\s+\S+\s+again|(?:from|off)\s+the\s+exclu",
    re.IGNORECASE,
)
_ITEM = r"(?:(?:episodes?[_ ]|에피소드\s*)\d++|\d++(?!\s*(?:개|프레임|frames?|초|%)))\s*번?"
_BETWEEN = r"(?>\s*(?:,\s*(?:and\b|및)?|[~–·&-]|와|과|하고|및|부터|에서|and\b|to\b|through\b)\s*)"
NAMED = re.compile(
    rf"(?P<word>episodes?_?|에피소드)\s*(?P<list>\d++(?!\s*개)\s*번?(?:{_BETWEEN}{_ITEM})*+)", re.IGNORECASE
)
_NUMBERED = re.compile(rf"(?<!\d)(?P<list>\d++\s*번(?:{_BETWEEN}\d++\s*번)*+)\s*(?:의\s*)?에피소드")
_KEPT = re.compile(
    r"유지|남기|남겨|포함|사용|가운데|중(?:에서|에)?\s+\d|만\s*(?:제외|빼)|(?:제외한|뺀)\s*나머지"
    r"|\b(?:keep|retain|include|except|but not|only)\b",
    re.IGNORECASE,
)
OUT = re.compile(
    r"(?:사용|학습)하지|쓰지|do not use|제외|빼|버리|버려|삭제|drop|exclude|leave out|remove", re.IGNORECASE
)
_INVALID = re.compile(r"무효|invalid|unusable", re.IGNORECASE)
_FRAMES = re.compile(r"프레임|frames?|\d\s*초", re.IGNORECASE)
_MEASURED = r"(?:h(?:e|o)ld[-_\s]?out|검증용|검증\s*(?:셋|세트|데이터)|validation\s+(?:set|split))"
_HELD_OUT = re.compile(
    rf"{_MEASURED}(?!\s*(?:loss|손실|l1|오차|error))\D{{0,16}}?(?P<ahead>{NUMBER})\s*%"
    r"(?!\s*(?:상승|증가|감소|하락|높|낮|개선|악화))"
    rf"|(?P<aside>{NUMBER})\s*%\s*(?:of\s+(?:the\s+)?(?:episodes|data)\s+)?(?:aside\s+)?for\s+validation"
    rf"|(?P<behind>{NUMBER})\s*%\s*(?:of\s+(?:the\s+)?episodes\s+)?(?:를|을|는)?\s*(?:as\s+|for\s+)?{_MEASURED}",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d{1,9})\s*번?(?:\s*(?:[~–-]|부터|에서|to\b|through\b)\s*\D{0,9}?(\d{1,9}))?")


def excluded_episodes(words: str, ground: Ground) -> Judgement | None:
    """Episodes left out by name, beside those left out already. A bare number's name is inferred.

    >>> excluded_episodes("episode_017은 충돌로 제외", Ground()).summary
    'episode_017 제외'
    >>> excluded_episodes("exclude episode_003, 007–009", Ground()).summary
    'episode_003, episode_007, episode_008, episode_009 제외'
    >>> excluded_episodes("에피소드 17번 제외", Ground()).exact
    False
    >>> excluded_episodes("12번, 15번 에피소드 제외", Ground()).summary
    'episode_012, episode_015 제외'
    >>> excluded_episodes("에피소드 10~20 중 15만 제외", Ground()).why
    '제외할 에피소드와 남길 에피소드가 한 문장에 있음'
    >>> excluded_episodes("episode_005는 재생성 완료, 제외 목록에서 빼도 됨", Ground()).why
    '이미 episode_005 포함'
    >>> excluded_episodes("episode_000~002는 시뮬레이터 버그로 무효", Ground()).exact
    False
    >>> excluded_episodes("에피소드 5개 제외", Ground())
    """
    spoken = [(found["word"].endswith("_"), list(_names(found["list"]))) for found in NAMED.finditer(words)]
    spoken += [(False, list(_names(found["list"]))) for found in _NUMBERED.finditer(words)]
    names = [name for _, listed in spoken for name in listed]
    if names and _BACK.search(words):
        return _included_again(names, ground)
    invalid = bool(_INVALID.search(words)) and not _FRAMES.search(words)
    if not names or not (OUT.search(words) or invalid) or (denies(words) and not unused(words)):
        return None
    if _KEPT.search(words):
        return Unclear(
            "제외할 에피소드와 남길 에피소드가 한 문장에 있음",
            "→ 적용: exclude_episodes=[episode_003, episode_007]",
        )
    both = tuple(dict.fromkeys((*ground.config.dataset.exclude_episodes, *names)))
    return changing(
        ground.config,
        {"dataset.exclude_episodes": both},
        exact=all(in_full for in_full, _ in spoken) and bool(OUT.search(words)) and not doubts(words),
        summary=f"{', '.join(dict.fromkeys(names))} 제외",
    )


def unused(words: str) -> bool:
    """What is not to be used is denied by its words, and asks to be left out."""
    return bool(_UNUSED.search(words))


def _included_again(names: list[str], ground: Ground) -> Judgement:
    left_out = ground.config.dataset.exclude_episodes
    if not set(names) & set(left_out):
        return Satisfied(f"이미 {', '.join(names)} 포함")
    stays = tuple(name for name in left_out if name not in names)
    return changing(
        ground.config,
        {"dataset.exclude_episodes": stays},
        exact=False,
        summary=f"{', '.join(names)} 다시 포함",
    )


def _names(listed: str) -> Iterator[str]:
    """At most a thousand of a range: what is more is a slip."""
    for first, last in _RANGE.findall(listed):
        upto = min(int(last or first), int(first) + 999)
        for place in range(int(first), upto + 1):
            yield f"episode_{place:0{max(3, len(first))}d}"


def held_out_episodes(words: str, ground: Ground) -> Judgement | None:
    """A share of the episodes to measure by.

    >>> held_out_episodes("검증용으로 에피소드 10% 남기기", Ground()).summary
    'holdout 0.1'
    >>> held_out_episodes("hold out 20% of the episodes", Ground()).exact
    True
    >>> held_out_episodes("held-out loss가 10% 상승", Ground())
    """
    found = _HELD_OUT.search(words)
    if found is None or denies(words) or tells(words[found.end() :]):
        return None
    share = number(found["ahead"] or found["aside"] or found["behind"]) / 100
    return changing(ground.config, {"dataset.holdout": share}, exact=not doubts(words))
