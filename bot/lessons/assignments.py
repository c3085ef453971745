"""Fields that are set by name: `batch_size=32`, `lr을 1e-5로 낮춰`, `64에서 32로`, `set lr to 1e-5`."""

import difflib
import re
from typing import Any

from bot.lessons.changes import changing, name_of, written
from bot.lessons.ground import Ground
from bot.lessons.judgement import Impossible, Judgement, Unclear
from bot.lessons.names import FIELD_OF, NAME, field_of
from bot.lessons.phrases import (
    ARROW,
    NUMBER,
    TO,
    clause,
    denies,
    denies_ahead,
    doubts,
    number,
    tells,
    tells_ahead,
)

_UNIT = r"(?:\s*(?:프레임|frames?|epochs?|에폭|에포크|steps?|개))?"
_FROM = rf"(?:{NUMBER}{_UNIT}\s*(?:{ARROW}|에서|부터)\s*|from\s+{NUMBER}\s+)"
_HEAD = rf"(?P<name>{NAME})(?:\s*(?:값|크기)(?![가-힣]))?(?:을|를|은|는|이|가|도|만)?\s*"
_VALUE = rf"(?P<value>{NUMBER}|\[[^\]\n]*\]|\(\s*\d+\s*,\s*\d+\s*\)|[\"']?[A-Za-z][\w./]*[\"']?)"
_DO = (
    r"\s*(?:변경|설정|축소|확대|조정|바꾸|바꿔|바꿀|낮|높|줄|늘|내리|내려|올리|올려|감소|증가|적용|사용|제한"
    r"|유지|연장|단축|상향|하향|완화|맞추|맞춰|합니다|고정|지정|하세요|하자|해\b|해\s|하십|할\s*것|부탁|시작|학습|재학습|진행|저장|[,.;)\]\n]|$)"
)

