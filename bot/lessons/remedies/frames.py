"""Frames at either end of each episode."""

import re

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.judgement import Judgement, Unclear
from bot.lessons.phrases import NUMBER, clause, doubts, number, praises, refuses
from bot.lessons.remedies.episodes import NAMED, OUT, unused

FIRST, LAST = "dataset.skip_first_frames", "dataset.skip_last_frames"
_UNIT = r"\s*(?P<unit>프레임|frames?|초|seconds?|s\b)"
_TAIL_WORD = r"(?:마지막|끝|뒤쪽|뒷부분|뒤|말미|후반부|후반|last|final|trailing)"
_TAIL = re.compile(rf"{_TAIL_WORD}\s*(?P<count>{NUMBER}){_UNIT}", re.IGNORECASE)
_HEAD = re.compile(
    rf"(?:첫|처음|앞쪽|앞부분|앞|시작|초반부|초반|도입부|first|leading|initial)\s*(?:번째\s*)?(?P<count>{NUMBER})"
    rf"(?:{_UNIT}|(?=\s*(?:and|및|,|와|과)\s*(?:the\s+)?{_TAIL_WORD}\s*\d+\s*(?P<later>프레임|frames?|초|seconds?|s\b)))",
    re.IGNORECASE,
)
_AT_AN_END = re.compile(
    rf"\b(?:trim|cut|skip|drop|discard|remove|exclude)\s+(?P<count>{NUMBER}){_UNIT}\s+(?:off\s+|from\s+|at\s+)?(?:at\s+)?"
    r"the\s+(?:(?P<head>beginning|start|head)|end|tail)\b",
    re.IGNORECASE,
)
_ONLY = re.compile(
    r"(?:프레임|frames?|초)만\s*(?:을\s*)?(?:사용|학습|남기|쓰)|\bonly\b|keep\s+the\s+(?:first|last)",
    re.IGNORECASE,
)
_USEFUL = re.compile(
    r"포함|필요(?!\S*\s*없)|유용|살리|살려|남기|남겨|\b(?:includ\w*|needed|useful|necessary)\b", re.IGNORECASE
)
_NO_GOOD = re.compile(
    r"무효|암전|정지|멈|손상|무의미|스킵|제외|제거|잘라|자르|버리|버려|빼|사용하지|쓰지|처리|줄[이일여]|적용"
    r"|\b(?:skip|drop|trim|cut|discard|ignor|exclud|remov|do not use"
    r"|invalid|black|blank|frozen|freez|broken|corrupt|bad)",
    re.IGNORECASE,
)
"""Without such a word frames are spoken of, and nobody said to leave them out."""
_FROM_ZERO = re.compile(
    r"(?:프레임|frames?)\s*0\s*[-~–]\s*(?P<ko>\d+)|\b0\s*[-~–]\s*(?P<en>\d+)\s*(?:프레임|frames?)",
    re.IGNORECASE,
)
_ONE = r"(?:episode_\d+|에피소드\s*\d+\s*번?)(?:[\s,~–·와과-]+(?:episode_)?\d+\s*번?)*"
_ONE_ONLY = re.compile(
    rf"{_ONE}(?:의|에서|은|는)?\s*(?:첫|처음|앞|시작|초반|마지막|끝|뒤|first|last)"
    r"|(?:first|last)\s+\d+\s+frames\s+(?:of|in)\s+episodes?[_ ]?\d"
    r"|(?:episode_|에피소드\s*)\d[^.;\n]*(?:한정|에만|만\s*해당)",
    re.IGNORECASE,
)
_CHANGED_TO = re.compile(
    rf"(?P<ko>{NUMBER})\s*(?:프레임|frames?)?\s*(?:으로|로)\s*(?:줄|늘|변경|축소|확대|바꾸|바꿔|조정)"
    rf"|\bto\s+(?P<en>{NUMBER})\b",
    re.IGNORECASE,
)


