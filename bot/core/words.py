"""What the tracks say, as messages. Short Korean phrases live here; whole wordings in `protocol.text`."""

from datetime import datetime

from bot.core import shelf
from bot.core.events import DaemonWoke, JobEnded
from bot.core.policy import Policy
from bot.core.state import Admitted, Cycle, Entry, Proposal, State, Stopping
from protocol import paths
from protocol.blocked import grouped as grouped_by_problem
from protocol.job import Failed, FailureKind, Problem, Trained
from protocol.messages import (
    Answer,
    BlockCause,
    Blocked,
    ChangeReport,
    CycleStopped,
    Done,
    FinalHandoff,
    Handoff,
    LessonOutcome,
    Lessons,
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
    return f"학습 프로세스 비정상 종료 ({event.run}, 시도 {event.attempt}): {detail or '기록 없음'}"


def grouped(problems: tuple[Problem, ...]) -> tuple[str, ...]:
    return grouped_by_problem([(problem.episode, problem.message) for problem in problems])


def blocked(cause: BlockCause, problems: tuple[str, ...]) -> Blocked:
    return Blocked(cause=cause, problems=problems, request=REQUESTS[cause])


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
            question=f"레슨런을 설정에 반영하지 못했습니다: {entry.heard.lesson.text}",
            how_to_answer=HOW_TO_SAY_A_LESSON,
        )
        for entry in fresh
        if entry.status == "unclear"
    )


def proposal_posted(cycle: Cycle, proposal: Proposal, policy: Policy) -> tuple[ProposalPosted, ...]:
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
            cycle=cycle.number, hash=proposal.hash, lines=lines, blocking=policy.approval == "explicit"
        ),
    )


def started(cycle: Cycle, line: Started) -> StartReport:
    assert isinstance(cycle.data, Admitted), "nothing trains on unchecked data"
    terms = cycle.terms
    assert terms.phase != "unread", "nothing trains without terms"
    return StartReport(
        cycle=cycle.number,
        episodes=cycle.data.episodes,
        frames=cycle.data.frames,
        changes=diff(TrainingConfig(), terms.config),
        versions={"장치": line.device, "정밀도": line.precision, **line.versions},
        now=line.at,
        eta=None,
        notes=(f"데이터 인증: {cycle.data.certificate[:12]}", f"config: {terms.config.hash}", _looked(cycle)),
    )


def resumed(cycle: Cycle, line: Started) -> RestartNotice:
    return RestartNotice(
        cause="학습 프로세스 재시작",
        checkpoint=line.resumed_from,
        repeated_epochs=None,
        now=line.at,
        eta=None,
        notes=(f"Cycle {cycle.number}: epoch {line.epoch}/{line.epochs}부터 재개",),
    )


def will_restart(cycle: Cycle, event: JobEnded, until: datetime) -> RestartNotice:
    pause_s = (until - event.at).total_seconds()
    return RestartNotice(
        cause=crashed(event),
        checkpoint=None,
        repeated_epochs=None,
        now=event.at,
        eta=None,
        notes=(f"Cycle {cycle.number}: {pause_s:.0f}초 뒤 마지막 저장 지점에서 재개",),
    )


def stopped(cycle: Cycle, run: Stopping) -> CycleStopped:
    return CycleStopped(
        cycle=cycle.number,
        by=run.by,
        epoch=run.epoch,
        checkpoint=None,
        lessons=outcomes(cycle),
        notes=("`resume`이라고 하면 저장 지점에서 이어서 학습합니다.",),
    )


def outcomes(cycle: Cycle) -> tuple[LessonOutcome, ...]:
    """Every lesson with what became of it, in the order heard."""
    terms = cycle.terms
    if terms.phase == "unread":
        return tuple(LessonOutcome(mark="unanswered", text=one.lesson.text) for one in terms.heard)
    return tuple(_outcome(cycle, entry) for entry in terms.ledger)


def _outcome(cycle: Cycle, entry: Entry) -> LessonOutcome:
    lesson = entry.heard.lesson.text
    match entry.status:
        case "applied":
            return LessonOutcome(mark="applied", text=entry.note, outcome=_measured(cycle, entry))
        case "satisfied":
            return LessonOutcome(mark="applied", text=lesson, outcome=entry.note)
        case "rejected" | "not_ours":
            return LessonOutcome(mark="refused", text=lesson, outcome=entry.note)
        case _:
            return LessonOutcome(mark="unanswered", text=lesson, outcome=entry.note)


