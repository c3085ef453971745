"""The forms of words in which a field is given a value, and where in a sentence that is done."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.lessons.names import NAME, field_of
from bot.lessons.orders import VERBS
from bot.lessons.phrases import ARROW, NUMBER, TO

_UNIT = r"(?:\s*(?:프레임|frames?|epochs?|에폭|에포크|steps?|개))?"
_EPOCHS = r"(?:epochs?|에폭|에포크)"
_FROM = rf"(?:{NUMBER}{_UNIT}\s*(?:{ARROW}|에서|부터|[이가]\s*아니라|이?\s*아닌|대신)\s*|from\s+{NUMBER}\s+)"
_PARTICLE = r"(?:을|를|은|는|이|가|도|만)?"
_HEAD = rf"(?P<name>{NAME})(?:\s*(?:값|크기|수|횟수)(?=[을를은는이가도만]|[^가-힣]))?{_PARTICLE}\s*"
_VALUE = (
    rf"(?:(?:use|set\s+to)\s+)?(?P<value>{NUMBER}|\[[^\]\n]*\]"
    r"|\(\s*\d+\s*,\s*\d+\s*\)|[\"']?[A-Za-z][\w./]*[\"']?)"
)
_NUMBER = rf"(?P<value>{NUMBER})(?!\s*(?:x(?![A-Za-z])|[×*]|times\b|%))"
_DO = (
    r"\s*(?:변경|설정|축소|확대|조정|바꾸|바꿔|바꿀|낮|높|줄|늘|내리|내려|올리|올려|감소|증가|적용|사용|제한"
    r"|유지|연장|단축|상향|하향|완화|맞추|맞춰|합니다|고정|지정|하세요|하자|해\b|해\s|하십|할\s*것|부탁|시작|학습|재학습|진행|저장|[,.;)\]\n]|$)"
)
_WISHED = r"(?:을|를|이|가)?\s*(?:그대로\s*)?(?:적용|사용|설정|권장|추천|권고|필요(?!\s*없))"
_ARTICLE = r"(?:the\s+|an?\s+)?(?:(?:smaller|larger|lower|higher|reduced|total|number\s+of)\s+){0,2}"


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


IN_BRACKETS = _form(
    rf"{_HEAD}(?:절반|반|두\s*배|{NUMBER}\s*배|{NUMBER}\s*분의\s*1|half|double)\s*\(\s*=?\s*(?P<value>{NUMBER})\s*\)"
)
UNTIL = _form(rf"{_HEAD}(?P<value>{NUMBER}){_UNIT}까지만?(?=\s*(?:재?학습|진행|돌|실행))")
EQUAL = _form(rf"{_HEAD}[=:：]\s*(?:{_FROM})?{_VALUE}")
TOWARDS = _form(rf"{_HEAD}{ARROW}\s*(?P<value>{NUMBER})")
FROM_TO = _form(rf"{_HEAD}{NUMBER}\s*{ARROW}\s*(?P<value>{NUMBER})")
LEADS_TO = _form(rf"{_HEAD}(?:{_FROM})?(?P<value>{NUMBER}){_UNIT}(?={TO}{_DO}|{_WISHED})")
ENGLISH = _form(
    rf"\b{VERBS}\s+{_ARTICLE}{_HEAD}(?:(?:back|up|down)\s+)?(?:from\s+{NUMBER}\s+)?(?:to|of|=|at)?\s*{_NUMBER}"
)
LEADS_TO_IN_ENGLISH = _form(rf"{_HEAD}(?:from\s+{NUMBER}\s+)?to\s*{_NUMBER}")
A_WORD = _form(rf"\b{VERBS}\s+{_ARTICLE}{_HEAD}to\s+(?P<value>resnet\d+)")
MADE_SURE = _form(
    rf"\b(?:make\s+sure|ensure)\s+(?:that\s+)?(?:the\s+)?{_HEAD}(?:is|stays|remains)\s+(?:set\s+to\s+|at\s+)?{_NUMBER}"
)
MUST_BE = _form(
    rf"{_HEAD}(?:should|must|shall|needs?\s+to|has\s+to)\s+be\s+(?:\w+ed|set|cut)?\s*(?:(?:back|up|down)\s+)?"
    rf"(?:to\s+|at\s+)?{_NUMBER}"
)
BEFORE_ITS_NAME = _form(rf"\b{VERBS}\s+(?P<value>{NUMBER})\s+(?:as|for)\s+(?:the\s+)?(?P<name>{NAME})")
TRAINED_WITH = _form(
    r"\b(?:re)?(?:train|run|start|continue)\s+(?:[A-Za-z ]{0,24}\s)?with\s+"
    rf"{_ARTICLE}{_HEAD}(?:of|=|at)?\s*{_NUMBER}"
)
BACKWARDS = _form(
    rf"(?P<value>{NUMBER})\s*(?P<name>{_EPOCHS})(?:까지)?"
    rf"(?={TO}{_DO}|(?:까지|까지만|만)\s*(?:재?학습|진행|돌|실행)|이면\s*충분)"
)
FOR_EPOCHS = _form(
    r"\b(?:(?:train|extend|run|increase|reduce|cut|shorten|limit)\w*\s+(?:[\w ]{0,40}\s)?(?:for|to|with)"
    r"|(?:re)?train|run|use|stop\s+(?:at|after))"
    rf"\s+(?:(?:only|just|exactly)\s+)?(?P<value>{NUMBER})\s*(?P<name>epochs?)\b"
)
BARE = _form(rf"{_HEAD}{_NUMBER}(?!\s*배)")
ALONE = _form(rf"(?<!\bat )(?<!after )(?<!\bby )(?<!from ){_HEAD}(?P<value>{NUMBER}){_UNIT}(?=\s*(?:[,;]|$))")
"""A name and a value that share the verb of another."""
ENOUGH = _form(
    rf"(?:(?P<first>{NAME})\s+of\s+(?P<value>{NUMBER})|(?P<epochs>{NUMBER})\s*(?P<name>epochs?))"
    r"\s+(?:is|are|(?:should|would)\s+be)\s+(?:enough|sufficient)"
)
ITEM = _form(rf"(?:{_HEAD}(?:of\s+)?(?P<value>{NUMBER}){_UNIT}|(?P<epochs>{NUMBER})\s*(?P<second>{_EPOCHS}))")
_ITEM = re.sub(r"\?P<\w+>", "?:", ITEM.pattern)
_LIST = _form(rf"\s*{_ITEM}(?:\s*(?:[,;/]|\band\b|및)\s*{_ITEM})*[.\s]*")
"""Nothing but names and values."""
COUNTED = _form(rf"\band\s+(?P<value>{NUMBER})\s*(?P<name>epochs?)(?=\s*(?:[,;.]|$))")
TOGETHER = _form(
    rf"(?P<first>{NAME})(?:와|과|\s*및)\s*(?P<second>{NAME}){_PARTICLE}\s*(?:모두|둘\s*다)?\s*"
    rf"(?:각각\s*(?P<each>{NUMBER})\s*(?:,|와|과|및)\s*)?(?P<value>{NUMBER})(?={TO}{_DO})"
)
TOGETHER_IN_ENGLISH = _form(
    rf"(?P<first>{NAME})\s+and\s+(?:the\s+)?(?P<second>{NAME})\s+(?:both\s+)?to\s+{_NUMBER}"
)
"""Two that are given the same value, or each its own."""
NO_VALUE = _form(rf"\s*{VERBS}\s+(?:the\s+)?(?P<name>{NAME})\s*")

SENTENCE = (
    EQUAL,
    FROM_TO,
    TOWARDS,
    LEADS_TO,
    ENGLISH,
    LEADS_TO_IN_ENGLISH,
    A_WORD,
    MUST_BE,
    MADE_SURE,
    IN_BRACKETS,
    UNTIL,
    BEFORE_ITS_NAME,
    TRAINED_WITH,
    BACKWARDS,
    FOR_EPOCHS,
    ENOUGH,
)
ORDER = (*SENTENCE, BARE)
"""Behind an arrow a name with a value is enough."""
UNSURE = frozenset({ALONE, ENOUGH, ITEM})
"""No order by their form."""


@dataclass(frozen=True, slots=True)
class Given:
    """`at` is where the name stands, from `start` to `end` all the words of the form."""

    name: str
    value: str
    at: int
    start: int
    end: int
    form: re.Pattern[str]

    @property
    def field(self) -> str:
        return field_of(self.name)


def given(words: str, forms: tuple[re.Pattern[str], ...]) -> list[Given]:
    """In the order of the words; of several forms that fit at one name, the first.

    >>> [(one.field, one.value) for one in given("lr과 lr_backbone을 1e-5로, seed=7", SENTENCE)]
    [('training.lr', '1e-5'), ('training.lr_backbone', '1e-5'), ('training.seed', '7')]
    >>> [(one.name, one.value) for one in given("batch size 32, 300 epochs", SENTENCE)]
    [('batch size', '32'), ('epochs', '300')]
    """
    fitting: dict[int, Given] = {}
    for form in (TOGETHER, TOGETHER_IN_ENGLISH, *forms):
        for one in _given_by(form, words):
            fitting.setdefault(one.at, one)
    for form in (COUNTED, ALONE) if fitting else (ITEM,) if _LIST.fullmatch(words) else ():
        for one in _given_by(form, words):
            fitting.setdefault(one.at, one)
    return [fitting[at] for at in sorted(fitting)]


def _given_by(form: re.Pattern[str], words: str) -> Iterator[Given]:
    for found in form.finditer(words):
        said = found.groupdict()
        value = said["value"] or found["epochs"]
        for group in ("name", "first", "second"):
            if said.get(group):
                of_its_own = said.get("each") if group == "first" else None
                yield Given(
                    found[group], of_its_own or value, found.start(group), found.start(), found.end(), form
                )
