"""What is asked for and no field of the config can say: answered with the reason, never dropped."""

import re

from bot.lessons.ground import Ground
from bot.lessons.judgement import Judgement, Satisfied, Unclear

_LOADER = re.compile(
    r"(?:데이터\s*)?로더|로딩|num_workers|prefetch|data\s*load|(?:gpu|device)\S*\s*(?:가\s*)?(?:대기|굶|starv)|starv",
    re.IGNORECASE,
)
_SLOW = re.compile(r"느[리림려]|병목|대기|지연|부족|굶|slow|starv|bottleneck|wait", re.IGNORECASE)
_AUGMENTED = re.compile(
    r"증강|augment|color\s*jitter|random\s*crop|(?:좌우|상하)\s*반전|뒤집|horizontal\s*flip", re.IGNORECASE
)
_WEIGHTED = re.compile(
    r"(?<!사전학습 )(?<!학습된 )가중치|\bweight(?:s|ed|ing)?\b(?!_)(?!\s*decay)", re.IGNORECASE
)
_LOADED = re.compile(r"사전\s*학습|pretrained|imagenet|초기\s*가중치|initial weights", re.IGNORECASE)
_CONTINUED = re.compile(
    r"(?:checkpoint|체크포인트|가중치|act_best)\S*\s*(?:에서|부터|로)\s*(?:이어|계속|시작|초기화|학습)|이어서\s*학습"
    r"|(?:resume|continue|start|warm[- ]start|fine-?tune)\s+(?:training\s+)?from|warm[- ]start",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"(?:REPORT|보고|리포트)\S*\s*(?:주기|간격|빈도|자주)|\d+\s*분\s*마다\s*(?:REPORT|보고|리포트)"
    r"|report\s+(?:every|more often|interval)",
    re.IGNORECASE,
)


def loader_starved(words: str, _: Ground) -> Judgement | None:
    """
    >>> loader_starved("데이터 로더가 느려 GPU 사용률이 낮음", Ground()).why
    '읽기 대기 없음: 전체 프레임을 메모리에 올려 batch를 만듦'
    >>> type(loader_starved("the data loader is slow", Ground())).__name__
    'Satisfied'
    """
    if _LOADER.search(words) and _SLOW.search(words):
        return Satisfied("읽기 대기 없음: 전체 프레임을 메모리에 올려 batch를 만듦")
    return None


def augmented(words: str, _: Ground) -> Judgement | None:
    """
    >>> augmented("이미지 증강 적용", Ground()).why
    '이미지 증강(augmentation) 설정이 없음'
    >>> type(augmented("add color jitter augmentation", Ground())).__name__
    'Unclear'
    """
    return Unclear("이미지 증강(augmentation) 설정이 없음") if _AUGMENTED.search(words) else None


def weighted_channel(words: str, ground: Ground) -> Judgement | None:
    """
    >>> weighted_channel("steering에 가중치 2배", Ground()).why
    '채널별 loss 가중치 설정이 없음 (steering)'
    >>> type(weighted_channel("double the weight of the bucket channel", Ground())).__name__
    'Unclear'
    """
    if not _WEIGHTED.search(words) or _LOADED.search(words) or _CONTINUED.search(words):
        return None
    named = [name for name in ground.config.action_names if name in words]
    return Unclear(f"채널별 loss 가중치 설정이 없음{f' ({", ".join(named)})' if named else ''}")


def continued(words: str, _: Ground) -> Judgement | None:
    """
    >>> continued("이전 checkpoint에서 이어서 학습", Ground()).why
    '이전 cycle의 checkpoint를 초기 가중치로 쓰는 설정이 없음 (같은 run은 항상 마지막 저장 지점에서 재개)'
    >>> type(continued("resume from the last cycle's checkpoint", Ground())).__name__
    'Unclear'
    """
    if not _CONTINUED.search(words):
        return None
    within = "같은 run은 항상 마지막 저장 지점에서 재개"
    return Unclear(f"이전 cycle의 checkpoint를 초기 가중치로 쓰는 설정이 없음 ({within})")


def reported_every(words: str, _: Ground) -> Judgement | None:
    """
    >>> reported_every("REPORT 주기를 10분으로", Ground()).why
    'REPORT 주기는 학습 설정이 아니라 운영자 설정 (REPORT_EVERY_S)'
    >>> type(reported_every("please report more often", Ground())).__name__
    'Unclear'
    """
    if not _REPORTED.search(words):
        return None
    return Unclear("REPORT 주기는 학습 설정이 아니라 운영자 설정 (REPORT_EVERY_S)")