def _measured(cycle: Cycle, entry: Entry) -> str:
    """What the change has demonstrably done, as far as the state shows it."""
    fields = {change.field for change in entry.changes}
    if isinstance(cycle.data, Admitted) and fields <= {
        "dataset.skip_first_frames",
        "dataset.skip_last_frames",
        "dataset.exclude_episodes",
    }:
        return f"{cycle.data.frames}프레임으로 학습, 동기화 확인"
    if "training.batch_size" in fields and cycle.run.phase == "ended":
        return "OOM 없이 완료"
    return ""


def _looked(cycle: Cycle) -> str:
    return f"확인: {', '.join(('HANDOFF', *_lessons_files(cycle)))}"


def _lessons_files(cycle: Cycle) -> tuple[str, ...]:
    return cycle.terms.looked_at if cycle.terms.phase != "unread" else ()


# --- answers to what was heard ----------------------------------------------


def handoff_received(handoff: Handoff, number: int, author: int) -> Receipt:
    understood = [f"HANDOFF 접수: Cycle {number}"]
    if handoff.data:
        understood.append(f"데이터: {handoff.data}")
    if handoff.episodes is not None:
        understood.append(f"에피소드 수: {handoff.episodes}개")
    if handoff.lessons:
        understood.append(f"레슨런: {len(handoff.lessons)}건")
    next_step = (
        "데이터 다운로드와 무결성 검증" if handoff.data else "PLAN.md와 레슨런 확인, 데이터 HANDOFF 대기"
    )
    return Receipt(to=(author,), understood=tuple(understood), next_step=next_step)


def lessons_received(state: State, message: Lessons, author: int) -> Receipt:
    before_the_run = state.cycle is not None and state.cycle.run.phase == "unstarted"
    next_step = "학습 시작 전에 판단해 보고" if before_the_run else "다음 cycle의 설정에 반영"
    understood = tuple(f"레슨런: {lesson.text}" for lesson in message.lessons)
    return Receipt(to=(author,), understood=understood or ("레슨런 없음",), next_step=next_step)


def queued(handoff: Handoff, place: int, open_cycle: int, author: int) -> Receipt:
    return Receipt(
        to=(author,),
        understood=(f"HANDOFF 접수: Cycle {handoff.cycle}",),
        next_step=f"대기열 {place}번째, Cycle {open_cycle}이 끝나면 시작",
    )


def already_at_work(cycle: Cycle, handoff: Handoff, author: int) -> Answer:
    assert cycle.data.phase != "awaited", "there is work to speak of"
    same = cycle.data.source.rstrip("/") == (handoff.data or "").rstrip("/")
    first = "이미 접수한 HANDOFF입니다." if same else f"이미 {cycle.data.source}(으)로 진행 중입니다."
    return Answer(
        to=(author,), body=f"{first}\nCycle {cycle.number}: data {cycle.data.phase}, run {cycle.run.phase}"
    )


def number_is_taken(number: int, free: int, author: int) -> Question:
    return Question(
        to=(author,),
        question=f"Cycle {number}은 이미 끝났습니다. 새 cycle입니까?",
        how_to_answer=f"새 cycle이면 `Cycle {free}`로 HANDOFF를 다시 보내 주세요.",
    )


def path_missing(author: int) -> Question:
    return Question(
        to=(author,),
        question="HANDOFF에 데이터 경로가 없습니다.",
        how_to_answer="`데이터: gs://ralphton-handoff/dataset/`처럼 경로를 적어 주세요.",
    )


def not_yours(kind: str) -> str:
    return f"이 메시지({kind})는 보낸 분의 권한 밖이라 반영하지 않았습니다."


def nothing_to_decide(author: int) -> Answer:
    return Answer(to=(author,), body="승인을 기다리는 제안이 없습니다.")


