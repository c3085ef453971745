"""A run that is held may go on with another config, where data and weights allow it.

Watcher's lesson may say so; for memory and divergence we propose ourselves what the remedies would make of a
lesson, so that a yes is all that is needed.
"""

from datetime import datetime

from bot.core.moves import Move
from bot.core.policy import Policy
from bot.core.state import Cycle, Held, Judged, LessonHeard, Settled, Unread
from bot.core.tracks import ledger, terms
from bot.lessons.changes import written
from protocol.job import Failed
from protocol.messages import Lesson
from protocol.training import TrainingConfig, diff

RESUMABLE = frozenset(
    {
        *("policy.dropout", "policy.kl_weight"),
        *("training.batch_size", "training.gradient_accumulation", "training.epochs"),
        *("training.lr", "training.lr_backbone", "training.weight_decay", "training.grad_clip_norm"),
        *("dataset.image_transforms", "dataset.max_num_transforms"),
        *("training.action_weights", "training.save_checkpoint_every", "training.report_every_minutes"),
    }
)
"""What may differ between two processes of one run: neither data, nor network, nor where it began."""

MENDABLE = frozenset({"memory", "divergence"})
"""Causes that another config is the cure of: with one it starts by itself."""


def for_now(cycle: Cycle, lessons: tuple[LessonHeard, ...]) -> tuple[LessonHeard, ...]:
    """Of lessons that come while the run is held, those that it could go on with."""
    if not isinstance(cycle.run, Held) or isinstance(cycle.terms, Unread):
        return ()
    return tuple(one for one in lessons if _could_go_on(cycle.terms, one))


def goes_on_with(cycle: Cycle, held: Held) -> TrainingConfig:
    """What Watcher has settled by now; while a proposal is open, what it was."""
    return cycle.terms.config if isinstance(cycle.terms, Settled) else held.config


def mended(cycle: Cycle) -> bool:
    """Is what holds it cured by what Watcher has settled since?"""
    match cycle.run, cycle.terms:
        case Held(cause=cause, config=before), Settled(config=after):
            return cause in MENDABLE and not cycle.on_hold and before != after
        case _:
            return False


def propose(cycle: Cycle, failed: Failed, at: datetime, policy: Policy) -> Move:
    """Ask Watcher for what would mend the run that has just failed. Nothing is applied without its word."""
    assert not isinstance(cycle.terms, Unread), "nothing trains without terms"
    lesson = _lesson_of(failed, cycle.terms.config)
    if lesson is None:
        return cycle, ()
    heard = LessonHeard(lesson=lesson, rank="hint", source="Training")
    return terms.take_in(cycle, (heard,), at, policy)


def _lesson_of(failed: Failed, config: TrainingConfig) -> Lesson | None:
    training = config.training
    where = f" (epoch {failed.epoch + 1})" if failed.epoch is not None else ""
    match failed.failure:
        case "out_of_memory":
            text = f"batch_size {training.batch_size}에서 GPU 메모리 부족{where}"
            return Lesson(category="학습", text=text, remedy=_that_fits(failed.fits_batch_size, config))
        case "diverged":
            return Lesson(category="학습", text=f"lr {written(training.lr)}에서 loss 발산{where}")
        case _:
            return None


def _that_fits(batch_size: int | None, config: TrainingConfig) -> str | None:
    """The largest batch that was tried and fits, with as many samples a step as before."""
    if batch_size is None:
        return None
    passes = -(-config.training.samples_per_step // batch_size)
    return f"batch_size={batch_size}, gradient_accumulation={passes}"


def _could_go_on(known: Judged | Settled, heard: LessonHeard) -> bool:
    wanted = ledger.as_proposed(ledger.foreseen(known, (heard,)))
    changed = {change.field for change in diff(known.config, wanted)}
    return changed <= RESUMABLE
