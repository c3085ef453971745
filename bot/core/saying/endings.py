"""The last words of a cycle: DONE and HANDOFF, or that it was stopped. Each lesson is accounted for."""

from bot.core.policy import Policy
from bot.core.showing import checkpoints
from bot.core.state import Admitted, Cycle, Ended, Entry
from protocol import paths
from protocol.job import Trained
from protocol.messages import Answer, CycleStopped, Done, FinalHandoff, LessonOutcome


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
            f"Best epoch: {_best_epoch(cycle, outcome)}",
            f"manifest: {manifest}",
            '로드: ACTPolicy.from_pretrained("act_best") (README.md 참조)',
        ),
    )


def stopped(cycle: Cycle, by: str, epoch: int, policy: Policy) -> CycleStopped:
    return _halted(cycle, by, epoch, "`resume`이라고 하면 저장 지점에서 이어서 학습합니다.", policy)


def abandoned(cycle: Cycle, by: str, policy: Policy) -> CycleStopped:
    epoch = cycle.shelf.newest[1] if cycle.shelf.newest else None
    note = "이 cycle은 DONE 없이 끝났습니다. 다음 HANDOFF로 새 cycle을 시작합니다."
    return _halted(cycle, f"{by} (cycle을 포기)", epoch, note, policy)


def _halted(cycle: Cycle, by: str, epoch: int | None, note: str, policy: Policy) -> CycleStopped:
    return CycleStopped(
        cycle=cycle.number,
        by=by,
        epoch=epoch,
        checkpoint=checkpoints.newest(cycle, policy),
        lessons=outcomes(cycle),
        notes=(note,),
    )


def stopped_as_asked(cycle: Cycle, epoch: int, asker: int) -> Answer:
    return Answer(
        to=(asker,),
        body=f"Cycle {cycle.number}: 저장하고 멈췄습니다 (epoch {epoch}). `!resume`으로 재개합니다.",
    )


def _best_epoch(cycle: Cycle, outcome: Trained) -> str:
    """By held-out error it is not that of the lowest loss; where that one is lost, it is an earlier one."""
    kept, error = cycle.shelf.best, outcome.best_held_out_l1
    if kept is not None and kept.lost_epoch == outcome.best_epoch:
        return f"{kept.epoch} (epoch {kept.lost_epoch}의 best는 손상되어 포기)"
    return str(outcome.best_epoch) if error is None else f"{outcome.best_epoch} (held-out L1 {error:.4g})"


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


CUTS = ("dataset.skip_first_frames", "dataset.skip_last_frames")
DATA_RULES = frozenset({*CUTS, "dataset.exclude_episodes"})


def _measured(cycle: Cycle, entry: Entry) -> str:
    """What the change has demonstrably done, as far as the state shows it."""
    fields = {change.field for change in entry.changes}
    if isinstance(cycle.data, Admitted) and fields <= DATA_RULES:
        return f"{_left_out(cycle.data, entry)}, 동기화 확인"
    if "training.batch_size" in fields and isinstance(cycle.run, Ended):
        return f"OOM 없이 완료{_most_memory(cycle.run.outcome)}"
    return ""


def _left_out(data: Admitted, entry: Entry) -> str:
    """What the data set has less because of this lesson; an episode shorter than a cut is not admitted."""
    values = {change.field: change for change in entry.changes}
    frames = sum(values[field].after for field in CUTS if field in values) * data.episodes
    said = [f"{frames:,}프레임 제외 ({data.frames + frames:,} → {data.frames:,})"] if frames else []
    if out := values.get("dataset.exclude_episodes"):
        said.append(f"에피소드 {len(out.after) - len(out.before)}개 제외 ({data.episodes}개로 학습)")
    return ", ".join(said) or f"{data.frames:,}프레임으로 학습"


def _most_memory(outcome: Trained) -> str:
    gpu = outcome.peak_gpu
    return f" (최대 {gpu.used_bytes / 2**30:.1f}/{gpu.total_bytes / 2**30:.0f}GB)" if gpu else ""
