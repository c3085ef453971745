"""An order that does not work, in words for people: what it is, where, and what to do about it."""

from bot.core.effects import (
    BringBack,
    Effect,
    FetchData,
    FetchWeights,
    ForgetCheckpoint,
    HandOn,
    LookAtPlan,
    PublishBest,
    PublishCheckpoint,
    PublishCurve,
    ReadTerms,
    VerifyCheckpoint,
)

LOOK_AT_THE_LOG = "`journalctl -u training-claw -p warning`에서 원인 확인"


def named(order: Effect) -> str:
    """
    >>> named(PublishCheckpoint(cycle=7, run="r", epoch=50, folder="checkpoints/epoch_050", meta={}))
    'checkpoint 업로드 (cycle 7, epoch 50)'
    """
    match order:
        case PublishCheckpoint(cycle=cycle, epoch=epoch):
            return f"checkpoint 업로드 (cycle {cycle}, epoch {epoch})"
        case PublishBest(cycle=cycle, epoch=epoch):
            return f"best 업로드 (cycle {cycle}, epoch {epoch})"
        case PublishCurve(cycle=cycle, epoch=epoch):
            return f"학습 곡선 업로드 (cycle {cycle}, epoch {epoch})"
        case ForgetCheckpoint(cycle=cycle, epoch=epoch):
            return f"지난 checkpoint 삭제 (cycle {cycle}, epoch {epoch})"
        case HandOn(cycle=cycle):
            return f"Evaluation HANDOFF 준비 (cycle {cycle})"
        case _:
            return _asked_for(order)


def _asked_for(order: Effect) -> str:
    match order:
        case ReadTerms(cycle=cycle):
            return f"PLAN.md와 레슨런 읽기 (cycle {cycle})"
        case LookAtPlan(cycle=cycle):
            return f"PLAN.md 다시 확인 (cycle {cycle})"
        case FetchData(cycle=cycle, source=source):
            return f"{source} 다운로드 (cycle {cycle})"
        case FetchWeights(path=path):
            return f"{path} 다운로드"
        case BringBack(cycle=cycle, epoch=epoch):
            return f"checkpoint 다운로드 (cycle {cycle}, epoch {epoch})"
        case VerifyCheckpoint(path=path):
            return f"{path} 검증"
        case _:
            return order.key


def alert(order: Effect, why: str, where: str, remedy: str) -> str:
    """What operators are told once. Of a trouble that others meet, too, this is the first order."""
    return "\n".join(
        (
            f"도움이 필요함: {named(order)}",
            f"이유: {why}",
            *((f"위치: {where}",) if where else ()),
            f"다음 단계: {remedy or LOOK_AT_THE_LOG}",
            "포기하지 않고 1분 안에 한 번씩 다시 시도합니다. 남은 일은 `!status`에 표시됩니다.",
        )
    )
