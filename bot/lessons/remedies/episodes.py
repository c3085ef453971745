"""Which frames of which episodes are used."""

import re
from collections.abc import Iterator

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.judgement import Judgement, Unclear
from bot.lessons.phrases import NUMBER, denies, number, praises

_UNIT = r"\s*(?P<unit>프레임|frames?|초|seconds?|s\b)"
_HEAD = re.compile(
    rf"(?:첫|처음|앞쪽|앞|시작|초반|first|leading)\s*(?:번째\s*)?(?P<count>{NUMBER}){_UNIT}", re.IGNORECASE
)
_TAIL = re.compile(
    rf"(?:마지막|끝|뒤쪽|뒤|말미|후반|last|final|trailing)\s*(?P<count>{NUMBER}){_UNIT}", re.IGNORECASE
)
_FROM_ZERO = re.compile(
    r"(?:프레임|frames?)\s*0\s*[-~–]\s*(?P<ko>\d+)|\b0\s*[-~–]\s*(?P<en>\d+)\s*(?:프레임|frames?)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?P<word>episodes?_?|에피소드)\s*(?P<list>\d+(?!\s*개)(?:\s*(?:번|회)?\s*[,~–·-]\s*(?:episode_)?\d+(?!\s*(?:개|프레임)))*)"
)
_ONE_ONLY = re.compile(
    r"(?:episode_\d+|에피소드\s*\d+\s*번?)(?:의|에서|은|는)?\s*(?:첫|처음|앞|시작|초반|마지막|끝|뒤|first|last)"
    r"|(?:first|last)\s+\d+\s+frames\s+(?:of|in)\s+episode[_ ]?\d",
    re.IGNORECASE,
)
_OUT = re.compile(r"제외|빼|버리|버려|삭제|drop|exclude|leave out|remove", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,9})(?:\s*[~–-]\s*(\d{1,9}))?")


def skipped_frames(words: str, ground: Ground) -> Judgement | None:
    """Frames at either end of each episode that are no good. A time becomes frames, which nobody said.

    >>> skipped_frames("에피소드 첫 50프레임은 카메라 스윙으로 무효", Ground()).summary
    '첫 50프레임 스킵'
    >>> skipped_frames("the last 10 frames are frozen", Ground()).summary
    '마지막 10프레임 스킵'
    >>> skipped_frames("첫 2초와 마지막 5프레임은 무효", Ground()).summary
    '첫 60프레임 스킵, 마지막 5프레임 스킵'
    >>> skipped_frames("프레임 0~49는 암전", Ground()).summary
    '첫 50프레임 스킵'
    >>> skipped_frames("첫 50프레임은 정상", Ground())
    >>> skipped_frames("episode_003의 첫 20프레임 손상", Ground()).why
    '한 에피소드의 프레임만 빼는 설정이 없음'
    """
    if praises(words) or denies(words):
        return None
    if _ONE_ONLY.search(words):
        return Unclear("한 에피소드의 프레임만 빼는 설정이 없음", "→ 적용: exclude_episodes=[episode_003]")
    fps = ground.config.dataset.fps
    cut = {
        field: _frames(found, fps)
        for field, form in (("dataset.skip_first_frames", _HEAD), ("dataset.skip_last_frames", _TAIL))
        if (found := form.search(words))
    }
    if not cut and (found := _FROM_ZERO.search(words)):
        cut["dataset.skip_first_frames"] = round(number(found["ko"] or found["en"])) + 1
    if not cut:
        return None
    in_time = any(found["unit"][0] in "초sS" for form in (_HEAD, _TAIL) for found in form.finditer(words))
    ends = {"dataset.skip_first_frames": "첫", "dataset.skip_last_frames": "마지막"}
    summary = ", ".join(f"{ends[field]} {frames}프레임 스킵" for field, frames in cut.items())
    return changing(ground.config, cut, exact=not in_time, summary=summary)


def excluded_episodes(words: str, ground: Ground) -> Judgement | None:
    """Episodes left out by name, beside those left out already. A bare number's name is inferred.

    >>> excluded_episodes("episode_017은 충돌로 제외", Ground()).summary
    'episode_017 제외'
    >>> excluded_episodes("exclude episode_003, 007–009", Ground()).summary
    'episode_003, episode_007, episode_008, episode_009 제외'
    >>> excluded_episodes("에피소드 17번 제외", Ground()).exact
    False
    >>> excluded_episodes("에피소드 5개 제외", Ground())
    """
    spoken = [(found["word"].endswith("_"), list(_names(found["list"]))) for found in _NAMED.finditer(words)]
    names = [name for _, listed in spoken for name in listed]
    if not names or not _OUT.search(words) or denies(words):
        return None
    both = tuple(dict.fromkeys((*ground.config.dataset.exclude_episodes, *names)))
    return changing(
        ground.config,
        {"dataset.exclude_episodes": both},
        exact=all(in_full for in_full, _ in spoken),
        summary=f"{', '.join(dict.fromkeys(names))} 제외",
    )


def _frames(found: re.Match[str], fps: int) -> int | float:
    count = number(found["count"])
    return round(count * fps) if found["unit"][0] in "초sS" else count


def _names(listed: str) -> Iterator[str]:
    """At most a thousand of a range: what is more is a slip."""
    for first, last in _RANGE.findall(listed):
        upto = min(int(last or first), int(first) + 999)
        for place in range(int(first), upto + 1):
            yield f"episode_{place:0{max(3, len(first))}d}"
