"""Is a data set fit to train on? All episodes are looked at, and all that is wrong is said at once."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocol.job import Checked, Problem
from protocol.training import TrainingConfig
from trainer.attempt import Stop, Told, hears_nothing
from trainer.checks import (
    constant_channels,
    episode_count,
    excluded_names,
    problems_of,
    refuse,
)
from trainer.episode import Source, kept_frames, kept_rows
from trainer.episodes import find_episodes, kept
from trainer.fingerprint import hash_folder
from trainer.rows import Table
from trainer.workers import in_processes


@dataclass(frozen=True)
class Examined:
    """One episode's part of the verdict: `low` and `high` (A + S,) over its `frames` remaining ones."""

    problems: tuple[Problem, ...]
    frames: int
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def check(
    data: Path, config: TrainingConfig, *, stop: Stop | None = None, told: Told = hears_nothing
) -> Checked:
    """The verdict on the episodes under the folder `data`, for training by `config`.

    Every picture is decoded, strictly. `told(done, total)` hears of every episode looked at.

    Raises:
        JobError("stopped"): asked to leave.
    """
    if not data.is_dir():
        return _refused("no_data", "데이터 폴더 없음")
    sources = find_episodes(data)
    if not sources:
        return _refused("no_data", "에피소드 없음")
    remaining = kept(sources, config)
    examined = in_processes(partial(examine, config), remaining, stop=stop or Stop(), told=told)
    problems = (
        *episode_count(len(remaining), config),
        *excluded_names([source.name for source in sources], config),
        *(problem for each in examined for problem in each.problems),
        *_of_the_channels(examined, config),
    )
    return Checked(
        ok=all(problem.severity != "refuse" for problem in problems),
        episodes=len(remaining),
        frames=sum(each.frames for each in examined),
        hash=hash_folder(data),
        problems=problems,
    )


def examine(config: TrainingConfig, source: Source) -> Examined:
    """Read one episode and judge it."""
    episode = source.read(config)
    low, high = _bounds(episode.table, config)
    return Examined(
        problems=problems_of(episode, config),
        frames=0 if episode.table is None else len(kept_frames(len(episode.table), config)),
        low=low,
        high=high,
    )


def _refused(check: str, message: str) -> Checked:
    return Checked(ok=False, episodes=0, frames=0, hash="", problems=(refuse(check, message),))


def _bounds(table: Table | None, config: TrainingConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and greatest value of each channel in what remains; inf and -inf where nothing does."""
    width = len(config.action_names) + len(config.state_names)
    values = np.empty((0, width)) if table is None else np.hstack([table.action, table.state])
    remaining = kept_rows(values, config)
    return remaining.min(axis=0, initial=np.inf), remaining.max(axis=0, initial=-np.inf)


def _of_the_channels(examined: list[Examined], config: TrainingConfig) -> tuple[Problem, ...]:
    if not examined:
        return ()
    low = np.min([each.low for each in examined], axis=0)
    high = np.max([each.high for each in examined], axis=0)
    return tuple(constant_channels(low, high, config))
