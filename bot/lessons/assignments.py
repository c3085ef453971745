"""Fields that are set by name: `batch_size=32`, `lr을 1e-5로 낮춰`, `64에서 32로`, `set lr to 1e-5`."""

import difflib
import re
from typing import Any

from bot.lessons.changes import changing, name_of, written
from bot.lessons.forms import BACKWARDS, ORDER, SENTENCE, UNSURE, Given, given
from bot.lessons.ground import Ground
from bot.lessons.hindsight import steers_clear, tells, tells_ahead
from bot.lessons.judgement import Impossible, Judgement, Unclear
from bot.lessons.names import FIELD_OF, NAME
from bot.lessons.phrases import ARROW, NUMBER, clause, denies, denies_ahead, doubts, number

_EFFECTIVE = re.compile(r"(?:effective|유효|실효|실질|전체|총)(?:적인)?\s*$", re.IGNORECASE)
"""Ahead of a batch it means what one optimizer step sees: that is another field's business, too."""
_SAVES = re.compile(r"checkpoint|체크포인트|저장|\bsav(?:e|ing)\b|마다|every", re.IGNORECASE)
_KEEPS = re.compile(r"\s*(?:으로|로)?\s*(?:그대로\s*)?유지")
_IN_STEPS = re.compile(
    rf"\s*{ARROW}\s*{NUMBER}|(?:으?로)?\s*(?:단계적|점진적|서서히|점차|gradually)", re.IGNORECASE
)
_OR = re.compile(rf"\s*(?:으?로)?\s*(?:또는|혹은|이나|거나|or\b)\s*(?P<other>{NUMBER})", re.IGNORECASE)
_UNKNOWN = re.compile(r"(?<![\w.])(?P<name>[A-Za-z][\w.]*)\s*=(?!=)\s*\S")


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
    return _judged(words, ground, SENTENCE)


def ordered(words: str, ground: Ground) -> Judgement | None:
    """Fields set by name behind `→ 적용:`.

    >>> ordered("batch_size를 64 → 32로 축소, gradient accumulation 2 적용", Ground()).summary
    'batch_size 32, gradient_accumulation 2'
    >>> ordered("image_size=[256, 256], backbone=resnet34", Ground()).summary
    'image_size [256, 256], backbone resnet34'
    >>> ordered("batchsize=32 and warmup=5", Ground()).why
    "'warmup'라는 설정이 없음"
    """
    return unknown(words) or _judged(words, ground, ORDER)


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
    for one in given(words, forms):
        head, tail = words[: one.start], words[one.end :]
        if not _is_wanted(one, words) or _means_another(one, words):
            continue
        if _IN_STEPS.match(tail):
            why = f"{name_of(one.field)} 값을 차례로 바꾸는 설정이 없음 (처음부터 끝까지 같음)"
            return Unclear(why, _example(one.field))
        value = _read(one.value)
        if other := _OR.match(tail):
            which = f"{written(value)}와 {other['other']} 중 어느 값인지 없음"
            return Unclear(f"{name_of(one.field)} {which}", _example(one.field))
        if said.setdefault(one.field, value) != value:
            here, there = written(said[one.field]), written(value)
            return Impossible(f"{one.field}에 서로 다른 값: {here}, {there}")
        unsure = one.form in UNSURE or bool(_KEEPS.match(tail))
        doubted = doubted or unsure or doubts(_clause_of(head) + tail)
    return _with_steps(ground, said, exact=not doubted) if said else None


def _is_wanted(one: Given, words: str) -> bool:
    """Neither told of a run that was, nor forbidden."""
    ahead, tail = words[: one.end], words[one.end :]
    if steers_clear(words[: one.start]):
        return False
    return not (tells(tail) or denies(clause(tail)) or tells_ahead(ahead) or denies_ahead(ahead))


def _clause_of(head: str) -> str:
    return re.split(r"[,;.\n]", head)[-1]


def _example(field: str) -> str:
    return f"→ 적용: {name_of(field)}=…"


def _means_another(one: Given, words: str) -> bool:
    """The effective batch is no batch of one pass, and epochs between two saves are no end of the run."""
    head = _clause_of(words[: one.at])
    if one.field == "training.batch_size":
        return bool(_EFFECTIVE.search(head))
    return one.form is BACKWARDS and one.field == "training.epochs" and bool(_SAVES.search(head))


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


def _read(text: str) -> Any:
    """A number, a list, or a word."""
    if text[0] in "[(":
        return tuple(_read(item.strip()) for item in text[1:-1].split(",") if item.strip())
    if re.fullmatch(NUMBER, text):
        return number(text)
    word = text.strip("\"'")
    return None if word.lower() in {"none", "null"} else word


_WRITABLE = sorted({*FIELD_OF, "learning_rate", *(field.rpartition(".")[2] for field in FIELD_OF.values())})
