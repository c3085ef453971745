"""What a run shows and detectors look at: the data's channels, the epochs so far, how busy the machine was.

Facts with their figures, never advice; judging is the reader's part.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trainer.learning.history import Epoch, TrainerState

NEAR_AN_END = 0.9
"""From this share of a channel's greatest deviation on a value counts as an extreme one."""

EXTREME = 0.9
"""Action units: the card's ±1.0."""

type Figures = dict[str, float | int | str]


@dataclass(frozen=True)
class Channel:
    """An action channel as the data has it, in action units.

    `extreme_share` of its values exceed EXTREME; `support` is how much of its own range the middle four
    fifths of its values take up, `rare_share` how many of them lie near the ends of that range.
    """

    name: str
    std: float
    least: float
    greatest: float
    extreme_share: float
    support: float = 1.0
    rare_share: float = 1.0


@dataclass(frozen=True)
class Known:
    """What was known before the first step. `disagreement` is each episode's, see there."""

    channels: tuple[Channel, ...]
    episodes: tuple[str, ...] = ()
    disagreement: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Reading:
    """The machine at an epoch's end. `at_s` counts seconds of this process, memory is in bytes.

    `busy_share` is how much of the last moments the device computed, `waiting_share` how much of the epoch
    was spent waiting for frames. None: it cannot be told here.
    """

    at_s: float
    used_bytes: int | None = None
    total_bytes: int | None = None
    busy_share: float | None = None
    waiting_share: float | None = None


@dataclass(frozen=True)
class Seen:
    """Everything there is to look at once an epoch has ended.

    `epochs` is how many there are to be, `resumed_at` how many were finished when this process went on; None
    for one that began. `l1_by_episode` is that of the last epochs, `readings` those of this process.
    """

    history: tuple[Epoch, ...]
    epochs: int
    known: Known
    resumed_at: int | None = None
    l1_by_episode: tuple[tuple[float, ...], ...] = ()
    readings: tuple[Reading, ...] = field(default=(), repr=False)


def seen(
    state: TrainerState, known: Known, resumed_at: int | None, readings: tuple[Reading, ...] = ()
) -> Seen:
    epochs = state.config.training.epochs
    return Seen(state.history, epochs, known, resumed_at, state.l1_by_episode, readings)


def channels(names: tuple[str, ...], action: NDArray[np.float32]) -> tuple[Channel, ...]:
    """`action` is (N, A)."""
    return tuple(_channel(name, values) for name, values in zip(names, action.T, strict=True))


def _channel(name: str, values: NDArray[np.float32]) -> Channel:
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    least, greatest = float(values.min()), float(values.max())
    away = np.abs(values - middle)
    return Channel(
        name=name,
        std=float(values.std()),
        least=least,
        greatest=greatest,
        extreme_share=float((np.abs(values) > EXTREME).mean()),
        support=float(high - low) / (greatest - least) if greatest > least else 1.0,
        rare_share=float((away > NEAR_AN_END * away.max()).mean()) if greatest > least else 1.0,
    )
