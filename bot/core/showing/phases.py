"""What a cycle waits for that is not training, and what a process that is silent is waited for."""

from datetime import datetime

from bot.core.state import (
    Abandoning,
    Absent,
    Arriving,
    Awaited,
    Bringing,
    Checking,
    CheckingAhead,
    Converting,
    Cooling,
    Cycle,
    Ended,
    Fetching,
    FetchingWeights,
    Held,
    Judged,
    Named,
    Refused,
    Stalled,
    Starting,
    Stopping,
    Training,
    Unread,
    WeightsMissing,
    would_repeat,
)
from protocol.messages import Phase

type Waits = tuple[Phase, str, datetime, str]
"""The phase, what is waited for, since when, and what comes next."""


def waiting(cycle: Cycle) -> Waits:
    """The phase of a cycle that is not training: what is waited for, since when, what comes next."""
    match cycle.run:
        case Held(why=why, since=since):
            return "held", why, since, "`resume` 또는 `retry` 지시를 받으면 재개"
        case Cooling(until=until):
            return "starting", "학습 프로세스 재시작", until, "마지막 저장 지점에서 재개"
        case Starting(since=since):
            return "starting", "학습 프로세스의 첫 소식", since, "ACT 학습"
        case Stalled(heard_at=heard_at):
            return silence(heard_at)
        case Stopping(since=since):
            return "held", "학습 프로세스 종료 (저장 후)", since, "`resume` 지시를 받으면 재개"
        case Training(since=since):
            return "starting", "첫 step", since, "ACT 학습"
        case Ended(since=since):
            return "uploading", "checkpoint 업로드", since, "DONE과 Evaluation HANDOFF"
        case _:
            return _before_the_run(cycle)


def silence(heard_at: datetime, *, spared: bool = False) -> Waits:
    """The phase of a process that is there and does not speak. `spared`: its GPU works, it is waited for."""
    first = "GPU는 사용 중이므로 한 번 더 기다린 뒤 " if spared else ""
    return "stalled", "학습 프로세스의 새 소식", heard_at, f"{first}종료 후 마지막 저장 지점에서 재개"


def _before_the_run(cycle: Cycle) -> Waits:
    match cycle.data, cycle.terms:
        case Refused(since=since), _:
            return "awaiting_data", "새 데이터 HANDOFF (검증 실패 후)", since, "데이터 재검증"
        case Named(since=since), _:
            return _before_the_data(cycle, since)
        case Awaited(since=since), _:
            return "awaiting_data", "Developer의 데이터 HANDOFF", since, "데이터 다운로드와 검증"
        case CheckingAhead(since=since, source=source), _:
            return "fetching", f"{source} 다운로드 (도착한 영상부터 검증 중)", since, "데이터 무결성 검증"
        case Abandoning(since=since), _:
            return "fetching", "검증 프로세스 종료 (다운로드 실패)", since, "실패 이유 보고"
        case Fetching(since=since, source=source) | Arriving(since=since, source=source), _:
            return "fetching", f"{source} 다운로드", since, "데이터 무결성 검증"
        case _, Unread(since=since, broken=broken) if broken:
            return "held", f"PLAN.md 수정 ({broken[0]})", since, "`retry` 지시를 받으면 다시 확인"
        case _, Unread(since=since):
            return "awaiting_handoff", "PLAN.md와 레슨런 확인", since, "데이터 무결성 검증"
        case Checking(since=since), _:
            return "checking", "데이터 무결성 검증", since, "HDF5 변환"
        case Converting(since=since), _:
            return "converting", "HDF5 변환", since, "ACT 학습"
        case _:
            return _admitted_but_waiting(cycle)


def _before_the_data(cycle: Cycle, since: datetime) -> Waits:
    if isinstance(cycle.device, Absent):
        return "held", cycle.device.why, cycle.device.since, "`retry` 지시를 받으면 장치 재확인"
    return "starting", "학습 장치 확인", since, "데이터 다운로드와 검증"


def _admitted_but_waiting(cycle: Cycle) -> Waits:
    match cycle.left:
        case Bringing(epoch=epoch, since=since) if not cycle.proposal:
            return (
                "fetching",
                f"이전 실행의 checkpoint (epoch {epoch}) 다운로드",
                since,
                "그 지점에서 ACT 학습 재개",
            )
        case _:
            return _settled_but_waiting(cycle)


def _settled_but_waiting(cycle: Cycle) -> Waits:
    match cycle.weights:
        case FetchingWeights(path=path, since=since):
            return "fetching", f"{path} 다운로드", since, "ACT 학습"
        case WeightsMissing(why=why, since=since) if not cycle.proposal:
            return "held", why, since, "다른 start_from이나 `retry` 지시를 받으면 학습"
        case _:
            return _held_or_asked(cycle)


def _held_or_asked(cycle: Cycle) -> Waits:
    if cycle.proposal:
        return (
            "awaiting_approval",
            f"Watcher의 승인 ({cycle.proposal.hash})",
            cycle.proposal.since,
            "ACT 학습",
        )
    if isinstance(cycle.terms, Judged):  # nothing is proposed yet: a translator is asked
        return "starting", "레슨런 번역", cycle.opened_at, "승인 요청 또는 질문"
    if would_repeat(cycle):
        return (
            "held",
            "지난 cycle과 같은 데이터와 설정, 반복할지 확인",
            cycle.opened_at,
            "`resume` 지시를 받으면 학습",
        )
    return "held", f"중지 해제 ({', '.join(cycle.on_hold)})", cycle.opened_at, "`resume` 지시를 받으면 학습"
