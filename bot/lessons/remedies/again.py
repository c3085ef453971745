"""What refers back: to the config of the cycle before, to a field named earlier, to nothing at all."""

import re

from bot.lessons.changes import changing, in_words
from bot.lessons.ground import Ground
from bot.lessons.judgement import Judgement, Remedied, Satisfied, Unclear
from bot.lessons.names import NAME, field_of
from bot.lessons.phrases import NUMBER, TO, denies, number
from protocol.training import diff

_CONFIG = r"(?:설정|config\w*|하이퍼파라미터|hyper-?parameters?|settings?|everything|all)"
_BEFORE = (
    r"(?:(?:지난|이전|저번|직전)\s*(?:번|cycle|사이클|run|학습|회차)?|(?:cycle|사이클)\s*_?(?P<ko>\d{1,4}))"
)
_BEFORE_IN_ENGLISH = r"(?:(?:last|previous)\s+(?:cycle|run|time)|cycle\s*_?(?P<en>\d{1,4}))"
_AS_BEFORE = re.compile(
    rf"{_BEFORE}\S{{0,2}}(?:과|와|의|처럼|대로)?\s*(?:완전히\s*)?(?:동일|같은|똑같)\S*\s*{_CONFIG}"
    rf"|{_CONFIG}\s*(?:은|는|을|를)?\s*{_BEFORE.replace('ko', 'too')}(?:과|와)\s*(?:동일|같|똑같)"
    rf"|\b(?:same|identical)\s+(?:\w+\s+)?{_CONFIG}\s+(?:as|from|to)\s+(?:in\s+)?(?:the\s+)?{_BEFORE_IN_ENGLISH}"
    rf"|\b{_CONFIG}\s+(?:\w+\s+)?(?:the\s+)?(?:same|identical|unchanged)\s+(?:as|to|from)\s+(?:in\s+)?(?:the\s+)?"
    rf"{_BEFORE_IN_ENGLISH.replace('en', 'also')}",
    re.IGNORECASE,
)
_CYCLE = re.compile(r"cycle(\d+)")
_NOTHING = re.compile(
    r"\W*(?:no\s+changes?(?:\s+(?:are|is))?(?:\s+(?:needed|required|necessary))?"
    r"|(?:keep|use|leave)\s+(?:the\s+)?(?:current|default)\s+(?:settings?|config\w*)(?:\s+unchanged|\s+as\s+is)?"
    r"|(?:설정|config)?\s*(?:변경|수정)\s*(?:사항)?\s*(?:없음|없이\s*진행|불필요)"
    r"|(?:현재|기존|기본)\s*(?:설정|config)\S{0,2}\s*(?:그대로\s*)?(?:유지|진행|학습|사용)(?:\s*(?:하세요|할\s*것))?)\W*",
    re.IGNORECASE,
)
_VALUED = re.compile(rf"(?P<name>{NAME})(?:을|를|은|는|이|가)?\s*(?:=|of\b|at\b)?\s*{NUMBER}", re.IGNORECASE)
_PART = re.compile(r"[,;\n—]|\.(?!\d)|(?<=니)\s|(?<=므로)\s|(?<=[해아어]서)\s|\bso\b|\band\b", re.IGNORECASE)
_ANOTHER = re.compile(
    rf"\s*(?:(?:so|please|just|then|그래서|따라서|대신|이번\S*)\s+)*(?:(?:cycle|사이클)\S*\s+)?"
    rf"(?:(?:use|try|go\s+with|switch\s+to|drop\s+to|set\s+it\s+to|make\s+it)\s+(?P<en>{NUMBER})(?:\s+instead)?\s*$"
    rf"|(?P<ko>{NUMBER})(?:{TO}\s*(?:변경|설정|축소|조정|바꾸|바꿔|낮|높|줄|늘|내려|올려|진행|학습|하|적용|$)|이면\s*충분))",
    re.IGNORECASE,
)


def as_before(words: str, ground: Ground) -> Judgement | None:
    """Whatever is otherwise than in the cycle before, as it was there.

    >>> small = Ground(last=Ground().config.with_changes({"training.batch_size": 32}))
    >>> as_before("지난 cycle과 동일한 설정으로 학습", small).summary
    '이전 cycle과 같은 설정: batch_size 32'
    >>> as_before("use the same settings as the last cycle", small).exact
    False
    >>> as_before("keep everything the same as last cycle", Ground(last=Ground().config)).why
    '이미 이전 cycle과 같은 설정'
    >>> as_before("이전 사이클과 같은 설정으로", Ground()).why
    '비교할 이전 cycle의 설정이 없음'
    >>> as_before("지난번처럼 하면 안 됨", small)
    """
    found = _AS_BEFORE.search(words)
    if found is None or denies(words):
        return None
    named = next(filter(None, found.groups()), None)
    before = _CYCLE.search(ground.best)
    if ground.last is None or (named and before and int(named) != int(before[1])):
        return Unclear("비교할 이전 cycle의 설정이 없음" if named is None else f"cycle {named}의 설정을 모름")
    changes = diff(ground.config, ground.last)
    if not changes:
        return Satisfied("이미 이전 cycle과 같은 설정")
    return Remedied(changes, False, f"이전 cycle과 같은 설정: {in_words(changes)}")


def left_alone(words: str, _: Ground) -> Judgement | None:
    """Nothing is to be changed, and nothing else is said.

    >>> left_alone("설정 변경 없음", Ground()).why
    '바꿀 것이 없다는 말로 읽음'
    >>> left_alone("No changes needed.", Ground()).why
    '바꿀 것이 없다는 말로 읽음'
    """
    return Satisfied("바꿀 것이 없다는 말로 읽음") if _NOTHING.fullmatch(words) else None


def another_value(words: str, ground: Ground) -> Judgement | None:
    """A value without a name, where one field alone was named with another value before.

    >>> another_value("batch_size 64에서 불안정했으므로 48로 진행", Ground()).summary
    'batch_size 48'
    >>> another_value("training at lr=1e-4 was unstable, so go with 5e-5", Ground()).exact
    False
    >>> another_value("lr 1e-4, batch_size 64는 불안정하니 48로", Ground())
    """
    fields = {field_of(found["name"]) for found in _VALUED.finditer(words)}
    if len(fields) != 1 or denies(words):
        return None
    said = [value for part in _PART.split(words) if (value := nameless(part)) is not None]
    return changing(ground.config, {fields.pop(): said[0]}, exact=False) if len(said) == 1 else None


def nameless(words: str) -> int | float | None:
    """The value of an order that names no field.

    >>> nameless("use 32 instead"), nameless("48로 진행"), nameless("lr을 5e-5로")
    (32, 48, None)
    """
    found = _ANOTHER.match(words)
    return number(found["en"] or found["ko"]) if found else None
