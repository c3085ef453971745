"""How the learning itself goes: stuck, diverging, clipped, past its best, not what it was before a resume."""

from statistics import median

from trainer.learning.history import Epoch
from trainer.watching.facts import Figures, Seen

CLIPPED_SHARE = 0.9
CLIPPED_EPOCHS = 18
"""Every run is clipped for its first hundreds of steps, while the KL term falls."""

PLATEAU_LEAST_EPOCHS = 20
PLATEAU_GAIN = 0.01
IDLE_GAIN, IDLE_L1 = 0.1, 0.5
"""So little of L1 gained while half a standard deviation of the actions is left: nothing is learned."""

DIVERGED_RATIO = 2.0
DIVERGED_EPOCHS = 10
DIVERGED_AFTER = 5

PAST_BEST_RATIO = 1.1
PAST_BEST_LEAST_EPOCHS = 25

OVERFIT_EVALUATIONS = 4
OVERFIT_LEAST = 1.2
OVERFIT_RATIO = 1.3
"""Held-out episodes are few and one evaluation scatters: none may be near the best, the middle one far."""

FROZEN_EVALUATIONS = 4
FROZEN_GAIN = 1e-4

JUMP_RATIO = 1.5
JUMP_L1_RATIO = 1.25
"""The loss is nearly all KL for a while, and falls with it: L1 shows a jump beneath."""

JUMP_EPOCHS = 5


def clipping(seen: Seen) -> dict[str, Figures]:
    """The gradient was clipped in most steps of many epochs, long after the beginning."""
    last = seen.history[-CLIPPED_EPOCHS:]
    if len(seen.history) < 2 * CLIPPED_EPOCHS or min(one.clipped_share for one in last) < CLIPPED_SHARE:
        return {}
    return _told(seen, clipped_share=last[-1].clipped_share, grad_norm=last[-1].grad_norm)


def plateau(seen: Seen) -> dict[str, Figures]:
    """The best loss has hardly fallen over a tenth of the run, or L1 never really did."""
    window = max(PLATEAU_LEAST_EPOCHS, seen.epochs // 10)
    if len(seen.history) < 2 * window:
        return {}
    before, since = seen.history[:-window], seen.history[-window:]
    loss = min(epoch.loss for epoch in before), min(epoch.loss for epoch in since)
    l1 = min(epoch.l1 for epoch in before), min(epoch.l1 for epoch in since)
    stuck = loss[1] >= loss[0] * (1 - PLATEAU_GAIN)
    idle = l1[1] >= l1[0] * (1 - IDLE_GAIN) and l1[1] > IDLE_L1
    if not (stuck or idle):
        return {}
    return _told(seen, epochs=window, best_before=loss[0], best_since=loss[1], l1=l1[1])


def diverging(seen: Seen) -> dict[str, Figures]:
    """For many epochs running the loss was far above the best of before, and finite all the while."""
    before, last = seen.history[:-DIVERGED_EPOCHS], seen.history[-DIVERGED_EPOCHS:]
    if len(before) < DIVERGED_AFTER:
        return {}
    best_epoch, best = _best(before)
    if min(epoch.loss for epoch in last) < best * DIVERGED_RATIO:
        return {}
    return _told(seen, loss=last[-1].loss, best=best, best_epoch=best_epoch)


def best_long_past(seen: Seen) -> dict[str, Figures]:
    """A fifth of the run has gone by since the best epoch, and the loss stays clearly above it."""
    window = max(PAST_BEST_LEAST_EPOCHS, seen.epochs // 5)
    if len(seen.history) <= window:
        return {}
    best_epoch, best = _best(seen.history)
    recent = median(epoch.loss for epoch in seen.history[-window // 2 :])
    if best_epoch > len(seen.history) - window or recent < best * PAST_BEST_RATIO:
        return {}
    return _told(seen, loss=recent, best=best, best_epoch=best_epoch)


def overfitting(seen: Seen) -> dict[str, Figures]:
    """On episodes that are held out the error has risen for evaluations running; on the others it fell."""
    held_out = _held_out(seen)
    if len(held_out) <= OVERFIT_EVALUATIONS:
        return {}
    best_epoch, best = min(held_out[:-OVERFIT_EVALUATIONS], key=lambda each: each[1])
    last = held_out[-OVERFIT_EVALUATIONS:]
    now, then = seen.history[last[-1][0] - 1], seen.history[best_epoch - 1]
    errors = [error for _, error in last]
    rose = min(errors) >= best * OVERFIT_LEAST and median(errors) >= best * OVERFIT_RATIO
    if not rose or now.l1 >= then.l1:
        return {}
    return _told(seen, held_out=last[-1][1], best=best, best_epoch=best_epoch, l1_then=then.l1, l1_now=now.l1)


def validation_frozen(seen: Seen) -> dict[str, Figures]:
    """Evaluation after evaluation on held-out episodes gives the same number."""
    last = [error for _, error in _held_out(seen)[-FROZEN_EVALUATIONS:]]
    if len(last) < FROZEN_EVALUATIONS or max(last) - min(last) > FROZEN_GAIN * max(last):
        return {}
    return _told(seen, held_out=last[-1], evaluations=len(last))


def jump(seen: Seen) -> dict[str, Figures]:
    """The first whole epoch of a process that went on lies far above the last ones before it."""
    history, resumed_at = seen.history, seen.resumed_at
    if resumed_at is None or resumed_at < JUMP_EPOCHS or len(history) < resumed_at + 2:
        return {}
    before, after = history[resumed_at - JUMP_EPOCHS : resumed_at], history[resumed_at + 1]
    loss, l1 = max(epoch.loss for epoch in before), max(epoch.l1 for epoch in before)
    if after.loss >= loss * JUMP_RATIO:
        return {"": {"what": "loss", "before": loss, "after": after.loss, "epoch": resumed_at}}
    if after.l1 >= l1 * JUMP_L1_RATIO:
        return {"": {"what": "L1", "before": l1, "after": after.l1, "epoch": resumed_at}}
    return {}


def _told(seen: Seen, **figures: float | str) -> dict[str, Figures]:
    return {"": {**figures, "epoch": len(seen.history)}}


def _best(history: tuple[Epoch, ...]) -> tuple[int, float]:
    """The epoch of the lowest loss, counted from 1, and that loss."""
    return min(enumerate((epoch.loss for epoch in history), start=1), key=lambda each: each[1])


def _held_out(seen: Seen) -> list[tuple[int, float]]:
    """The epochs, counted from 1, after which held-out episodes were looked at, and the errors on them."""
    return [
        (number, epoch.held_out_l1)
        for number, epoch in enumerate(seen.history, start=1)
        if epoch.held_out_l1 is not None
    ]
