"""What people may look at: pure views over (state, gauges, now). Nothing here changes anything."""

from collections.abc import Callable
from datetime import datetime

from bot.core.events import Gauges
from bot.core.policy import Policy
from bot.core.showing import people
from bot.core.showing.halted import halted
from bot.core.state import (
    Abandoning,
    Absent,
    Arriving,
    Awaited,
    Checking,
    CheckingAhead,
    Checkpoint,
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
    State,
    Stopping,
    Training,
    Unread,
    WeightsMissing,
    newest_safe,
)
from protocol import paths
from protocol.messages import Phase
from protocol.progress import Stepped
from protocol.training import TrainingConfig, diff

View = Callable[[State, Gauges, datetime, Policy], str]

WHAT_WE_UNDERSTAND = (
    "이해하는 것: [HANDOFF], 레슨런, [APPROVE]/[REJECT] <hash>, stop/resume/retry, "
    "상태·레슨런·checkpoint·config 질문"
)
WHAT_OPERATORS_SAY = f"{WHAT_WE_UNDERSTAND}\n`!help`로 명령 목록을 봅니다."
IN_KOREAN = {
    "applied": "적용",
    "proposed": "승인 대기",
    "rejected": "반려",
    "satisfied": "이미 충족",
    "not_ours": "해당 없음",
    "unclear": "질문함",
    "translating": "번역 중",
}
"""What became of a lesson, for people."""

LEAST_FREE_BYTES = 1 << 20

NOTHING = "대기 중: 열린 cycle이 없습니다. HANDOFF를 기다립니다."


def waiting(cycle: Cycle) -> tuple[Phase, str, datetime, str]:
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


def silence(heard_at: datetime, *, spared: bool = False) -> tuple[Phase, str, datetime, str]:
    """The phase of a process that is there and does not speak. `spared`: its GPU works, it is waited for."""
    first = "GPU는 사용 중이므로 한 번 더 기다린 뒤 " if spared else ""
    return "stalled", "학습 프로세스의 새 소식", heard_at, f"{first}종료 후 마지막 저장 지점에서 재개"


def progress_notes(cycle: Cycle, gauges: Gauges) -> tuple[str, ...]:
    """How far the work under way has come, where it can be counted."""
    notes: list[str] = []
    if isinstance(cycle.data, CheckingAhead | Checking | Converting) and gauges.counted:
        done, total, _ = gauges.counted
        notes.append(f"진행: 에피소드 {done}/{total}")
    if gauges.transfer:
        name, done, total = gauges.transfer
        notes.append(f"전송: {name} {done / 1e6:.0f}/{total / 1e6:.0f}MB")
    return tuple(notes)


def age_of(stepped: Stepped | None, at: datetime) -> str:
    """How old the newest step is: a report must not look more alive than the trainer."""
    if stepped is None:
        return "최근 step: 없음"
    age_s = max(0.0, (at - stepped.at).total_seconds())
    return f"최근 step: {stepped.step} ({length(age_s)} 전)"


def status(state: State, gauges: Gauges, at: datetime, policy: Policy) -> str:
    cycle = state.cycle
    if cycle is None:
        queued = f"대기열: {len(state.queue)}개"
        return "\n".join(
            (*_no_room(gauges), NOTHING, queued, *_disk_lines(gauges), *people.about_people(state, at))
        )
    lines = [
        *_no_room(gauges),
        _first_line(cycle, state, gauges, policy),
        *_training_lines(cycle, gauges, at),
        *_checkpoint_lines(cycle, policy),
        *progress_notes(cycle, gauges),
        f"레슨런: {_lesson_counts(cycle)}",
        *([f"승인 대기: {cycle.proposal.hash}"] if cycle.proposal else []),
        *([f"중지: {', '.join(cycle.on_hold)}"] if cycle.on_hold else []),
        *([f"대기열: {len(state.queue)}개"] if state.queue else []),
        *([f"다음 REPORT: {_in(state.report_due_at, at)} 후"] if state.report_due_at else []),
        *_disk_lines(gauges),
        *people.about_people(state, at),
    ]
    return "\n".join(lines)


def _first_line(cycle: Cycle, state: State, gauges: Gauges, policy: Policy) -> str:
    """What waits for somebody comes before everything else."""
    stands = halted(cycle, policy.zone())
    return (
        f"{stands} (Cycle {cycle.number})" if stands else f"Cycle {cycle.number}: {headline(state, gauges)}"
    )


def is_full(disk: tuple[int, int]) -> bool:
    """Not even the database finds room there."""
    return disk[0] < LEAST_FREE_BYTES


def _no_room(gauges: Gauges) -> list[str]:
    full = gauges.disk is not None and is_full(gauges.disk)
    return ["디스크 가득: 공간을 확보할 때까지 아무것도 기록할 수 없어 대기 중"] if full else []