def skipped_frames(words: str, ground: Ground) -> Judgement | None:
    """Frames at either end of each episode that are no good. A time becomes frames, which nobody said.

    >>> skipped_frames("에피소드 첫 50프레임은 카메라 스윙으로 무효", Ground()).summary
    '첫 50프레임 스킵'
    >>> skipped_frames("the last 10 frames are frozen", Ground()).summary
    '마지막 10프레임 스킵'
    >>> skipped_frames("첫 2초와 마지막 5프레임은 무효", Ground()).summary
    '첫 60프레임 스킵, 마지막 5프레임 스킵'
    >>> skipped_frames("skip the first 30 and the last 15 frames", Ground()).summary
    '첫 30프레임 스킵, 마지막 15프레임 스킵'
    >>> skipped_frames("trim 20 frames from the end of each episode", Ground()).summary
    '마지막 20프레임 스킵'
    >>> skipped_frames("앞 50프레임은 사용하지 말 것", Ground()).summary
    '첫 50프레임 스킵'
    >>> skipped_frames("첫 200프레임만 사용", Ground()).why
    '일부 프레임만 쓰는 설정이 없음 (앞뒤를 잘라낼 수는 있음)'
    >>> skipped_frames("프레임 0~49는 암전", Ground()).summary
    '첫 50프레임 스킵'
    >>> skipped_frames("첫 50프레임은 정상", Ground())
    >>> skipped_frames("첫 50프레임 스킵을 30프레임으로 줄일 것", Ground()).summary
    '첫 30프레임 스킵'
    >>> skipped_frames("처음 50프레임 정도는 무효", Ground()).exact
    False
    >>> skipped_frames("episode_003의 첫 20프레임 손상", Ground()).why
    '몇몇 에피소드의 프레임만 빼는 설정이 없음'
    """
    if praises(words) or _USEFUL.search(words) or (refuses(words) and not unused(words)):
        return None
    if _ONLY.search(words) and (_HEAD.search(words) or _TAIL.search(words)):
        return Unclear(
            "일부 프레임만 쓰는 설정이 없음 (앞뒤를 잘라낼 수는 있음)", "→ 적용: skip_last_frames=50"
        )
    if _ONE_ONLY.search(words) or _names_some(words):
        return Unclear("몇몇 에피소드의 프레임만 빼는 설정이 없음", "→ 적용: exclude_episodes=[episode_003]")
    fps = ground.config.dataset.fps
    named = _at_either_end(words)
    cut = {field: _changed(words[found.end() :]) or _frames(found, fps) for field, found in named.items()}
    if FIRST not in cut and (found := _FROM_ZERO.search(words)):
        cut[FIRST] = round(number(found["ko"] or found["en"])) + 1
    if not cut:
        return None
    in_time = any(_is_time(found) for found in named.values())
    ends = {FIRST: "첫", LAST: "마지막"}
    summary = ", ".join(f"{ends[field]} {frames}프레임 스킵" for field, frames in cut.items())
    exact = bool(_NO_GOOD.search(words)) and not (in_time or doubts(words))
    return changing(ground.config, cut, exact=exact, summary=summary)


def _at_either_end(words: str) -> dict[str, re.Match[str]]:
    """Where frames are counted, by the field they belong to, the first before the last."""
    said = [(FIRST, _HEAD.search(words)), (LAST, _TAIL.search(words))]
    said += [(FIRST if found["head"] else LAST, found) for found in _AT_AN_END.finditer(words)]
    named = {field: found for field, found in reversed(said) if found}
    return {field: named[field] for field in (FIRST, LAST) if field in named}


def _names_some(words: str) -> bool:
    """Are episodes named that are not to be left out?"""
    return bool(NAMED.search(words) and _HEAD.search(words)) and not OUT.search(words)


def _changed(tail: str) -> int | float | None:
    """Where a cut is changed, how many frames it comes to."""
    found = _CHANGED_TO.search(clause(tail))
    return number(found["ko"] or found["en"]) if found else None


def _frames(found: re.Match[str], fps: int) -> int | float:
    count = number(found["count"])
    return round(count * fps) if _is_time(found) else count


def _is_time(found: re.Match[str]) -> bool:
    unit = found["unit"] or found["later"]
    return unit[0] in "초sS"
