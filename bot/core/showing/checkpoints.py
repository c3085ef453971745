"""What of the run is safe in the bucket."""

from datetime import datetime

from bot.core.events import Gauges
from bot.core.policy import Policy
from bot.core.showing.clock import clock
from bot.core.state import Best, Checkpoint, Cycle, State, epochs_only_here, newest_safe
from protocol import paths

ONCE_MORE = "포기함 (한 번 더 시도하는 중)"


def newest(cycle: Cycle, policy: Policy) -> str | None:
    """The URL of the newest that a reader finds in the bucket."""
    epoch = newest_safe(cycle.shelf)
    return None if epoch is None else f"{policy.bucket}/{paths.act_epoch(epoch)}"


def in_short(cycle: Cycle, policy: Policy) -> list[str]:
    safe = newest(cycle, policy)
    waiting = epochs_only_here(cycle.shelf)
    lines = [f"최근 checkpoint: {safe}"] if safe else []
    return [*lines, *([f"업로드 대기: epoch {', '.join(waiting)}"] if waiting else [])]


def checkpoints(state: State, _: Gauges, at: datetime, policy: Policy) -> str:
    """What was uploaded may have been deleted since: only who reads it again knows."""
    place = f"{policy.bucket}/{paths.CHECKPOINTS}"
    where = f"버킷: {place} (지금도 온전한지는 `training-claw bucket verify`로 확인)"
    if state.cycle is None:
        return f"열린 cycle이 없습니다.\n{where}"
    kept = state.cycle.shelf.checkpoints
    lines = [f"epoch {one.epoch}: {_upload(one, at, policy)}" for one in kept]
    best = state.cycle.shelf.best
    named = f"best: epoch {best.epoch}{_way(best)}" if best else "best: 없음"
    return "\n".join([*(lines or ["저장된 checkpoint 없음"]), named, where])


def _way(best: Best) -> str:
    if not best.is_only_here:
        return ", 업로드됨"
    return f", {ONCE_MORE}" if best.given_up else ", 업로드 대기"


def _upload(one: Checkpoint, at: datetime, policy: Policy) -> str:
    match one.status:
        case "saved":
            return "업로드 대기"
        case "given_up":
            return ONCE_MORE
        case "lost":
            return "포기함 (이 기계의 파일이 온전하지 않음)"
        case _:
            return f"업로드됨 ({clock(one.safe_at, at, policy)})" if one.safe_at else "업로드됨"
