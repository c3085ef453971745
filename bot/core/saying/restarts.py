"""A process, or the daemon itself, was away: what was the cause, and where it goes on."""

from datetime import datetime

from bot.core.events import DaemonWoke, JobEnded, JobFellSilent
from bot.core.policy import Policy
from bot.core.saying.blocked import crashed, log_of
from bot.core.showing import checkpoints
from bot.core.state import Cycle, Here, Shelf, Unstarted
from protocol.messages import RestartNotice
from protocol.progress import Started


def resumed(cycle: Cycle, line: Started, reached: int) -> RestartNotice:
    return RestartNotice(
        cause="학습 프로세스 재시작",
        checkpoint=line.resumed_from,
        repeated_epochs=max(0, reached - line.epoch),
        now=line.at,
        eta=None,
        notes=(f"Cycle {cycle.number}: epoch {line.epoch}/{line.epochs}부터 재개",),
    )


def gone_on(cycle: Cycle, line: Started, left: Here) -> RestartNotice:
    """On a machine that knows of it only from the bucket."""
    return RestartNotice(
        cause=f"새 장비: 이 cycle의 기록이 없어 버킷의 checkpoint에서 이어서 학습 (이전 실행 {left.run})",
        checkpoint=line.resumed_from,
        repeated_epochs=None,
        now=line.at,
        eta=None,
        notes=(f"Cycle {cycle.number}: epoch {line.epoch}/{line.epochs}부터 재개", *_still_standing(cycle)),
    )


def _still_standing(cycle: Cycle) -> tuple[str, ...]:
    epochs = ", ".join(str(one.epoch) for one in cycle.shelf.checkpoints)
    return (f"이전 실행의 checkpoint 유지: epoch {epochs}",) if epochs else ()


def will_restart(cycle: Cycle, event: JobEnded, until: datetime, *, by_us: bool) -> RestartNotice:
    """`by_us`: it had fallen silent, and we ended it."""
    pause_s = (until - event.at).total_seconds()
    ended = f"소식이 없던 학습 프로세스를 종료시킴 ({event.run}, 시도 {event.attempt}, 로그: {log_of(event)})"
    return RestartNotice(
        cause=ended if by_us else crashed(event),
        checkpoint=_newest_save(cycle.shelf),
        repeated_epochs=None,
        now=event.at,
        eta=None,
        notes=(f"Cycle {cycle.number}: {pause_s:.0f}초 뒤 마지막 저장 지점에서 재개",),
    )


GPU_TESTIFIES = {
    "busy": ("GPU는 사용 중: 한 번 더 기다렸으나 소식 없음",),
    "idle": ("GPU도 쉬는 중 (사용률 0%)",),
    "unknown": (),
}


def _newest_save(shelf: Shelf) -> str | None:
    """What a process would go on from."""
    return f"{shelf.newest[0]} (epoch {shelf.newest[1]})" if shelf.newest else None


def stalled(cycle: Cycle, event: JobFellSilent) -> RestartNotice:
    silent_s = (event.at - event.heard_at).total_seconds()
    return RestartNotice(
        cause=f"학습 정체: {event.promised_s:.0f}초 안에 오기로 한 소식이 {silent_s:.0f}초째 없음",
        checkpoint=_newest_save(cycle.shelf),
        repeated_epochs=None,
        now=event.at,
        eta=None,
        notes=(
            *GPU_TESTIFIES[event.gpu],
            f"Cycle {cycle.number}: 저장 후 종료를 요청했고, 응답이 없으면 강제 종료",
            "이후 마지막 저장 지점에서 재개",
        ),
    )


def of_the_daemon(cycle: Cycle, event: DaemonWoke, policy: Policy) -> RestartNotice:
    """The daemon itself was away; the trainer may not have noticed."""
    state_of_job = {
        "alive": "학습 프로세스는 계속 실행 중",
        "dead": "실행 중이던 프로세스가 종료됨",
        "unknown": "프로세스 상태 확인 중",
        "absent": "실행 중이던 프로세스 없음",
    }[event.job]
    return RestartNotice(
        cause="Training 봇 재시작",
        checkpoint=checkpoints.newest(cycle, policy),
        repeated_epochs=0 if event.job == "alive" or isinstance(cycle.run, Unstarted) else None,
        now=event.at,
        eta=None,
        notes=(f"Cycle {cycle.number}: {state_of_job}",),
    )
