"""A field by its name, its value only in proportion: twice, half, ten times lower."""

import re

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement
from bot.lessons.names import NAME, field_of
from bot.lessons.phrases import NUMBER, clause, number, refuses

_WORDS = {"두": 2, "세": 3, "네": 4, "다섯": 5, "열": 10}
_DO = r"(?=\s*(?:정도\s*|쯤\s*)?(?:로|으로|낮|줄|축소|감소|늘|높|올|확대|증가|적용|[,.;\n]|$))"
_TIMES = re.compile(
    rf"(?P<name>{NAME})(?:을|를|은|는|이|가)?\s*(?P<times>{NUMBER}|{'|'.join(_WORDS)})\s*배{_DO}",
    re.IGNORECASE,
)
_HALF = re.compile(rf"(?P<name>{NAME})(?:을|를|은|는)?\s*(?:절반|반|1/2)\s*(?:으로|로)", re.IGNORECASE)
_PERCENT = re.compile(
    rf"(?P<name>{NAME})(?:을|를|은|는)?\s*(?P<percent>{NUMBER})\s*%\s*(?=낮|줄|축소|감소|늘|높|올|확대|증가)",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    rf"(?P<verb>halve|double)\s+(?:the\s+)?(?P<name>{NAME})"
    rf"|(?P<down>lower|reduce|decrease|raise|increase)\s+(?:the\s+)?(?P<other>{NAME})\s+(?:by\s+a\s+factor\s+of\s+(?P<factor>{NUMBER})"
    rf"|(?:by\s+)?(?P<times>{NUMBER})\s*(?:x\b|times\b)"
    rf"|by\s+(?P<percent>{NUMBER})\s*%)"
    rf"|(?:use|with|at)\s+half\s+(?:of\s+)?(?:the\s+)?(?P<half>{NAME})"
    rf"|(?:cut|reduce)\s+(?:the\s+)?(?P<cut>{NAME})\s+(?:in|by)\s+half",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    rf"(?P<name>{NAME})(?:을|를|은|는)?\s*(?:1\s*/\s*(?P<part>\d+)|(?P<of>\d+)\s*분의\s*(?:1|일))\s*(?:으로|로|수준)",
    re.IGNORECASE,
)
_DOWN = re.compile(r"\s*(?:정도\s*|쯤\s*)?(?:로\s*)?(?:낮|줄|축소|감소|내리|내려)")


def in_proportion(words: str, ground: Ground) -> Judgement | None:
    """What comes out was not said as a number, so it is inferred.

    >>> in_proportion("lr을 10배 낮춰 주세요", Ground()).summary
    'lr 1e-5'
    >>> in_proportion("batch_size를 절반으로", Ground()).summary
    'batch_size 32'
    >>> in_proportion("epochs를 두 배로 늘려", Ground()).summary
    'epochs 1000'
    >>> in_proportion("lr을 30% 낮춰", Ground()).summary
    'lr 7e-5'
    >>> in_proportion("학습률을 10분의 1로", Ground()).summary
    'lr 1e-5'
    >>> in_proportion("reduce lr 10x", Ground()).summary
    'lr 1e-5'
    >>> in_proportion("halve the batch size", Ground()).summary
    'batch_size 32'
    >>> in_proportion("lower lr by a factor of 10", Ground()).summary
    'lr 1e-5'
    >>> in_proportion("use half the learning rate", Ground()).summary
    'lr 5e-5'
    >>> in_proportion("lower lr by 50%", Ground()).summary
    'lr 5e-5'
    >>> in_proportion("steering 채널의 loss가 10배 높음", Ground())
    """
    for found, factor in _proportions(words):
        said = found.groupdict()
        field = field_of(next(filter(None, map(said.get, ("name", "other", "half", "cut")))))
        section, _, name = field.partition(".")
        value = getattr(getattr(ground.told_of, section), name)
        if isinstance(value, int | float) and not tells(words[found.end() :]) and not refuses(words):
            return changing(ground.config, {field: _times(value, factor)}, exact=False)
    return None


def _proportions(words: str) -> list[tuple[re.Match[str], float]]:
    said = [(found, _korean(found, words)) for found in _TIMES.finditer(words)]
    said += [(found, 0.5) for found in _HALF.finditer(words)]
    said += [
        (found, 1 / max(1.0, number(found["part"] or found["of"]))) for found in _FRACTION.finditer(words)
    ]
    said += [(found, _percent(found, words)) for found in _PERCENT.finditer(words)]
    said += [(found, _english(found)) for found in _ENGLISH.finditer(words)]
    return [(found, factor) for found, factor in said if factor > 0]


def _korean(found: re.Match[str], words: str) -> float:
    times = _WORDS.get(found["times"]) or number(found["times"])
    return 1 / times if times > 0 and _DOWN.match(clause(words[found.end() :])) else times


def _percent(found: re.Match[str], words: str) -> float:
    share = number(found["percent"]) / 100
    return 1 - share if _DOWN.match(words[found.end() :]) else 1 + share


def _english(found: re.Match[str]) -> float:
    if found["verb"]:
        return 0.5 if found["verb"].lower() == "halve" else 2
    if found["half"] or found["cut"]:
        return 0.5
    down = found["down"].lower() in {"lower", "reduce", "decrease"}
    if found["percent"]:
        return 1 + number(found["percent"]) / 100 * (-1 if down else 1)
    factor = number(found["factor"] or found["times"])
    return 1 / factor if factor > 0 and down else factor


def _times(value: float, factor: float) -> int | float:
    if isinstance(value, int):
        return round(value * factor)
    return float(f"{value * factor:.4g}")
