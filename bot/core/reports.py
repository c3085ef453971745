"""The rhythm: Watcher hears from us every half hour of a cycle, whatever happens."""

from datetime import datetime, timedelta

from bot.core import insights, replies, run, shelf, stall, terms, views
from bot.core.events import Gauges, Ticked
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.state import Cooling, Cycle, State, Training, Unread
from bot.core.terms import Word
from protocol import paths
from protocol.messages import Alert, GpuMemory, Phase, PhaseReport, TrainingReport
from protocol.progress import Stepped

GIB = 2**30
MISSED_NAMED = 48
"""A day of half hours: after a longer absence nobody reads more."""


def ticked(state: State, event: Ticked, policy: Policy) -> Step:
    if state.cycle is None:
        return state, ()
    cycle, cooled = run.cooled(state.cycle, event.at)
    state, graced = _grace_over(now(state, cycle=cycle), event.at, policy)
    state, told = _operators_told(state, event.at, policy)
    state, reported = _reported(state, event, policy)
    return state, (*cooled, *graced, *told, *reported)


def cadence(cycle: Cycle, policy: Policy) -> timedelta:
    """How far apart two reports may be: what the operators set, or less where a lesson or PLAN.md says so."""
    if isinstance(cycle.terms, Unread):
        return timedelta(seconds=policy.report_every_s)
    return timedelta(
        seconds=min(policy.report_every_s, 60 * cycle.terms.config.training.report_every_minutes)
    )


def hurried(state: State, at: datetime, policy: Policy) -> State:
    """Reports may be due more often from now on; then the next one is, too."""
    if state.cycle is None or state.report_due_at is None:
        return state
    latest = at + cadence(state.cycle, policy)
    return state if state.report_due_at <= latest else now(state, report_due_at=latest)


def wake_at(state: State, policy: Policy) -> datetime | None:
    """The next moment something is due, if any is."""
    moments = [one.due_at for one in state.open_messages]
    if state.report_due_at:
        moments.append(state.report_due_at)
    cycle = state.cycle
    if cycle and isinstance(cycle.run, Cooling):
        moments.append(cycle.run.until)
    if cycle and (due := _grace_until(cycle, policy)):
        moments.append(due)
    if cycle and (due := _operators_due(cycle, policy)):
        moments.append(due)
    if cycle and (due := insights.due_at(cycle)):
        moments.append(due)
    return min(moments, default=None)


def report(
    cycle: Cycle, gauges: Gauges, at: datetime, missed: tuple[datetime, ...], policy: Policy
) -> TrainingReport | PhaseReport:
    match cycle.run:
        case Training() if gauges.stepped and stall.is_stale(gauges.stepped, at, policy):
            spoken_at = gauges.stepped.at
            silence = views.silence(spoken_at, spared=stall.is_spared(cycle.run, spoken_at))
            return _phase_report(cycle, silence, gauges, at, missed)
        case Training() as training:
            return _training_report(cycle, training, gauges.stepped, at, missed, policy)
        case _:
            return _phase_report(cycle, views.waiting(cycle), gauges, at, missed)


def _phase_report(
    cycle: Cycle,
    waiting: tuple[Phase, str, datetime, str],
    gauges: Gauges,
    at: datetime,
    missed: tuple[datetime, ...],
) -> PhaseReport:
    phase, waiting_for, since, next_step = waiting
    return PhaseReport(
        phase=phase,
        cycle=cycle.number,
        waiting_for=waiting_for,
        since=since,
        now=at,
        next_step=next_step,
        missed=missed,
        notes=(*views.progress_notes(cycle, gauges), *replies.how_to_answer(cycle)),
    )


