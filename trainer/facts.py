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
    history: tuple[Epoch, ...], epochs: int, known: tuple[Channel, ...], said: tuple[str, ...]
) -> dict[str, Figures]:
    """The facts that hold now and were not told before, by name."""
    if len(history) < SETTLED_EPOCHS:
        return {}
    told = {
        **uneven_channels(history, known),
        "gradient_clipped": clipping(history),
        "plateau": plateau(history, epochs),
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


def _ratios(l1_by_action: tuple[float, ...]) -> list[float]:
    """Each channel's error over the median of the others'."""
    return [
        error / max(median((*l1_by_action[:at], *l1_by_action[at + 1 :])), 1e-12)
        for at, error in enumerate(l1_by_action)
    ]
