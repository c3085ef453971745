"""How a run goes on: from which weights it starts, how often Watcher hears of it."""

import re

from bot.lessons.changes import changing
from bot.lessons.ground import Ground
from bot.lessons.hindsight import tells
from bot.lessons.judgement import Judgement, Satisfied, Unclear
from bot.lessons.phrases import NUMBER, denies, doubts, forbids, number, praises
from protocol import paths

START_FROM = "training.start_from"
REPORTS = "training.report_every_minutes"
_PATH = re.compile(r"checkpoints/[A-Za-z0-9_./-]*[A-Za-z0-9_]")
_CONTINUED = re.compile(
    r"(?:checkpoint|체크포인트|가중치|act_best|act_epoch_\d+)\S*\s*(?:에서|부터|로)\s*(?:이어|계속|시작|초기화|학습)"
    r"|(?:에서|부터)\s*이어서\s*학습|이어서\s*학습"
    r"|(?:resume|continue|start|warm[- ]start|fine-?tune|initiali[sz]e)\s+"
    r"(?:training\s+|the\s+(?:model|policy|weights)\s+)?from|warm[- ]start",
    re.IGNORECASE,
)
_ANEW = re.compile(
    r"처음부터\s*(?:다시\s*)?(?:재?학습|시작)|(?:train\w*|start\w*|learn\w*)\s+(?:again\s+)?from\s+scratch",
    re.IGNORECASE,
)
_IMAGENET = re.compile(r"imagenet|사전\s*학습|pretrained", re.IGNORECASE)
_CYCLE = re.compile(r"cycle\s*_?(\d{1,4})", re.IGNORECASE)
_EPOCH = re.compile(r"(?:act_epoch_|epoch\s*)(\d{1,5})", re.IGNORECASE)

_REPORTED = re.compile(
    r"(?:REPORT|보고|리포트)\S*\s*(?:주기|간격|빈도|(?:더\s*)?자주)"
    r"|\d+\s*(?:분|시간)\s*(?:마다|간격으로)\s*(?:REPORT|보고|리포트)"
    r"|(?:REPORT|보고|리포트)\S*\s*\d+\s*(?:분|시간)\s*(?:마다|간격|주기)"
    r"|report(?:s|ing)?\s+(?:every|more\s+often|interval)",
    re.IGNORECASE,
)
_TIME = re.compile(
    rf"(?P<count>{NUMBER})\s*(?P<unit>분|시간|minutes?|mins?|hours?)(?!\s*(?:에서|→|->|이?\s*아니|말고|대신))",
    re.IGNORECASE,
)


def continued(words: str, ground: Ground) -> Judgement | None:
    """Start from the weights of an earlier checkpoint: a new optimizer, all epochs.

    Which one is inferred unless its path or its cycle is named.

    >>> after_two = Ground(best="checkpoints/cycle02/act_best/")
    >>> continued("이전 checkpoint에서 이어서 학습", after_two).summary
    '이전 checkpoint에서 이어서 학습 (checkpoints/cycle02/act_best)'
    >>> continued("resume from the last cycle's checkpoint", after_two).exact
    False
    >>> continued("cycle 1의 checkpoint에서 이어서 학습", after_two).summary
    'checkpoints/cycle01/act_best에서 이어서 학습'
    >>> continued("gs://ralphton-handoff/checkpoints/old_model/ 가중치로 시작", after_two).exact
    True
    >>> continued("이전 checkpoint에서 이어서 학습", Ground()).why
    '이어서 학습할 이전 cycle의 checkpoint가 없음 (같은 run은 항상 마지막 저장 지점에서 재개)'
    """
    if not _CONTINUED.search(words) or denies(words) or tells(_behind(_CONTINUED, words)):
        return None
    named = _named_checkpoint(words, ground)
    path = named or ground.best.rstrip("/")
    if not path:
        within = "같은 run은 항상 마지막 저장 지점에서 재개"
        example = "→ 적용: start_from=checkpoints/cycle01/act_best"
        return Unclear(f"이어서 학습할 이전 cycle의 checkpoint가 없음 ({within})", example)
    summary = f"{path}에서 이어서 학습" if named else f"이전 checkpoint에서 이어서 학습 ({path})"
    return changing(
        ground.config, {START_FROM: path}, exact=bool(named) and not doubts(words), summary=summary
    )


def anew(words: str, ground: Ground) -> Judgement | None:
    """From the config's own initial weights, not from a checkpoint.

    >>> anew("이전 checkpoint에서 이어서 학습하지 말고 처음부터 학습", Ground()).why
    '이미 checkpoint 없이 처음부터 학습'
    >>> begun = Ground(Ground().config.with_changes({"training.start_from": "checkpoints/cycle01/act_best"}))
    >>> anew("train from scratch", begun).summary
    '처음부터 학습'
    """
    found = _ANEW.search(words)
    if (
        found is None
        or _IMAGENET.search(words)
        or tells(words[found.end() :])
        or forbids(words[found.start() :])
    ):
        return None
    if ground.config.training.start_from is None:
        return Satisfied("이미 checkpoint 없이 처음부터 학습")
    return changing(ground.config, {START_FROM: None}, exact=not doubts(words), summary="처음부터 학습")


def reported_every(words: str, ground: Ground) -> Judgement | None:
    """Watcher may hear from us more often than every half hour, never less often.

    >>> reported_every("REPORT 주기를 10분으로", Ground()).summary
    'REPORT 주기 10분'
    >>> reported_every("please report every 15 minutes", Ground()).exact
    True
    >>> reported_every("보고를 더 자주", Ground()).summary
    'REPORT 주기 15분'
    >>> reported_every("REPORT를 1시간마다", Ground()).why
    'report_every_minutes 60: 30 이하여야 함'
    """
    if not _REPORTED.search(words) or denies(words) or praises(words):
        return None
    found = _TIME.search(words)
    if found is None:
        minutes = max(1, ground.told_of.training.report_every_minutes // 2)
        return changing(ground.config, {REPORTS: minutes}, exact=False, summary=_every(minutes))
    if tells(words[found.end() :].removeprefix("마다")):
        return None
    in_hours = found["unit"][0] in "시hH"
    minutes = number(found["count"]) * (60 if in_hours else 1)
    return changing(ground.config, {REPORTS: minutes}, exact=not doubts(words), summary=_every(minutes))


def _named_checkpoint(words: str, ground: Ground) -> str:
    """The one whose path stands there, or whose cycle or epoch; empty where nothing names one."""
    if path := _PATH.search(words):
        return path[0]
    cycle, epoch = _CYCLE.search(words), _EPOCH.search(words)
    if cycle is None and epoch is None:
        return ""
    if cycle is None:
        before = _CYCLE.search(ground.best)
        number_ = int(before[1]) if before else None
    else:
        number_ = int(cycle[1])
    return (paths.act_epoch(int(epoch[1]), number_) if epoch else paths.act_best(number_)).rstrip("/")


def _behind(form: re.Pattern[str], words: str) -> str:
    found = form.search(words)
    return words[found.end() :] if found else ""


def _every(minutes: float) -> str:
    return f"REPORT 주기 {minutes:g}분"