def _disk_lines(gauges: Gauges) -> list[str]:
    return (
        [f"디스크: {gauges.disk[0] / 2**30:.1f}/{gauges.disk[1] / 2**30:.0f}GB 남음"] if gauges.disk else []
    )


def headline(state: State, gauges: Gauges) -> str:
    """One line: what is going on."""
    cycle = state.cycle
    match cycle:
        case None:
            return "대기 중"
        case Cycle(run=Training() as training):
            epoch = gauges.stepped.epoch if gauges.stepped else training.epoch
            return f"학습 중, epoch {epoch}/{training.config.training.epochs}"
        case Cycle() if stands := halted(cycle):
            return stands
        case _:
            _, waiting_for, _, next_step = waiting(cycle)
            return f"{waiting_for} → {next_step}"


def lessons(state: State, _: Gauges, __: datetime, ___: Policy) -> str:
    match state.cycle.terms if state.cycle else None:
        case None:
            lines = [f"- (다음 cycle) {one.lesson.text}" for one in state.carried]
        case Unread(heard=heard):
            lines = [f"- (판단 전) {one.lesson.text}" for one in heard]
        case terms:
            lines = [
                f"- [{IN_KOREAN[one.status]}] {one.heard.lesson.text} ({one.note})" for one in terms.ledger
            ]
    return "\n".join(lines) or "없음"


def config(state: State, _: Gauges, __: datetime, policy: Policy) -> str:
    """Each value that is not the card's, and on whose word."""
    if state.cycle is None or isinstance(state.cycle.terms, Unread):
        return f"기본 설정 ({policy.defaults.hash})"
    terms = state.cycle.terms
    changes = diff(TrainingConfig(), terms.config)
    lines = [f"{c.field}: {c.before} → {c.after} ({_source(state.cycle, c.field)})" for c in changes]
    return "\n".join([f"config {terms.config.hash}", *(lines or ["카드의 기본값 그대로"])])


def checkpoints(state: State, _: Gauges, at: datetime, policy: Policy) -> str:
    """What was uploaded may have been deleted since: only who reads it again knows."""
    place = f"{policy.bucket}/{paths.CHECKPOINTS}"
    where = f"버킷: {place} (지금도 온전한지는 `training-claw bucket verify`로 확인)"
    if state.cycle is None:
        return f"열린 cycle이 없습니다.\n{where}"
    kept = state.cycle.shelf.checkpoints
    lines = [f"epoch {one.epoch}: {_upload(one, at, policy)}" for one in kept]
    best = state.cycle.shelf.best
    named = f"best: epoch {best.epoch}" if best else "best: 없음"
    return "\n".join([*(lines or ["저장된 checkpoint 없음"]), named, where])


def _upload(one: Checkpoint, at: datetime, policy: Policy) -> str:
    if one.status == "saved":
        return "업로드 대기"
    return f"업로드됨 ({_clock(one.safe_at, at, policy)})" if one.safe_at else "업로드됨"


def _clock(moment: datetime, at: datetime, policy: Policy) -> str:
    """In the people's time zone; with the date where it is not today's."""
    zone = policy.zone()
    local, today = moment.astimezone(zone), at.astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%m-%d %H:%M}"


def queue(state: State, _: Gauges, __: datetime, ___: Policy) -> str:
    lines = [f"{n}. Cycle {one.handoff.cycle}: {one.handoff.data}" for n, one in enumerate(state.queue, 1)]
    return "\n".join(lines) or "대기열이 비어 있습니다."


def help_(state: State, gauges: Gauges, at: datetime, policy: Policy) -> str:  # noqa: ARG001
    return "\n".join(f"`!{name}` {what}" for name, what in commands(policy).items())


def logs(gauges: Gauges, wanted: str) -> str:
    """The newest `wanted` lines of the journal, the oldest first."""
    count = int(wanted) if wanted.isascii() and wanted.isdigit() else LOG_LINES
    return "\n".join(gauges.journal[-count:] if count else ()) or "기록이 없습니다."


LOG_LINES = 10

READS: dict[str, View] = {
    "status": status,
    "help": help_,
    "queue": queue,
    "lessons": lessons,
    "config": config,
    "checkpoints": checkpoints,
    "plot": status,
}
"""What an operator's `!` shows. All of it is answered at once, without waiting for the trainer."""

SHOWN = frozenset({"status", "plot"})
"""Answers that come with the loss curve."""

WHAT_COMMANDS_DO = {
    "status": "지금 하는 일",
    "queue": "기다리는 HANDOFF",
    "lessons": "레슨런과 처리 상태",
    "config": "설정과 출처",
    "checkpoints": "checkpoint와 업로드 상태",
    "plot": "학습 곡선",
    "logs": "최근 기록 n줄",
    "stop": "저장하고 멈춤",
    "resume": "이어서 학습",
    "retry": "막힌 일을 다시 시도",
    "help": "이 목록",
}


