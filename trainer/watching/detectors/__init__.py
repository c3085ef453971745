"""Facts that may be lessons: a table of pure functions over what a run has shown. Each is told once a run.

A detector gives figures by subject: a channel, an episode, or nothing in particular (""). Thresholds are far
from what a healthy run shows, a small one too: recorded runs of the real trainer, with and without planted
causes, hold them there (tests/trainer/detectors).
"""

from collections.abc import Callable

from trainer.watching.detectors.data import odd_episodes, thin_extremes, uneven_channels
from trainer.watching.detectors.learning import (
    best_long_past,
    clipping,
    diverging,
    jump,
    overfitting,
    plateau,
    validation_frozen,
)
from trainer.watching.detectors.machine import device_idle, feed_starving, memory_growing
from trainer.watching.facts import Figures, Seen

SETTLED_EPOCHS = 5
"""Before so many epochs nothing is said: every run begins uneven."""

type Detector = Callable[[Seen], dict[str, Figures]]

DETECTORS: dict[str, Detector] = {
    "channel_l1_high": uneven_channels,
    "thin_extremes": thin_extremes,
    "episode_l1_high": odd_episodes,
    "gradient_clipped": clipping,
    "plateau": plateau,
    "diverging": diverging,
    "overfitting": overfitting,
    "validation_frozen": validation_frozen,
    "best_long_past": best_long_past,
    "loss_jump_after_resume": jump,
    "memory_growing": memory_growing,
    "device_idle": device_idle,
    "feed_starving": feed_starving,
}


def found(seen: Seen, said: tuple[str, ...] = ()) -> dict[str, Figures]:
    """The facts that hold now and were not told before: `channel_l1_high:steering`, `plateau` …"""
    if len(seen.history) < SETTLED_EPOCHS:
        return {}
    told = {
        f"{fact}:{subject}" if subject else fact: figures
        for fact, detector in DETECTORS.items()
        for subject, figures in detector(seen).items()
    }
    return {name: figures for name, figures in told.items() if name not in said}