def _training_report(
    cycle: Cycle,
    training: Training,
    stepped: Stepped | None,
    at: datetime,
    missed: tuple[datetime, ...],
    policy: Policy,
) -> TrainingReport:
    newest = shelf.newest_safe(cycle.shelf)
    gpu = stepped.gpu if stepped else None
    return TrainingReport(
        epoch=stepped.epoch if stepped else training.epoch,
        epochs=training.config.training.epochs,
        loss=_loss(training, stepped),
        first_loss=(stepped.first_loss if stepped else None) or training.first_loss,
        lr=stepped.lr if stepped else training.config.training.lr,
        gpu=GpuMemory(used_gb=gpu.used_bytes / GIB, total_gb=gpu.total_bytes / GIB) if gpu else None,
        now=at,
        eta=at + timedelta(seconds=stepped.eta_s) if stepped and stepped.eta_s is not None else None,
        checkpoint=f"{policy.bucket}/{paths.act_epoch(newest)}" if newest is not None else None,
        missed=missed,
        notes=(f"Cycle: {cycle.number}", views.age_of(stepped, at)),
    )


def _loss(training: Training, stepped: Stepped | None) -> float | None:
    if stepped is None:
        return training.last_loss
    return stepped.last_loss if stepped.last_loss is not None else stepped.loss


def _reported(state: State, event: Ticked, policy: Policy) -> Step:
    due = state.report_due_at
    if state.cycle is None or due is None or event.at < due:
        return state, ()
    after, missed = next_due(state, event.at, policy)
    told = report(state.cycle, event.gauges, event.at, missed, policy)
    return after, say(with_clock(after, told, event.at, policy))


def with_clock[R: TrainingReport | PhaseReport](state: State, told: R, at: datetime, policy: Policy) -> R:
    """With a line on a jump of the clock, in every report of the next while: an older one may be folded."""
    jumped = state.jumped
    if jumped is None or at - jumped.at > timedelta(seconds=policy.report_every_s):
        return told
    whither = "앞으로" if jumped.by_s > 0 else "뒤로"
    note = f"시계가 {views.length(abs(jumped.by_s))} {whither} 건너뜀"
    return told.model_copy(update={"notes": (*told.notes, note)})


def next_due(state: State, at: datetime, policy: Policy) -> tuple[State, tuple[datetime, ...]]:
    """What was due until `at` counts as reported; beside it the times that were missed, the newest few."""
    due = state.report_due_at
    if state.cycle is None or due is None or at < due:
        return state, ()
    every = cadence(state.cycle, policy)
    passed = (at - due) // every
    missed = tuple(due + every * n for n in range(max(0, passed - MISSED_NAMED), passed))
    return now(state, report_due_at=due + every * (passed + 1)), missed


def _grace_over(state: State, at: datetime, policy: Policy) -> Step:
    """APPROVAL=notice: silence is consent only where an operator said so in the settings."""
    cycle = state.cycle
    due = cycle and _grace_until(cycle, policy)
    if cycle is None or cycle.proposal is None or due is None or at < due:
        return state, ()
    word = Word(
        by=f"APPROVAL=notice, {policy.notice_grace_s:.0f}초 동안 이의 없음", approved=_by_silence(cycle)
    )
    after, effects = terms.answer(cycle, word, at, policy)
    return now(state, cycle=after), effects


def _grace_until(cycle: Cycle, policy: Policy) -> datetime | None:
    if cycle.proposal is None or policy.approval != "notice" or not _by_silence(cycle):
        return None
    return cycle.proposal.since + timedelta(seconds=policy.notice_grace_s)


def _by_silence(cycle: Cycle) -> frozenset[int]:
    """The lines that silence may approve: of a translator's only somebody's word."""
    lines = cycle.proposal.lines if cycle.proposal else ()
    return frozenset(line.number for line in lines if not line.translated)


def _operators_due(cycle: Cycle, policy: Policy) -> datetime | None:
    """When a proposal that nobody answers becomes the operators' business too; None once they were told."""
    asked = cycle.proposal
    if asked is None or asked.operators_told or not policy.operators:
        return None
    return asked.since + timedelta(seconds=policy.remind_operators_after_s)


def _operators_told(state: State, at: datetime, policy: Policy) -> Step:
    cycle = state.cycle
    due = cycle and _operators_due(cycle, policy)
    if cycle is None or cycle.proposal is None or due is None or at < due:
        return state, ()
    told = now(cycle, proposal=now(cycle.proposal, operators_told=True))
    alert = Alert(
        to=policy.operators, body=replies.unanswered(cycle.proposal, policy.remind_operators_after_s)
    )
    return now(state, cycle=told), say(alert)