DELEGATED = {"approve": "제안 승인 (위임)", "reject": "제안 반려 (위임)"}
"""Watcher's right; an operator has it where the settings say so."""


def commands(policy: Policy) -> dict[str, str]:
    """Every command an operator may give: `!`, slash commands and help are drawn from it."""
    return WHAT_COMMANDS_DO | (DELEGATED if policy.operators_may_approve else {})


def told(about: str, state: State, gauges: Gauges, at: datetime, policy: Policy) -> str:
    """A peer's question gets the operators' answer; anything else, one line on what we understand."""
    return READS[about](state, gauges, at, policy) if about in READS else WHAT_WE_UNDERSTAND


def _before_the_run(cycle: Cycle) -> tuple[Phase, str, datetime, str]:
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


def _before_the_data(cycle: Cycle, since: datetime) -> tuple[Phase, str, datetime, str]:
    if isinstance(cycle.device, Absent):
        return "held", cycle.device.why, cycle.device.since, "`retry` 지시를 받으면 장치 재확인"
    return "starting", "학습 장치 확인", since, "데이터 다운로드와 검증"


def _admitted_but_waiting(cycle: Cycle) -> tuple[Phase, str, datetime, str]:
    match cycle.weights:
        case FetchingWeights(path=path, since=since):
            return "fetching", f"{path} 다운로드", since, "ACT 학습"
        case WeightsMissing(why=why, since=since) if not cycle.proposal:
            return "held", why, since, "다른 start_from이나 `retry` 지시를 받으면 학습"
        case _:
            return _held_or_asked(cycle)


def _held_or_asked(cycle: Cycle) -> tuple[Phase, str, datetime, str]:
    if cycle.proposal:
        return (
            "awaiting_approval",
            f"Watcher의 승인 ({cycle.proposal.hash})",
            cycle.proposal.since,
            "ACT 학습",
        )
    if isinstance(cycle.terms, Judged):  # nothing is proposed yet: a translator is asked
        return "starting", "레슨런 번역", cycle.opened_at, "승인 요청 또는 질문"
    return "held", f"중지 해제 ({', '.join(cycle.on_hold)})", cycle.opened_at, "`resume` 지시를 받으면 학습"


def _training_lines(cycle: Cycle, gauges: Gauges, at: datetime) -> list[str]:
    stepped = gauges.stepped
    if not isinstance(cycle.run, Training) or stepped is None:
        return []
    loss = stepped.last_loss if stepped.last_loss is not None else stepped.loss
    first = f" (초기 {stepped.first_loss:.4g})" if stepped.first_loss is not None else ""
    best = f", best {stepped.best_loss:.4g} (epoch {stepped.best_epoch})" if stepped.best_loss else ""
    gpu = stepped.gpu
    memory = f"{gpu.used_bytes / 2**30:.1f}/{gpu.total_bytes / 2**30:.0f}GB" if gpu else "CPU"
    busy = f", 사용률 {gpu.busy_share:.0%}" if gpu and gpu.busy_share is not None else ""
    left = length(stepped.eta_s) if stepped.eta_s is not None else "계산 중"
    return [
        f"Loss: {loss:.4g}{first}{best}",
        f"GPU 메모리: {memory}{busy}, {stepped.samples_per_s:.0f} samples/s",
        f"남은 시간: {left}",
        age_of(stepped, at),
    ]


def _checkpoint_lines(cycle: Cycle, policy: Policy) -> list[str]:
    newest = newest_safe(cycle.shelf)
    waiting_epochs = [str(one.epoch) for one in cycle.shelf.checkpoints if one.status == "saved"]
    lines = [f"최근 checkpoint: {policy.bucket}/{paths.act_epoch(newest)}"] if newest is not None else []
    return [*lines, *([f"업로드 대기: epoch {', '.join(waiting_epochs)}"] if waiting_epochs else [])]


def _lesson_counts(cycle: Cycle) -> str:
    if isinstance(cycle.terms, Unread):
        return f"{len(cycle.terms.heard)}개 (판단 전)"
    counts: dict[str, int] = {}
    for entry in cycle.terms.ledger:
        counts[entry.status] = counts.get(entry.status, 0) + 1
    return ", ".join(f"{IN_KOREAN[status]} {count}" for status, count in counts.items()) or "없음"


def _source(cycle: Cycle, field: str) -> str:
    terms = cycle.terms
    assert not isinstance(terms, Unread), "the caller has looked"
    for entry in terms.ledger:
        if entry.status == "applied" and any(change.field == field for change in entry.changes):
            return f"{entry.approved_by}: {entry.heard.lesson.text}"
    return "PLAN.md" if field in terms.from_plan else "기본 설정"


def _in(moment: datetime, at: datetime) -> str:
    return length(max(0.0, (moment - at).total_seconds()))


def length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}시간 {minutes}분"
    return f"{minutes}분 {rest}초" if minutes else f"{rest}초"
