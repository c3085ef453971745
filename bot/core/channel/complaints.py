"""A complaint about a checkpoint: every byte of it is read again, and who complained is told the result."""

import re

from bot.core.effects import Effect, VerifyCheckpoint
from bot.core.events import CheckpointVerified
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.state import State, Verifying
from protocol import paths
from protocol.messages import Alert, Answer, Receipt

MOST = 3
"""So many checkpoints of one complaint are looked at, and so many faults of one are told."""

_NAMED = re.compile(r"(?<![A-Za-z0-9_])(cycle\d{1,6}/)?(act_best|act_epoch_\d{1,6})(?![A-Za-z0-9_])")


def named(text: str) -> tuple[str, ...]:
    """The checkpoints a complaint names, by their place in the bucket; the best, if it names none.

    >>> named("cycle03/act_best가 안 열려요, gs://b/checkpoints/act_epoch_150/도요")
    ('checkpoints/cycle03/act_best/', 'checkpoints/act_epoch_150/')
    """
    found = dict.fromkeys(f"{paths.CHECKPOINTS}{one[1] or ''}{one[2]}/" for one in _NAMED.finditer(text))
    return tuple(found)[:MOST] or (paths.act_best(),)


def complained(state: State, text: str, author: int, policy: Policy) -> Step:
    """Have it read again; one that is being read already is not read twice."""
    orders: list[Effect] = []
    for path in named(text):
        state, order = _ordered(state, path, author)
        orders += order
    what = tuple(f"checkpoint 문제 접수: {path}" for path in named(text))
    next_step = "모든 파일을 다시 읽어 manifest와 대조하고 결과를 답함"
    if author in policy.operators:
        return state, (*say(Answer(to=(author,), body="\n".join((*what, next_step)))), *orders)
    return state, (*say(Receipt(to=(author,), understood=what, next_step=next_step)), *orders)


def verified(state: State, event: CheckpointVerified, policy: Policy) -> Step:
    """Tell everybody who asked meanwhile; damage is also Watcher's and the operators' business."""
    asked = next((one for one in state.verifying if one.path == event.path), None)
    left = tuple(one for one in state.verifying if one is not asked)
    told = say(Answer(to=asked.askers, body=_in_words(event))) if asked else ()
    if event.faults:
        alert = Alert(to=(policy.roster.watcher, *policy.operators), body=_in_words(event))
        told = (*told, *say(alert))
    return now(state, verifying=left), told


def _ordered(state: State, path: str, author: int) -> tuple[State, tuple[Effect, ...]]:
    under_way = next((one for one in state.verifying if one.path == path), None)
    if under_way is None:
        number = state.verifications + 1
        asked = (*state.verifying, Verifying(path=path, askers=(author,)))
        order = VerifyCheckpoint(path=path, asked=number)
        return now(state, verifications=number, verifying=asked), (order,)
    joined = now(under_way, askers=tuple(dict.fromkeys((*under_way.askers, author))))
    return now(state, verifying=tuple(joined if one is under_way else one for one in state.verifying)), ()


def _in_words(event: CheckpointVerified) -> str:
    if not event.what:
        return f"{event.path} 확인: 게시된 checkpoint가 아님 (manifest 없음), 대조할 것이 없음"
    if not event.faults:
        return f"{event.path} 확인: 이상 없음 ({event.what}), 모든 파일이 manifest와 일치"
    shown, left = event.faults[:MOST], len(event.faults) - MOST
    lines = (*(f"- {one}" for one in shown), *([f"… 그 밖에 {left}건"] if left > 0 else []))
    return "\n".join((f"{event.path} 확인: 손상 {len(event.faults)}건 ({event.what})", *lines))
