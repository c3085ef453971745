"""How one value looks inside a line, and how it is read back. A line's template names them: `{eta:clock}`."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from protocol import figures
from protocol.messages import BlockCause, GpuMemory, LessonOutcome, Phase
from protocol.quotation import LINE_BREAK, MARK, as_line, clean, defused, on_one_line, silenced
from protocol.tags import tag_of

NOTHING = "없음"
NOT_YET = "계산 중"
NO_GPU = "CPU"

CAUSES: Mapping[BlockCause, str] = MappingProxyType(
    {
        "data": "데이터 검증 실패",
        "no_data": "데이터 없음",
        "foreign_bucket": "다른 버킷의 데이터",
        "bucket": "버킷 접근 실패",
        "plan": "PLAN.md 해석 실패",
        "repeat": "이미 끝난 학습의 반복",
        "disk": "디스크 공간 부족",
        "gpu": "GPU 사용 불가",
        "memory": "GPU 메모리 부족",
        "divergence": "학습 발산",
        "weights": "사전학습 가중치 없음",
        "trainer": "학습 프로세스 오류",
    }
)
PHASES: Mapping[Phase, str] = MappingProxyType(
    {
        "fetching": "데이터 수신 중",
        "checking": "데이터 검증 중",
        "converting": "데이터 변환 중",
        "awaiting_handoff": "HANDOFF 대기 중",
        "awaiting_data": "데이터 대기 중",
        "awaiting_approval": "승인 대기 중",
        "starting": "학습 준비 중",
        "held": "학습 보류 중",
        "stalled": "학습 정체 중",
        "uploading": "checkpoint 업로드 중",
    }
)
MARKS = MappingProxyType({"applied": "✅", "refused": "⛔", "unanswered": "❔"})
BLOCKING = MappingProxyType(
    {True: "승인 전에는 학습을 시작하지 않음", False: "승인 없이도 학습은 예정대로 시작"}
)


@dataclass(frozen=True, slots=True)
class Codec:
    """`read(write(value)) == value` for every value on the wire; `pattern` matches what `write` gives."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]
    pattern: str = ".*"


def _or(word: str, codec: Codec) -> Codec:
    """None is `word`; a text that happens to be that word carries a mark."""

    def write(value: Any) -> str:
        if value is None:
            return word
        text = codec.write(value)
        return MARK + text if text == word else text

    def read(text: str) -> Any:
        return None if text == word else codec.read(text)

    return Codec(write, read, f"(?:{codec.pattern}|{re.escape(word)})")


def _one_of(words: Mapping[Any, str]) -> Codec:
    values = {word: value for value, word in words.items()}
    return Codec(words.__getitem__, values.__getitem__, "|".join(map(re.escape, values)))


# --- values of a config, exact ------------------------------------------------

_BARE = re.compile(r"[A-Za-z][\w.+/-]*", re.ASCII)
_RESERVED = {"null", "true", "false", "NaN", "Infinity", "nan", "inf"}


