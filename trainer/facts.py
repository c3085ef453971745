"""What a run shows that may be a lesson: facts with their figures, never advice. Each is told once a run.

Thresholds are far from what a healthy run shows, a small one too; judging is the reader's part.
"""

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from trainer.history import Epoch

SETTLED_EPOCHS = 5
"""Before so many epochs nothing is said: every run begins uneven."""

CHANNEL_RATIO = 5.0
CHANNEL_LEAST_L1 = 0.1
CLIPPED_SHARE = 0.9
CLIPPED_EPOCHS = 25
"""Every run is clipped for its first hundreds of steps, while the KL term falls."""

PLATEAU_LEAST_EPOCHS = 30
PLATEAU_GAIN = 0.01
DIVERGED_RATIO = 2.0
DIVERGED_EPOCHS = 10
PAST_BEST_RATIO = 1.1
PAST_BEST_LEAST_EPOCHS = 50
JUMP_RATIO = 1.5
JUMP_EPOCHS = 5
EXTREME = 0.9

type Figures = dict[str, float | int | str]


@dataclass(frozen=True)
class Channel:
    """An action channel as the data has it, in action units. `extreme_share` of its values exceed EXTREME."""

    name: str
    std: float
    least: float
    greatest: float
    extreme_share: float


def channels(names: tuple[str, ...], action: NDArray[np.float32]) -> tuple[Channel, ...]:
    """`action` is (N, A)."""
    return tuple(
        Channel(
            name=name,
            std=float(values.std()),
            least=float(values.min()),
            greatest=float(values.max()),
            extreme_share=float((np.abs(values) > EXTREME).mean()),
        )
        for name, values in zip(names, action.T, strict=True)
    )


def found(
    history: tuple[Epoch, ...],
    epochs: int,
    known: tuple[Channel, ...],
    said: tuple[str, ...],
    resumed_at: int | None = None,
) -> dict[str, Figures]:
    """The facts that hold now and were not told before, by name.

    `resumed_at` is how many epochs were finished when this process went on; None for one that began.
    """
    if len(history) < SETTLED_EPOCHS:
        return {}
    told = {
        **uneven_channels(history, known),
        "gradient_clipped": clipping(history),
        "plateau": plateau(history, epochs),
        "diverging": diverging(history),
        "best_long_past": best_long_past(history, epochs),
        "loss_jump_after_resume": jump(history, resumed_at),
    }
    return {name: figures for name, figures in told.items() if figures and name not in said}


def uneven_channels(history: tuple[Epoch, ...], known: tuple[Channel, ...]) -> dict[str, Figures]:
    """Channels whose error is several times the others' median, three epochs running."""
    if len(known) < 2:
        return {}
    ratios = [_ratios(epoch.l1_by_action) for epoch in history[-3:]]
    return {
        f"channel_l1_high:{channel.name}": {
            "channel": channel.name,
            "l1": history[-1].l1_by_action[at],
            "ratio": ratios[-1][at],
            "std": channel.std,
            "min": channel.least,
            "max": channel.greatest,
            "extreme_share": channel.extreme_share,
        }
        for at, channel in enumerate(known)
        if history[-1].l1_by_action[at] >= CHANNEL_LEAST_L1
        and min(of_epoch[at] for of_epoch in ratios) >= CHANNEL_RATIO
    }


def clipping(history: tuple[Epoch, ...]) -> Figures | None:
    """The gradient was clipped in most steps of many epochs, long after the beginning."""
    last = history[-CLIPPED_EPOCHS:]
    if len(history) < 2 * CLIPPED_EPOCHS or min(epoch.clipped_share for epoch in last) < CLIPPED_SHARE:
        return None
    return {"clipped_share": last[-1].clipped_share, "grad_norm": last[-1].grad_norm, "epoch": len(history)}


def plateau(history: tuple[Epoch, ...], epochs: int) -> Figures | None:
    """The best loss has hardly fallen over a tenth of the run."""
    window = max(PLATEAU_LEAST_EPOCHS, epochs // 10)
    if len(history) < 2 * window:
        return None
    before = min(epoch.loss for epoch in history[:-window])
    since = min(epoch.loss for epoch in history[-window:])
    if since < before * (1 - PLATEAU_GAIN):
        return None
    return {"epochs": window, "best_before": before, "best_since": since, "epoch": len(history)}


def diverging(history: tuple[Epoch, ...]) -> Figures | None:
    """For many epochs running the loss was far above the best of before, and finite all the while."""
    before, last = history[:-DIVERGED_EPOCHS], history[-DIVERGED_EPOCHS:]
    if len(before) < SETTLED_EPOCHS:
        return None
    best_epoch, best = _best(before)
    if min(epoch.loss for epoch in last) < best * DIVERGED_RATIO:
        return None
    return {"loss": last[-1].loss, "best": best, "best_epoch": best_epoch, "epoch": len(history)}


def best_long_past(history: tuple[Epoch, ...], epochs: int) -> Figures | None:
    """A fifth of the run has gone by since the best epoch, and the loss stays clearly above it."""
    window = max(PAST_BEST_LEAST_EPOCHS, epochs // 5)
    if len(history) <= window:
        return None
    best_epoch, best = _best(history)
    recent = median(epoch.loss for epoch in history[-window // 2 :])
    if best_epoch > len(history) - window or recent < best * PAST_BEST_RATIO:
        return None
    return {"loss": recent, "best": best, "best_epoch": best_epoch, "epoch": len(history)}


def jump(history: tuple[Epoch, ...], resumed_at: int | None) -> Figures | None:
    """The first whole epoch of a process that went on lies far above the last ones before it."""
    if resumed_at is None or resumed_at < JUMP_EPOCHS or len(history) < resumed_at + 2:
        return None
    before = max(epoch.loss for epoch in history[resumed_at - JUMP_EPOCHS : resumed_at])
    after = history[resumed_at + 1].loss
    if after < before * JUMP_RATIO:
        return None
    return {"before": before, "after": after, "epoch": resumed_at}


def _best(history: tuple[Epoch, ...]) -> tuple[int, float]:
    """The epoch of the lowest loss, counted from 1, and that loss."""
    return min(enumerate((epoch.loss for epoch in history), start=1), key=lambda each: each[1])


def _ratios(l1_by_action: tuple[float, ...]) -> list[float]:
    """Each channel's error over the median of the others'."""
    return [
        error / max(median((*l1_by_action[:at], *l1_by_action[at + 1 :])), 1e-12)
        for at, error in enumerate(l1_by_action)
    ]
