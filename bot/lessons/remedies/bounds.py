"""A field by its name, its value only by a bound: at most, at least, between."""

import re

from bot.lessons.changes import changing, name_of, written
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement, Satisfied
from bot.lessons.names import NAME, field_of
from bot.lessons.phrases import NUMBER, denies_ahead, number

_OF = rf"(?P<name>{NAME})(?:\s*(?:값|크기))?(?:을|를|은|는|이|가)?\s*"
_UNIT = r"\s*(?:프레임|frames?|epochs?|에폭)?"
_AT_MOST = re.compile(
    rf"{_OF}(?:최대\s*(?P<a>{NUMBER})(?!\s*배)|(?P<b>{NUMBER}){_UNIT}\s*(?:이하|이내|[을를]?\s*넘기?지|[을를]?\s*초과\s*금지|이상(?:으로|은)?\s*[가-힣]+지\s*(?:않|말|마)|을?\s*초과하지|를?\s*초과하지)"
    rf"|(?:should|must|may)\s+not\s+(?:exceed|be\s+(?:above|over|larger\s+than))\s+(?P<c>{NUMBER})"
    rf"|(?:at\s+most|no\s+(?:more|larger|higher)\s+than|<=|≤)\s*(?P<d>{NUMBER}))",
    re.IGNORECASE,
)
_NOT_ABOVE = re.compile(
    rf"(?:(?:do not|don't|never)\s+(?:exceed|go\s+(?:above|over|beyond))|at\s+most|no\s+more\s+than|최대)\s+"
    rf"(?:(?P<count>{NUMBER})\s*(?P<counted>epochs?|에폭|에포크)|(?:an?\s+|the\s+)?(?P<name>{NAME})\s*(?:of\s+|=\s*)?(?P<value>{NUMBER}))"
    rf"|(?P<ko>{NUMBER})\s*(?P<counts>epochs?|에폭|에포크)(?:을|를)?\s*(?:넘기?지|초과하지)\s*[말마]",
    re.IGNORECASE,
)
"""The value before the name, or what is forbidden beyond it."""
_AT_LEAST = re.compile(
    rf"{_OF}(?:최소\s*(?P<a>{NUMBER})(?!\s*배)|(?P<b>{NUMBER}){_UNIT}\s*이상(?!\s*(?:함|하|한)|(?:으로|은)?\s*[가-힣]+지\s*(?:않|말|마))"
    rf"|(?:should|must)\s+not\s+be\s+(?:below|under|less\s+than)\s+(?P<c>{NUMBER})"
    rf"|(?:at\s+least|no\s+(?:less|smaller|lower)\s+than|>=|≥)\s*(?P<d>{NUMBER}))",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    rf"{_OF}(?:(?P<low>{NUMBER})\s*(?:~|–|-|에서|와|과)\s*(?P<high>{NUMBER}){_UNIT}\s*(?:사이|범위)"
    rf"|(?:between|within)\s+(?P<from>{NUMBER})\s+(?:and|to|-)\s+(?P<to>{NUMBER}))",
    re.IGNORECASE,
)


def bounded(words: str, ground: Ground) -> Judgement | None:
    """What lies inside stays; what lies outside goes to the bound, which nobody said to be the value.

    >>> bounded("batch_size는 최대 32", Ground()).summary
    'batch_size 32'
    >>> bounded("batch size must not exceed 64", Ground()).why
    '이미 batch_size 64 (최대 64)'
    >>> bounded("epochs는 최소 600", Ground()).exact
    False
    >>> bounded("lr은 5e-5~1e-4 사이로", Ground()).why
    '이미 lr 1e-4 (5e-5~1e-4)'
    >>> bounded("keep lr between 1e-5 and 5e-5", Ground()).summary
    'lr 5e-5'
    >>> bounded("don't exceed 300 epochs", Ground()).summary
    'epochs 300'
    >>> bounded("lr을 2배 이상 올리지 말 것", Ground())
    """
    if above := _NOT_ABOVE.search(words):
        field = field_of(above["name"] or above["counted"] or above["counts"])
        return _within(field, None, number(above["count"] or above["value"] or above["ko"]), ground)
    for form in (_BETWEEN, _AT_MOST, _AT_LEAST):
        found = form.search(words)
        if found and not tells(words[found.end() :]) and not denies_ahead(words[: found.start()]):
            return _within(field_of(found["name"]), *_bounds(form, found), ground)
    return None


def _bounds(form: re.Pattern[str], found: re.Match[str]) -> tuple[float | None, float | None]:
    if form is _BETWEEN:
        return number(found["low"] or found["from"]), number(found["high"] or found["to"])
    bound = number(next(filter(None, (found[group] for group in "abcd"))))
    return (None, bound) if form is _AT_MOST else (bound, None)


def _within(field: str, low: float | None, high: float | None, ground: Ground) -> Judgement | None:
    section, _, name = field.partition(".")
    value = getattr(getattr(ground.config, section), name)
    if not isinstance(value, int | float):
        return None
    if low is not None and value < low:
        return changing(ground.config, {field: low}, exact=False)
    if high is not None and value > high:
        return changing(ground.config, {field: high}, exact=False)
    return Satisfied(f"이미 {name_of(field)} {written(value)} ({_in_words(low, high)})")


def _in_words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"최대 {written(high)}"
    return f"최소 {written(low)}" if high is None else f"{written(low)}~{written(high)}"