def _write_value(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return figures.exact_figure(value)
    if isinstance(value, str) and _BARE.fullmatch(value) and value not in _RESERVED:
        return defused(value)
    return defused(json.dumps(value, ensure_ascii=False, default=str).replace("→", "\\u2192"))


def _read_value(text: str) -> Any:
    bare = text.replace(MARK, "")
    if bare == NOTHING:
        return None
    if bare in {"nan", "inf", "-inf"}:
        return float(bare)
    if _BARE.fullmatch(bare) and bare not in _RESERVED:
        return bare
    return json.loads(bare)


_UNQUOTED = r"[^\W_][\w.+/-]*"
_WORD = rf'(?:{_UNQUOTED}|"(?:[^"\\]|\\.)*")'
_PAIR = re.compile(rf"({_WORD}) ({_WORD})(?:, |$)")


def _write_word(text: str) -> str:
    if re.fullmatch(_UNQUOTED, text):
        return text
    return defused(json.dumps(text, ensure_ascii=False))


def _read_word(text: str) -> str:
    return json.loads(text.replace(MARK, "")) if text.startswith('"') else text


def _write_pairs(pairs: Mapping[str, str]) -> str:
    return ", ".join(f"{_write_word(name)} {_write_word(value)}" for name, value in pairs.items()) or NOTHING


def _read_pairs(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    at = 0
    while text != NOTHING and at < len(text):
        found = _PAIR.match(text, at)
        if found is None:
            raise ValueError(text)
        pairs[_read_word(found[1])] = _read_word(found[2])
        at = found.end()
    return pairs


# --- lessons accounted for ----------------------------------------------------


def _write_outcome(lesson: LessonOutcome) -> str:
    text = on_one_line(lesson.text).replace("—", "—" + MARK)
    outcome = f" — {on_one_line(lesson.outcome)}" if lesson.outcome else ""
    return f"{MARKS[lesson.mark]} {text}{outcome}"


def _read_outcome(text: str) -> dict[str, str]:
    mark, rest = text[0], text[2:]
    lesson, _, outcome = rest.partition(" — ")
    named = {word: name for name, word in MARKS.items()}
    return {"mark": named[mark], "text": clean(lesson), "outcome": clean(outcome)}


# --- the rest -------------------------------------------------------------------


def _write_category(category: str) -> str:
    """Stands in brackets, so it must not make a tag with them."""
    text = on_one_line(category).replace("[", "[" + MARK).replace("［", "［" + MARK)
    return MARK + text if tag_of(text) else text


def _write_gpu(gpu: GpuMemory | Literal["unknown"]) -> str:
    if isinstance(gpu, str):
        return NOT_YET
    return f"{figures.trimmed(f'{gpu.used_gb:.1f}')}/{gpu.total_gb:.0f}GB"


def _read_gpu(text: str) -> dict[str, float] | Literal["unknown"]:
    if text == NOT_YET:
        return "unknown"
    used, total = text.removesuffix("GB").split("/")
    return {"used_gb": float(used), "total_gb": float(total)}


def _write_clocks(moments: Sequence[datetime]) -> str:
    return ", ".join(map(figures.clock, moments))


def _read_clocks(text: str) -> list[datetime]:
    return [figures.read_clock(moment) for moment in text.split(", ")]


_CLOCK = r"(?:\d{4}-\d\d-\d\d )?\d\d:\d\d"
_FIGURE = r"-?(?:\d+(?:\.\d+)?(?:e-?\d+)?|Inf|NaN)"
_TEXT = Codec(on_one_line, clean)
_INT = Codec(str, int, r"-?\d{1,18}")
_FLOAT = Codec(figures.figure, float, _FIGURE)

# Free text is `{field}` (quoted from elsewhere), `{:item}` at the head of a line, or `{field:spell}` (our
# own words, which may spell a tag).
# `?` reads as 없음 when it is None, `??` as 계산 중.
CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        "": _TEXT,
        "item": Codec(lambda text: as_line(on_one_line(text)), clean),
        "spell": Codec(lambda text: silenced(text).replace("\n", LINE_BREAK), clean),
        "text?": _or(NOTHING, _TEXT),
        "int": _INT,
        "int?": _or(NOTHING, _INT),
        "int??": _or(NOT_YET, _INT),
        "padded": Codec(lambda cycle: f"{cycle:02d}", int, r"-?\d{1,18}"),
        "float": _FLOAT,
        "float??": _or(NOT_YET, _FLOAT),
        "rate": Codec(figures.rate_figure, float, _FIGURE),
        "gpu": _or(NO_GPU, Codec(_write_gpu, _read_gpu, rf"-?[\d.]+/-?\d+GB|{NOT_YET}")),
        "clock": Codec(figures.clock, figures.read_clock, _CLOCK),
        "clock??": _or(NOT_YET, Codec(figures.clock, figures.read_clock, _CLOCK)),
        "clocks": Codec(_write_clocks, _read_clocks, f"{_CLOCK}(?:, {_CLOCK})*"),
        "category": Codec(_write_category, clean),
        "cause": _one_of(CAUSES),
        "phase": _one_of(PHASES),
        "blocking": _one_of(BLOCKING),
        "name": Codec(_write_value, _read_value, r'(?:[A-Za-z][\w.+/-]*|"(?:[^"\\]|\\.)*")'),
        "value": Codec(_write_value, _read_value, "[^→]*"),
        "pairs": Codec(_write_pairs, _read_pairs),
        "outcome": Codec(_write_outcome, _read_outcome, f"[{''.join(MARKS.values())}] .*"),
    }
)
