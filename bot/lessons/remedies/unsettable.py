"""What is asked for and no field of the config can say: answered with the reason, never dropped."""

import re

from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement, Satisfied, Unclear
from bot.lessons.phrases import clause, denies

_LOADER = re.compile(
    r"(?:데이터\s*)?로더|로딩|num_workers|prefetch|data\s*load|(?:gpu|device)\S*\s*(?:가\s*)?(?:대기|굶|starv)|starv",
    re.IGNORECASE,
)
_WORKERS = re.compile(r"num_workers|prefetch|pin_memory", re.IGNORECASE)
_SLOW = re.compile(r"느[리림려]|병목|대기|지연|부족|굶|slow|starv|bottleneck|wait", re.IGNORECASE)


def loader_starved(words: str, _: Ground) -> Judgement | None:
    """All frames are in memory: there is no loader to wait for.

    >>> loader_starved("데이터 로더가 느려 GPU 사용률이 낮음", Ground()).why
    '읽기 대기 없음: 전체 프레임을 메모리에 올려 batch를 만듦'
    >>> type(loader_starved("the data loader is slow", Ground())).__name__
    'Satisfied'
    """
    if _WORKERS.search(words) or (_LOADER.search(words) and _SLOW.search(words)):
        return Satisfied("읽기 대기 없음: 전체 프레임을 메모리에 올려 batch를 만듦")
    return None


_NO_FIELD = {
    r"warm[- ]?up|웜업": "warmup 설정이 없음 (lr은 처음부터 끝까지 같음)",
    r"scheduler|스케줄러|스케쥴러|cosine|코사인|(?:lr|학습률)\s*(?:decay|감쇠|스케줄)|step\s*decay": (
        "lr 스케줄 설정이 없음 (lr은 처음부터 끝까지 같음)"
    ),
    r"early[- ]?stop|조기\s*종료|얼리\s*스톱": "조기 종료 설정이 없음 (best checkpoint는 항상 따로 저장)",
    r"\bema\b|label\s*smoothing|mix[- ]?up|cut[- ]?mix|focal": "그런 학습 기법의 설정이 없음",
    r"\b(?:sgd|rmsprop|lion|adam(?!w))\b|optimizer(?:를|을)\s": "optimizer는 LeRobot의 AdamW로 고정",
}
_EPOCH = r"(?:(?:epoch|에폭)\s*\d+|\d+\s*(?:epoch|에폭))"
_SINCE = rf"(?:{_EPOCH}\s*(?:이후|부터)|(?:after|from)\s+epoch\s+\d+)"
_RATE = r"(?:\blr(?![a-z_])|학습률|learning rate)"
_MIDWAY = re.compile(rf"{_SINCE}[^,;.\n]*{_RATE}|{_RATE}[^,;.\n]*{_SINCE}", re.IGNORECASE)
_CHANGED = re.compile(
    r"낮|줄|감소|절반|올|높|(?:으로|로)\b|lower|reduce|halve|decrease|drop|set", re.IGNORECASE
)
_NEEDED_NOT = re.compile(
    r"\S{0,2}\s*(?:필요\S{0,2}\s*없|불필요|없이|(?:사용|적용)?하지\s*(?:말|마)|(?:is|are)\s+(?:not\s+needed|unnecessary))",
    re.IGNORECASE,
)
_CLIPPED = re.compile(
    r"(?:gradient\s*)?clipping\S*\s*(?:도입|적용|사용|추가)|(?:use|add|enable)\s+gradient\s+clipping",
    re.IGNORECASE,
)
_PRECISION = re.compile(
    r"mixed[- ]?precision|혼합\s*정밀도|\b(?:bf16|fp16|amp|tf32)\b|half\s*precision", re.IGNORECASE
)
_ASKED = re.compile(
    r"적용|추가|도입|사용|설정|변경|교체|켜|하세요|하자|할\s*것|필요"
    r"|\b(?:use|add|enable|apply|try|switch|need|set)\b|=",
    re.IGNORECASE,
)


def without_a_field(words: str, _: Ground) -> Judgement | None:
    """What other trainers can be told and ours cannot: said by name, so that nothing beside it hides it.

    >>> without_a_field("lr을 5e-5로 낮추고 warmup 500 step 추가", Ground()).why
    'warmup 설정이 없음 (lr은 처음부터 끝까지 같음)'
    >>> without_a_field("use a cosine scheduler", Ground()).why
    'lr 스케줄 설정이 없음 (lr은 처음부터 끝까지 같음)'
    >>> without_a_field("epoch 200부터 lr을 절반으로", Ground()).why
    '학습 도중에 lr을 바꾸는 설정이 없음 (처음부터 끝까지 같음)'
    >>> without_a_field("lr 스케줄러는 필요 없음", Ground())
    Satisfied(why='lr 스케줄 설정이 없음 (lr은 처음부터 끝까지 같음)')
    >>> without_a_field("warmup 500 step은 효과적이었음", Ground())
    """
    if (midway := _MIDWAY.search(words)) and _CHANGED.search(words) and not tells(words[midway.end() :]):
        return Unclear("학습 도중에 lr을 바꾸는 설정이 없음 (처음부터 끝까지 같음)", "→ 적용: lr=5e-5")
    for form, why in _NO_FIELD.items():
        found = re.search(form, words, re.IGNORECASE)
        if found and _asks_for(found, words):
            return Unclear(why)
        if found and _NEEDED_NOT.match(words[found.end() :]):
            return Satisfied(why)
    return None


def precision(words: str, _: Ground) -> Judgement | None:
    """What suits the device is found by trying, bfloat16 among it.

    >>> precision("mixed precision(bf16) 사용", Ground()).why
    '정밀도는 장치에서 시험해 자동으로 선택 (bf16 포함)'
    >>> precision("enable amp", Ground()).why
    '정밀도는 장치에서 시험해 자동으로 선택 (bf16 포함)'
    """
    found = _PRECISION.search(words)
    if found is None or not _asks_for(found, words):
        return None
    return Satisfied("정밀도는 장치에서 시험해 자동으로 선택 (bf16 포함)")


def _asks_for(found: re.Match[str], words: str) -> bool:
    around = words[max(0, found.start() - 24) : found.start()] + clause(words[found.start() :])
    return bool(_ASKED.search(around)) and not denies(around) and not tells(words[found.end() :])


def clipped(words: str, ground: Ground) -> Judgement | None:
    """Gradients are clipped in every run.

    >>> clipped("발산 방지를 위해 gradient clipping 도입", Ground()).why
    '이미 grad_clip_norm 10'
    >>> clipped("add gradient clipping", Ground()).why
    '이미 grad_clip_norm 10'
    """
    norm = ground.config.training.grad_clip_norm
    return Satisfied(f"이미 grad_clip_norm {norm:g}") if _CLIPPED.search(words) else None