def another_proposal(proposal: Proposal, named: str, author: int) -> Question:
    return Question(
        to=(author,),
        question=f"지금 기다리는 제안은 {proposal.hash}입니다{f' ({named}이 아님)' if named else ''}.",
        how_to_answer=f"승인: `[APPROVE] {proposal.hash}`, 반려: `[REJECT] {proposal.hash} 사유`",
    )


def yes_or_no(proposal: Proposal, author: int) -> Question:
    return Question(
        to=(author,),
        question=f"제안 {proposal.hash}을 승인합니까, 반려합니까?",
        how_to_answer=f"승인: `[APPROVE] {proposal.hash}`, 반려: `[REJECT] {proposal.hash} 사유`",
    )


def word_taken(cycle: Cycle, author: int) -> Receipt:
    left = cycle.proposal
    next_step = f"제안 {left.hash}의 나머지 답을 대기" if left else "데이터가 준비되는 대로 학습 시작"
    return Receipt(to=(author,), understood=("제안에 대한 답 접수",), next_step=next_step)


def how_to_answer(cycle: Cycle) -> tuple[str, ...]:
    """While a proposal waits, each report repeats the difference and how to answer."""
    if cycle.proposal is None:
        return ()
    changes = [change for line in cycle.proposal.lines for change in line.changes]
    return (
        *(f"제안: {change.field} {change.before} → {change.after}" for change in changes),
        f"답: [APPROVE] {cycle.proposal.hash} 또는 [REJECT] {cycle.proposal.hash} 사유",
    )


def unanswered(proposal: Proposal) -> str:
    return f"제안 {proposal.hash}이 2시간 넘게 Watcher의 답을 기다립니다. 학습은 승인 전에 시작하지 않습니다."


def nothing_runs(author: int) -> Answer:
    return Answer(to=(author,), body="열린 cycle이 없습니다.")


def no_such_command(name: str, near: list[str]) -> str:
    return (
        f"`!{name}`은 없는 명령입니다."
        + (f" `!{near[0]}`입니까?" if near else "")
        + " `!help`로 목록을 봅니다."
    )


def order_taken(verb: str, by: str, cycle: Cycle, author: int, policy: Policy) -> tuple[Receipt, ...]:
    """To whoever gave the order; Watcher is told, too, when it was somebody else."""
    next_step = {"stop": "저장하고 멈춤", "resume": "저장 지점에서 재개", "retry": "다시 시도"}[verb]
    to = tuple(dict.fromkeys((author, policy.roster.watcher)))
    return (Receipt(to=to, understood=(f"{verb} 접수 ({by}), Cycle {cycle.number}",), next_step=next_step),)


# --- the end ----------------------------------------------------------------


def done(cycle: Cycle, outcome: Trained, policy: Policy) -> Done:
    return Done(
        cycle=cycle.number,
        lessons=outcomes(cycle),
        final_loss=outcome.last_loss,
        best=f"{policy.bucket}/{paths.act_best(cycle.number)}",
    )


def final_handoff(cycle: Cycle, outcome: Trained, manifest: str, policy: Policy) -> FinalHandoff:
    return FinalHandoff(
        final_loss=outcome.last_loss,
        best=f"{policy.bucket}/{paths.act_best()}",
        checkpoints=f"{policy.bucket}/{paths.checkpoints()}",
        loss_curve=f"{policy.bucket}/{paths.loss_curve()}",
        episodes=outcome.episodes,
        epochs=outcome.epochs,
        notes=(
            f"Cycle {cycle.number}: {policy.bucket}/{paths.act_best(cycle.number)}",
            f"L1: 첫 epoch {outcome.first_l1:.4g} → 마지막 epoch {outcome.last_l1:.4g}",
            f"Best epoch: {outcome.best_epoch}",
            f"manifest: {manifest}",
            '로드: ACTPolicy.from_pretrained("act_best") (README.md 참조)',
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
    newest = shelf.newest_safe(cycle.shelf)
    return RestartNotice(
        cause="Training 봇 재시작",
        checkpoint=f"{policy.bucket}/{paths.act_epoch(newest)}" if newest is not None else None,
        repeated_epochs=0 if event.job == "alive" else None,
        now=event.at,
        eta=None,
        notes=(f"Cycle {cycle.number}: {state_of_job}",),
    )
