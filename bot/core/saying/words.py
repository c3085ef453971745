"""What the tracks say, as messages. Short phrases live here; whole wordings in `protocol.wording`."""

from datetime import datetime

from bot.core.events import DaemonWoke, JobEnded, JobFellSilent
from bot.core.policy import Policy
from bot.core.state import Admitted, Cycle, Data, Entry, Here, Judged, Proposal, Settled, Shelf, newest_safe
from protocol import paths
from protocol.blocked import grouped as grouped_by_problem
from protocol.job import Failed, FailureKind, Problem
from protocol.messages import (
    BlockCause,
    Blocked,
    ChangeReport,
    ProposalPosted,
    ProposedChange,
    Question,
    Receipt,
    RestartNotice,
    SettledChange,
    StartReport,
)
from protocol.progress import Started
from protocol.training import TrainingConfig, diff

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

UNWATCHED = "held-out 에피소드 없음: 과적합과 검증 정체는 감지할 수 없음"
HOLDOUT_OFFER = (
    "제안: 에피소드 10%를 검증용으로 남겨 best를 held-out L1로 선정 "
    "(원하시면 `→ 적용: holdout=0.1`, 학습은 그대로 진행)"
)
"""It changes what is trained on, so it is offered once, and never switched on by itself."""

REQUESTS: dict[BlockCause, str] = {
    "data": "Developer에게 재생성 요청",
    "no_data": "Developer에게 데이터 경로 확인 요청",
    "foreign_bucket": "Developer에게 설정된 버킷으로 업로드 요청",
    "bucket": "운영자에게 버킷 권한과 연결 확인 요청",
    "plan": "PLAN.md 수정 후 `retry` 요청",
    "disk": "운영자에게 디스크 공간 확보 요청",
    "gpu": "운영자에게 GPU 드라이버 확인 요청",
    "memory": "batch_size 축소 승인 요청 (예: `→ 적용: batch_size=32`)",
    "divergence": "lr 조정 지시 요청 (예: `→ 적용: lr=5e-5`)",
    "weights": "운영자에게 사전학습 가중치 설치 요청 (`make install`)",
    "trainer": "운영자에게 trainer.log 확인 요청, 이후 `retry`",
}

NO_REASON = "검증을 통과하지 못함 (사유 기록 없음)"
HOW_TO_SAY_A_LESSON = "`→ 적용: batch_size=32`처럼 필드 이름과 값을 적어 주세요."


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


def blocked(cause: BlockCause, problems: tuple[str, ...]) -> Blocked:
    return Blocked(cause=cause, problems=problems, request=REQUESTS[cause])


def no_checkpoint_to_start_from(problem: str) -> Blocked:
    request = "start_from 확인 요청 (예: `→ 적용: start_from=checkpoints/cycle01/act_best`), 이후 `retry`"
    return Blocked(cause="weights", problems=(problem,), request=request)


def broken_plan(errors: tuple[str, ...]) -> Blocked:
    return blocked("plan", errors)


def admitted(data: Admitted, policy: Policy) -> Receipt:
    warnings = grouped(data.warnings)
    return Receipt(
        to=(policy.roster.developer,),
        understood=(
            f"데이터 검증 통과: 에피소드 {data.episodes}개, {data.frames}프레임",
            f"데이터 인증: {data.certificate[:12]}",
            *(f"주의: {warning}" for warning in warnings),
        ),
        next_step="설정이 확정되는 대로 학습 시작",
    )


def changes_applied(cycle: Cycle, fresh: tuple[Entry, ...]) -> tuple[ChangeReport, ...]:
    """The card's report before the start: each change that is in the config from now on."""
    changes = tuple(
        SettledChange(change=change, lesson=entry.heard.lesson.text, approved_by=entry.approved_by)
        for entry in fresh
        if entry.status == "applied"
        for change in entry.changes
    )
    return (ChangeReport(cycle=cycle.number, changes=changes),) if changes else ()


def questions_about(fresh: tuple[Entry, ...], policy: Policy) -> tuple[Question, ...]:
    return tuple(
        Question(
            to=(policy.roster.watcher,),
            question=f"레슨런을 설정에 반영하지 못했습니다: {entry.heard.lesson.text} ({entry.note})",
            how_to_answer=HOW_TO_SAY_A_LESSON,
        )
        for entry in fresh
        if entry.status == "unclear"
    )


