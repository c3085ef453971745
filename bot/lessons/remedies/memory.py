"""The device ran out of memory."""

import re

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.judgement import Impossible, Judgement, Satisfied
from bot.lessons.phrases import number, to

_FULL = re.compile(r"메모리\s*(?:가\s*)?(?:부족|초과|고갈)|\bOOM\b|out of memory", re.IGNORECASE)
_BATCH = re.compile(r"(?:batch[_ ]?size|배치(?:\s*(?:크기|사이즈))?)\s*=?\s*(\d+)", re.IGNORECASE)


def out_of_memory(words: str, ground: Ground) -> Judgement | None:
    """Halve the batch, double the accumulation: the optimizer sees as many samples a step as before.

    >>> out_of_memory("batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생", Ground()).summary
    'batch_size 32로 축소, gradient accumulation 2 적용'
    >>> out_of_memory("CUDA out of memory at batch_size 128", Ground()).why
    '이미 batch_size 64 (메모리 부족은 128에서)'
    """
    if not _FULL.search(words):
        return None
    training, named = ground.config.training, _BATCH.search(words)
    full_at = round(number(named[1])) if named else ground.told_of.training.batch_size
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
