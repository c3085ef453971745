"""How often an action channel's error counts in what is minimised."""

import re

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement, Unclear
from bot.lessons.phrases import NUMBER, denies, doubts, number

FIELD = "training.action_weights"
_WEIGHT = re.compile(
    r"(?<!사전학습 )(?<!학습된 )(?<!초기 )가중치|\bweight(?:s|ed|ing)?\b(?!_)(?!\s*decay)|\baction_weights\b",
    re.IGNORECASE,
)
_OF_A_NETWORK = re.compile(
    r"사전\s*학습|pretrained|imagenet|초기\s*가중치|initial\s+weights|checkpoint|체크포인트|act_best"
    r"|가중치(?:에서|부터)",
    re.IGNORECASE,
)
_WORDS = {
    "두": 2.0,
    "세": 3.0,
    "네": 4.0,
    "다섯": 5.0,
    "열": 10.0,
    "절반": 0.5,
    "double": 2.0,
    "twice": 2.0,
    "halve": 0.5,
}
_TIMES = re.compile(
    rf"(?P<times>{NUMBER}|두|세|네|다섯|열)\s*(?:배|times|x\b|×)(?!\s*(?:높음|높아|높은|낮음|낮은|큼|큰|higher|larger))|(?P<half>절반)|\b(?P<verb>double|halve)\b|(?P<word>twice)\b|(?:\bx|×)\s*(?P<x>{NUMBER})"
    rf"|(?:가중치|weight)\S{{0,3}}\s*(?:to\s+|of\s+|by\s+)?[=:]?\s*(?P<value>{NUMBER})(?:\s*(?:배|x\b|times))?",
    re.IGNORECASE,
)
_EACH = re.compile(r"각각|respectively", re.IGNORECASE)
_EITHER = re.compile(r"거나|또는|혹은|이나\s|\bor\b", re.IGNORECASE)
_WHICH = "action_weights={steering: 2}"


def weighted_channel(words: str, ground: Ground) -> Judgement | None:
    """A channel that counts more, or less. One of two ways out is no order.

    >>> weighted_channel("steering에 가중치 2배", Ground()).summary
    'steering 가중치 2배'
    >>> weighted_channel("double the weight of the bucket channel", Ground()).summary
    'bucket 가중치 2배'
    >>> weighted_channel("steering과 lift 가중치를 각각 2배, 1.5배로", Ground()).summary
    'steering 가중치 2배, lift 가중치 1.5배'
    >>> weighted_channel("steering보다 lift 가중치를 2배로, throttle은 그대로", Ground()).summary
    'lift 가중치 2배'
    >>> weighted_channel("lift 가중치 1.5배, steering 가중치 2배", Ground()).summary
    'lift 가중치 1.5배, steering 가중치 2배'
    >>> weighted_channel("action_weights={steering: 2, lift: 0.5}", Ground()).summary
    'steering 가중치 2배, lift 가중치 0.5배'
    >>> weighted_channel("steering에 가중치를 2배 적용하거나 극단 시나리오 보강 필요", Ground()).exact
    False
    >>> weighted_channel("steering 가중치 상향 검토", Ground()).why
    'steering 가중치를 얼마로 할지 없음'
    >>> weighted_channel("initial weights from ImageNet", Ground())
    """
    if not _WEIGHT.search(words) or _OF_A_NETWORK.search(words) or denies(words):
        return None
    named = [name for name in ground.config.action_names if _place(name, words) >= 0]
    named.sort(key=lambda name: _place(name, words))
    said = _listed(words, named) or _at_once(words, named)
    if said is None:
        return None
    if not said:
        which = f"{', '.join(named)} 가중치를 얼마로 할지 없음" if named else "어느 채널의 가중치인지 없음"
        return Unclear(which, f"→ 적용: {_WHICH}")
    weights = {**ground.config.training.action_weights, **said}
    summary = ", ".join(f"{name} 가중치 {weight:g}배" for name, weight in said.items())
    exact = not (doubts(words) or _EITHER.search(words))
    return changing(ground.config, {FIELD: weights}, exact=exact, summary=summary)


def _listed(words: str, named: list[str]) -> dict[str, float]:
    """`{steering: 2, lift: 0.5}`, `steering=2`."""
    found = [(name, re.search(rf"{name}[\"']?\s*[:=]\s*({NUMBER})", words)) for name in named]
    return {name: float(number(one[1])) for name, one in found if one}


def _at_once(words: str, named: list[str]) -> dict[str, float] | None:
    """One weight for all that are named, or each weight for those beside it; nothing where none is said, or
    it cannot be told whose; None of what tells of a run that was."""
    found = list(_TIMES.finditer(words))
    if not found:
        return {}
    if tells(words[found[-1].end() :]):
        return None
    weights = [_weight(one) for one in found]
    if _EACH.search(words):
        return dict(zip(named, weights, strict=True)) if len(named) == len(weights) else {}
    return _beside(words, named, found)


def _weight(found: re.Match[str]) -> float:
    said = found["times"] or found["half"] or found["verb"] or found["word"] or found["x"] or found["value"]
    return _WORDS.get(said.lower()) or float(number(said))


def _beside(words: str, named: list[str], found: list[re.Match[str]]) -> dict[str, float]:
    """Korean names the channel before its weight, `double the steering weight` behind it."""
    ahead = found[0]["verb"] is not None or not any(
        0 <= _place(name, words) < found[0].start() for name in named
    )
    edges = [one.start() for one in found] + [len(words)] if ahead else [0] + [one.end() for one in found]
    said: dict[str, float] = {}
    for one, start, end in zip(found, edges, edges[1:], strict=False):
        beside = [name for name in named if _place(name, words, start, end) >= 0]
        if not beside:
            return {}
        said |= dict.fromkeys(beside, _weight(one))
    return said


def _place(name: str, words: str, start: int = 0, end: int | None = None) -> int:
    found = re.compile(rf"(?<![A-Za-z0-9_]){name}(?!\s*(?:보다|대비))").search(
        words, start, len(words) if end is None else end
    )
    return found.start() if found else -1
