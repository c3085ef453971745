"""The device ran out of memory."""

import re

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Impossible, Judgement, Satisfied, Unclear
from bot.lessons.phrases import ARROW, NUMBER, denies, number, to

_FULL = re.compile(
    r"메모리\s*(?:가\s*)?(?:부족|초과|고갈)|(?<![A-Za-z])OOM(?![A-Za-z])|out of memory", re.IGNORECASE
)
_TOO = re.compile(
    r"(?<![\d.])(\d+)\s*(?:에서도|로도|도\s)|(?:also|and|even)\s+(?:at|with)\s+(\d+)(?![\d.])", re.IGNORECASE
)
_BATCH = re.compile(
    r"(?:batch[_ ]?size|배치(?:\s*(?:크기|사이즈))?)(?:을|를|이|가|은|는)?\s*(?:=|of\b|to\b|at\b)?\s*(\d+)",
    re.IGNORECASE,
)

_EFFECTIVE = re.compile(
    r"(?:effective|유효|실효|실질|전체|총)(?:적인)?\s*"
    r"(?:batch(?:[_ ]size)?|배치(?:\s*(?:크기|사이즈))?)(?:을|를|은|는|가|이)?"
    rf"\s*(?:=|:|of|to|is)?\s*(?:{NUMBER}\s*(?:{ARROW}|에서)\s*)?(?P<samples>{NUMBER})",
    re.IGNORECASE,
)
_PASSES = re.compile(r"(?:accumulation|누적)\S{0,2}\s*(?:=|:|of|to)?\s*(\d{1,4})(?!\d)", re.IGNORECASE)


def out_of_memory(words: str, ground: Ground) -> Judgement | None:
    """Halve the batch, double the accumulation: the optimizer sees as many samples a step as before.

    >>> out_of_memory("batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생", Ground()).summary
    'batch_size 32로 축소, gradient accumulation 2 적용'
    >>> out_of_memory("CUDA out of memory at batch_size 128", Ground()).why
    '이미 batch_size 64 (메모리 부족은 128에서)'
    """
    if not _FULL.search(words):
        return None
    training = ground.config.training
    named = [
        one for part in re.split(r"[,;.\n]", words) if _FULL.search(part) for one in _BATCH.findall(part)
    ]
    named = named or _BATCH.findall(words)[:1]
    named += [found[1] or found[2] for found in _TOO.finditer(words)]
    full_at = min((round(number(one)) for one in named), default=ground.told_of.training.batch_size)
    if full_at > training.batch_size:
        return Satisfied(f"이미 batch_size {training.batch_size} (메모리 부족은 {full_at}에서)")
    if full_at <= 1:
        return Impossible("batch_size가 이미 1이라 더 줄일 수 없음")
    batch = full_at // 2
    passes = max(1, training.samples_per_step // batch)
    return changing(
        ground.config,
        {"training.batch_size": batch, "training.gradient_accumulation": passes},
        exact=False,
        summary=f"batch_size {to(batch)} 축소, gradient accumulation {passes} 적용",
    )


def effective_batch(words: str, ground: Ground) -> Judgement | None:
    """What one optimizer step sees, in passes of the batch there is, or as many passes as are said.

    >>> effective_batch("effective batch size를 128로", Ground()).summary
    'batch_size 64, gradient_accumulation 2'
    >>> effective_batch("keep an effective batch size of 64", Ground()).why
    '이미 batch_size 64, gradient_accumulation 1'
    >>> effective_batch("gradient accumulation 4로 effective batch 128 유지", Ground()).summary
    'batch_size 32, gradient_accumulation 4'
    >>> effective_batch("유효 배치를 100으로", Ground()).why
    '유효 batch 100을 batch_size 64로 나눌 수 없음'
    """
    found = _EFFECTIVE.search(words)
    if found is None or denies(words) or tells(words[found.end() :]):
        return None
    samples, passes = round(number(found["samples"])), _PASSES.search(words)
    training = ground.config.training
    batch = samples // round(number(passes[1])) if passes and number(passes[1]) >= 1 else training.batch_size
    if batch < 1 or samples % batch:
        why = f"유효 batch {samples}을 batch_size {batch or training.batch_size}로 나눌 수 없음"
        return Unclear(why, "→ 적용: batch_size=32, gradient_accumulation=4")
    said = {"training.batch_size": batch, "training.gradient_accumulation": samples // batch}
    return changing(ground.config, said, exact=False)