_EQUAL = re.compile(rf"{_HEAD}[=:：]\s*(?:{_FROM})?{_VALUE}", re.IGNORECASE)
_LEADS_TO = re.compile(
    rf"{_HEAD}(?:{_FROM})?(?P<value>{NUMBER}){_UNIT}(?={TO}{_DO}|(?:을|를)?\s*(?:그대로\s*)?(?:적용|사용|설정))",
    re.IGNORECASE,
)
_FROM_TO = re.compile(rf"{_HEAD}{NUMBER}\s*{ARROW}\s*(?P<value>{NUMBER})", re.IGNORECASE)
_ENGLISH = re.compile(
    rf"(?:(?:set|use|lower|reduce|raise|increase|decrease|change)\s+(?:the\s+)?{_HEAD}(?:from\s+{NUMBER}\s+)?"
    rf"(?:to|of|=)?|{_HEAD}(?:from\s+{NUMBER}\s+)?to)\s*(?P<value>{NUMBER})(?!\s*(?:x\b|times\b|%))".replace(
        "(?P<name>", "(?P<first>", 1
    ).replace("(?P<name>", "(?P<second>", 1),
    re.IGNORECASE,
)
_BARE = re.compile(rf"{_HEAD}(?P<value>{NUMBER})(?!\s*(?:x\b|배|times\b|%))", re.IGNORECASE)
_ALONE = re.compile(
    rf"(?<!\bat )(?<!after )(?<!\bby )(?<!from ){_HEAD}(?P<value>{NUMBER}){_UNIT}(?=\s*(?:[,;]|$))",
    re.IGNORECASE,
)
"""A name and a value that share the verb of another."""
_BACKWARDS = re.compile(
    rf"(?P<value>{NUMBER})\s*(?P<name>epochs?|에폭|에포크)(?:까지)?(?={TO}{_DO})", re.IGNORECASE
)
_EFFECTIVE = re.compile(r"(?:effective|유효|실효|실질|전체|총)(?:적인)?\s*$", re.IGNORECASE)
"""Ahead of a batch it means what one optimizer step sees: that is another field's business, too."""
_SAVES = re.compile(r"checkpoint|체크포인트|저장|\bsav(?:e|ing)\b|마다|every", re.IGNORECASE)
_KEEPS = re.compile(r"\s*(?:으로|로)?\s*(?:그대로\s*)?유지")
_IN_STEPS = re.compile(
    rf"\s*{ARROW}\s*{NUMBER}|(?:으?로)?\s*(?:단계적|점진적|서서히|점차|gradually)", re.IGNORECASE
)
_OR = re.compile(rf"\s*(?:으?로)?\s*(?:또는|혹은|이나|거나|or\b)\s*(?P<other>{NUMBER})", re.IGNORECASE)
_FOR_EPOCHS = re.compile(
    r"\b(?:train|extend|run|increase|reduce|cut|shorten)\w*\s+(?:[\w ]{0,16}\s)?(?:for|to)\s+"
    rf"(?P<value>{NUMBER})\s*(?P<name>epochs?)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(r"(?<![\w.])(?P<name>[A-Za-z][\w.]*)\s*=(?!=)\s*\S")

_SENTENCE = (_EQUAL, _FROM_TO, _LEADS_TO, _ENGLISH, _BACKWARDS, _FOR_EPOCHS)
_ORDER = (*_SENTENCE, _BARE)
"""Behind an arrow a name with a value is enough."""


def assigned(words: str, ground: Ground) -> Judgement | None:
    """Fields set by name in a sentence; what tells of a run that was sets nothing.

    >>> assigned("lr을 1e-5로 낮춰 주세요", Ground()).summary
    'lr 1e-5'
    >>> assigned("batch_size 64에서 32로 축소", Ground()).summary
    'batch_size 32'
    >>> assigned("set the learning rate to 5e-5 and use batch size 16", Ground()).summary
    'lr 5e-5, batch_size 16'
    >>> assigned("300 epoch으로 학습", Ground()).summary
    'epochs 300'
    >>> assigned("batch_size 64에서 GPU 메모리 부족", Ground())
    >>> assigned("lr 3e-4로 설정했더니 발산", Ground())
    >>> assigned("checkpoint 저장 간격을 50에서 10 epoch으로", Ground()).summary
    'save_checkpoint_every 10'
    >>> assigned("learning rate를 1e-4로 유지", Ground()).why
    '이미 lr 1e-4'
    """
    return _judged(words, ground, _SENTENCE)


def ordered(words: str, ground: Ground) -> Judgement | None:
    """Fields set by name behind `→ 적용:`.

    >>> ordered("batch_size를 64 → 32로 축소, gradient accumulation 2 적용", Ground()).summary
    'batch_size 32, gradient_accumulation 2'
    >>> ordered("image_size=[256, 256], backbone=resnet34", Ground()).summary
    'image_size [256, 256], backbone resnet34'
    >>> ordered("batchsize=32 and warmup=5", Ground()).why
    "'warmup'라는 설정이 없음"
    """
    return unknown(words) or _judged(words, ground, _ORDER)


def unknown(words: str) -> Unclear | None:
    """A name set like a field that is none.

    >>> unknown("learning_rat=1e-5").example
    '→ 적용: learning_rate=…'
    """
    for found in _UNKNOWN.finditer(words):
        name = found["name"]
        if not re.fullmatch(NAME, name, re.IGNORECASE):
            near = difflib.get_close_matches(name, _WRITABLE, n=1)
            return Unclear(f"'{name}'라는 설정이 없음", f"→ 적용: {near[0] if near else 'batch_size'}=…")
    return None


def _judged(words: str, ground: Ground, forms: tuple[re.Pattern[str], ...]) -> Judgement | None:
    said: dict[str, Any] = {}
    doubted = False
    for found in _each_name_once(words, forms):
        field, tail = field_of(_name(found)), words[found.end() :]
        if tells(tail) or denies(clause(tail)) or denies_ahead(words[: found.start()] + found[0]):
            continue
        if _means_another(field, found, words) or tells_ahead(words[: found.start()] + found[0]):
            continue
        if _IN_STEPS.match(tail):
            return Unclear(
                f"{name_of(field)} 값을 차례로 바꾸는 설정이 없음 (처음부터 끝까지 같음)", _example(field)
            )
        value = _read(found["value"])
        if other := _OR.match(tail):
            return Unclear(
                f"{name_of(field)} {written(value)}와 {other['other']} 중 어느 값인지 없음", _example(field)
            )
        if said.setdefault(field, value) != value:
            return Impossible(f"{field}에 서로 다른 값: {written(said[field])}, {written(value)}")
        doubted = (
            doubted or doubts(_ahead(found, words) + tail) or bool(_KEEPS.match(tail)) or found.re is _ALONE
        )
    return _with_steps(ground, said, exact=not doubted) if said else None


def _ahead(found: re.Match[str], words: str) -> str:
    """The words of its clause before the name."""
    return re.split(r"[,;.\n]", words[: found.start(_group(found))])[-1]


def _example(field: str) -> str:
    return f"→ 적용: {name_of(field)}=…"


def _means_another(field: str, found: re.Match[str], words: str) -> bool:
    """The effective batch is no batch of one pass, and epochs between two saves are no end of the run."""
    head = _ahead(found, words)
    if field == "training.batch_size":
        return bool(_EFFECTIVE.search(head))
    return found.re is _BACKWARDS and field == "training.epochs" and bool(_SAVES.search(head))


def _each_name_once(words: str, forms: tuple[re.Pattern[str], ...]) -> list[re.Match[str]]:
    """In the order of the words; of several forms that fit at one name, the first."""
    fitting: dict[int, re.Match[str]] = {}
    for form in forms:
        for found in form.finditer(words):
            fitting.setdefault(found.start(_group(found)), found)
    if fitting:
        for found in _ALONE.finditer(words):
            fitting.setdefault(found.start("name"), found)
    return [fitting[place] for place in sorted(fitting)]


def _with_steps(ground: Ground, said: dict[str, Any], *, exact: bool) -> Judgement:
    """A chunk below the steps acted on takes them along, which nobody said: that is inferred.

    >>> _with_steps(Ground(), {"policy.chunk_size": 10}, exact=True).summary
    'chunk_size 10, n_action_steps 10'
    """
    chunk = said.get("policy.chunk_size")
    steps = said.get("policy.n_action_steps", ground.config.policy.n_action_steps)
    if isinstance(chunk, int) and chunk < steps and "policy.n_action_steps" not in said:
        return changing(ground.config, {**said, "policy.n_action_steps": chunk}, exact=False)
    return changing(ground.config, said, exact=exact)


def _group(found: re.Match[str]) -> str:
    return next(group for group in ("name", "first", "second") if found.groupdict().get(group))


def _name(found: re.Match[str]) -> str:
    return found[_group(found)]


def _read(text: str) -> Any:
    """A number, a list, or a word."""
    if text[0] in "[(":
        return tuple(_read(item.strip()) for item in text[1:-1].split(",") if item.strip())
    if re.fullmatch(NUMBER, text):
        return number(text)
    word = text.strip("\"'")
    return None if word.lower() in {"none", "null"} else word


_WRITABLE = sorted({*FIELD_OF, "learning_rate", *(field.rpartition(".")[2] for field in FIELD_OF.values())})
