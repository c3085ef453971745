"""BLOCKED: what stands in the way, and who is asked for what about it."""

from bot.core.events import JobEnded
from bot.core.state import Cycle
from protocol.blocked import grouped as grouped_by_problem
from protocol.job import Failed, FailureKind, Problem
from protocol.messages import BlockCause, Blocked

CAUSES: dict[FailureKind, BlockCause] = {
    "out_of_memory": "memory",
    "diverged": "divergence",
    "no_space": "disk",
    "no_device": "gpu",
    "no_weights": "weights",
    "bad_data": "data",
    "bad_job": "trainer",
    "stopped": "trainer",
    "error": "trainer",
}

REQUESTS: dict[BlockCause, str] = {
    "data": "Developer에게 재생성 요청",
    "no_data": "Developer에게 데이터 경로 확인 요청",
    "foreign_bucket": "Developer에게 설정된 버킷으로 업로드 요청",
    "bucket": "운영자에게 버킷 권한과 연결 확인 요청",
    "plan": "PLAN.md 수정 후 `retry` 요청",
    "repeat": "새 데이터 HANDOFF나 레슨런 요청, 그대로 다시 학습하려면 `resume`",
    "disk": "운영자에게 디스크 공간 확보 요청",
    "gpu": "운영자에게 GPU 드라이버 확인 요청",
    "memory": "batch_size 축소 승인 요청 (예: `→ 적용: batch_size=32`)",
    "divergence": "lr 조정 지시 요청 (예: `→ 적용: lr=5e-5`)",
    "weights": "운영자에게 위 명령으로 사전학습 가중치 설치 요청, 이후 `retry`",
    "trainer": "운영자에게 trainer.log 확인 요청, 이후 `retry`",
}

NO_REASON = "검증을 통과하지 못함 (사유 기록 없음)"


def cause_of(failed: Failed) -> BlockCause:
    return CAUSES[failed.failure]


def crashed(event: JobEnded) -> str:
    detail = event.outcome.message if isinstance(event.outcome, Failed) else event.detail
    why = detail or "기록 없음"
    return f"학습 프로세스 비정상 종료 ({event.run}, 시도 {event.attempt}): {why} (로그: {log_of(event)})"


def log_of(event: JobEnded) -> str:
    """Under STATE_DIR."""
    return f"runs/{event.run}/attempts/{event.attempt}/trainer.log"


def grouped(problems: tuple[Problem, ...]) -> tuple[str, ...]:
    return grouped_by_problem([(problem.episode, problem.message) for problem in problems])


def by(cause: BlockCause, problems: tuple[str, ...]) -> Blocked:
    return Blocked(cause=cause, problems=problems, request=REQUESTS[cause])


def repeats(cycle: Cycle) -> Blocked:
    before = f"Cycle {cycle.number}의 데이터와 설정이 이미 끝난 cycle의 것과 같음"
    return by("repeat", (f"{before}: 같은 학습을 반복하게 됨",))


def mended(cause: BlockCause, problems: tuple[str, ...]) -> Blocked:
    """Nobody is asked for anything: what goes on is in the report of changes beside it."""
    request = "없음: 운영자가 AUTO_APPROVE로 미리 승인한 변경으로 바로 재개"
    return Blocked(cause=cause, problems=problems, request=request)


def no_checkpoint_to_start_from(problem: str) -> Blocked:
    request = "start_from 확인 요청 (예: `→ 적용: start_from=checkpoints/cycle01/act_best`), 이후 `retry`"
    return Blocked(cause="weights", problems=(problem,), request=request)


def broken_plan(errors: tuple[str, ...]) -> Blocked:
    return by("plan", errors)
