"""What is asked for and no field of the config can say: answered with the reason, never dropped."""

import re

from bot.lessons.ground import Ground
from bot.lessons.judgement import Judgement, Satisfied

_LOADER = re.compile(
    r"(?:데이터\s*)?로더|로딩|num_workers|prefetch|data\s*load|(?:gpu|device)\S*\s*(?:가\s*)?(?:대기|굶|starv)|starv",
    re.IGNORECASE,
)
_SLOW = re.compile(r"느[리림려]|병목|대기|지연|부족|굶|slow|starv|bottleneck|wait", re.IGNORECASE)


def loader_starved(words: str, _: Ground) -> Judgement | None:
    """All frames are in memory: there is no loader to wait for.

    >>> loader_starved("데이터 로더가 느려 GPU 사용률이 낮음", Ground()).why
    '읽기 대기 없음: 전체 프레임을 메모리에 올려 batch를 만듦'
    >>> type(loader_starved("the data loader is slow", Ground())).__name__
    'Satisfied'
    """
    if _LOADER.search(words) and _SLOW.search(words):
        return Satisfied("읽기 대기 없음: 전체 프레임을 메모리에 올려 batch를 만듦")
    return None
