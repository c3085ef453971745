"""What a report says: how far training is, or what is waited for, in the same voice."""

from datetime import datetime, timedelta
from typing import Literal

from bot.core.events import Gauges
from bot.core.policy import Policy
from bot.core.saying import replies
from bot.core.showing import checkpoints, liveness, phases, progress
from bot.core.state import Cycle, State, Training, is_spared
from protocol.messages import GpuMemory, PhaseReport, TrainingReport
from protocol.progress import Stepped

GIB = 2**30


def report(
    cycle: Cycle, gauges: Gauges, at: datetime, missed: tuple[datetime, ...], policy: Policy
) -> TrainingReport | PhaseReport:
    match cycle.run:
        case Training() if gauges.stepped and liveness.is_stale(gauges.stepped, at, policy):
            spoken_at = gauges.stepped.at
            silence = phases.silence(spoken_at, spared=is_spared(cycle.run, spoken_at))
            return _phase_report(cycle, silence, gauges, at, missed)
        case Training() as training:
            return _training_report(cycle, training, gauges.stepped, at, missed, policy)
        case _:
            return _phase_report(cycle, phases.waiting(cycle), gauges, at, missed)


def _phase_report(
    cycle: Cycle, waits: phases.Waits, gauges: Gauges, at: datetime, missed: tuple[datetime, ...]
) -> PhaseReport:
    phase, waiting_for, since, next_step = waits
    return PhaseReport(
        phase=phase,
        cycle=cycle.number,
        waiting_for=waiting_for,
        since=since,
        now=at,
        next_step=next_step,
        missed=missed,
        notes=(*progress.notes(cycle, gauges), *replies.how_to_answer(cycle)),
    )


def _training_report(
    cycle: Cycle,
    training: Training,
    stepped: Stepped | None,
    at: datetime,
    missed: tuple[datetime, ...],
    policy: Policy,
) -> TrainingReport:
    return TrainingReport(
        epoch=stepped.epoch if stepped else training.epoch,
        epochs=training.config.training.epochs,
        loss=_loss(training, stepped),
        first_loss=(stepped.first_loss if stepped else None) or training.first_loss,
        lr=stepped.lr if stepped else training.config.training.lr,
        gpu=_memory(stepped, policy),
        now=at,
        eta=at + timedelta(seconds=stepped.eta_s) if stepped and stepped.eta_s is not None else None,
        checkpoint=checkpoints.newest(cycle, policy),
        missed=missed,
        notes=(f"Cycle: {cycle.number}", progress.age_of(stepped, at), *replies.how_to_answer(cycle)),
    )


def _memory(stepped: Stepped | None, policy: Policy) -> GpuMemory | Literal["unknown"] | None:
    """Before the first step, and right after a restart of ours, a GPU is there and nobody has told of it."""
    if stepped is None or stepped.gpu is None:
        return "unknown" if policy.device == "cuda" else None
    return GpuMemory(used_gb=stepped.gpu.used_bytes / GIB, total_gb=stepped.gpu.total_bytes / GIB)


def _loss(training: Training, stepped: Stepped | None) -> float | None:
    if stepped is None:
        return training.last_loss
    return stepped.last_loss if stepped.last_loss is not None else stepped.loss


def with_clock[R: TrainingReport | PhaseReport](state: State, told: R, at: datetime, policy: Policy) -> R:
    """With a line on a jump of the clock, in every report of the next while: an older one may be folded."""
    jumped = state.jumped
    if jumped is None or at - jumped.at > timedelta(seconds=policy.report_every_s):
        return told
    whither = "앞으로" if jumped.by_s > 0 else "뒤로"
    note = f"시계가 {progress.length(abs(jumped.by_s))} {whither} 건너뜀"
    return told.model_copy(update={"notes": (*told.notes, note)})