def proposal_posted(
    cycle: Cycle, proposal: Proposal, leads_to: TrainingConfig, policy: Policy
) -> tuple[ProposalPosted, ...]:
    """`leads_to`: the config as it will be if all of it is approved."""
    terms = cycle.terms
    assert terms.phase != "unread", "a proposal comes from judged lessons"
    lines = tuple(
        ProposedChange(
            number=line.number,
            changes=line.changes,
            reason=line.reason,
            lesson=terms.ledger[line.entry].heard.lesson.text,
        )
        for line in proposal.lines
    )
    return (
        ProposalPosted(
            cycle=cycle.number,
            hash=proposal.hash,
            lines=lines,
            blocking=policy.approval == "explicit" or any(line.translated for line in proposal.lines),
            notes=what_it_means(terms.config, leads_to, cycle.data),
        ),
    )


def what_it_means(before: TrainingConfig, after: TrainingConfig, data: Data) -> tuple[str, ...]:
    """What the changed config comes to, as far as it is known before the start."""
    was, will = before.training, after.training
    samples = f"step당 샘플: {was.samples_per_step} → {will.samples_per_step}"
    passes = f"batch {will.batch_size} × accumulation {will.gradient_accumulation}"
    steps = "epoch당 step: 계산 중 (데이터 검증 후)"
    if isinstance(data, Admitted):
        old, new = (-(-data.frames // one.samples_per_step) for one in (was, will))
        steps = f"epoch당 step: {old:,} → {new:,} (전체 {new * will.epochs:,})"
    return f"{samples} ({passes})", steps, "GPU 메모리, 예상 완료: 계산 중 (학습 시작 후 측정)"


def started(cycle: Cycle, line: Started) -> StartReport:
    assert isinstance(cycle.data, Admitted), "nothing trains on unchecked data"
    terms = cycle.terms
    assert terms.phase != "unread", "nothing trains without terms"
    looked = f"확인: {', '.join(('HANDOFF', *terms.looked_at))}"
    return StartReport(
        cycle=cycle.number,
        episodes=cycle.data.episodes,
        frames=cycle.data.frames,
        changes=diff(TrainingConfig(), terms.config),
        versions={"장치": line.device, "정밀도": line.precision, **line.versions},
        now=line.at,
        eta=None,
        notes=(
            *_whose_word(terms),
            *(f"데이터 인증: {cycle.data.certificate[:12]}", f"config: {terms.config.hash}", looked),
            *_held_out(cycle, terms.config, cycle.data.episodes - line.episodes),
        ),
    )


def _whose_word(terms: Judged | Settled) -> tuple[str, ...]:
    """On whose word the config differs from the usual one."""
    different = [change.field for change in diff(TrainingConfig(), terms.config)]
    said = {change.field for entry in terms.ledger if entry.status == "applied" for change in entry.changes}
    planned = {*terms.from_plan} - said
    sources = {
        "PLAN.md": [field for field in different if field in planned],
        "레슨런·승인": [field for field in different if field in said],
        "봇 설정": [field for field in different if field not in said | planned],
    }
    told = "; ".join(f"{source} {', '.join(fields)}" for source, fields in sources.items() if fields)
    return (f"변경 근거: {told}",) if told else ()


def _held_out(cycle: Cycle, config: TrainingConfig, episodes: int) -> tuple[str, ...]:
    """How many episodes are kept from training; without any, what nobody can see, and at first the offer."""
    if config.dataset.holdout:
        return (f"검증용으로 학습에서 제외: 에피소드 {episodes}개 (best는 held-out L1 기준)",)
    return (UNWATCHED, HOLDOUT_OFFER) if cycle.last is None else (UNWATCHED,)


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


def restarted(cycle: Cycle, event: DaemonWoke, policy: Policy) -> RestartNotice:
    """The daemon itself was away; the trainer may not have noticed."""
    state_of_job = {
        "alive": "학습 프로세스는 계속 실행 중",
        "dead": "실행 중이던 프로세스가 종료됨",
        "unknown": "프로세스 상태 확인 중",
        "absent": "실행 중이던 프로세스 없음",
    }[event.job]
    newest = newest_safe(cycle.shelf)
    return RestartNotice(
        cause="Training 봇 재시작",
        checkpoint=f"{policy.bucket}/{paths.act_epoch(newest)}" if newest is not None else None,
        repeated_epochs=0 if event.job == "alive" else None,
        now=event.at,
        eta=None,
        notes=(f"Cycle {cycle.number}: {state_of_job}",),
    )
