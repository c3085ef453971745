"""The episodes of a data set: found wherever they lie in it, in whichever known form."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from protocol.training import TrainingConfig
from trainer.data import hdf5_episode, lerobot_episode
from trainer.data.episode import Source
from trainer.data.hdf5_episode import Hdf5Episode, is_hdf5_episode
from trainer.data.lerobot_episode import LeRobotEpisode, is_lerobot_dataset
from trainer.data.simulator_episode import ACTIONS, METADATA, SimulatorEpisode

type AnyEpisode = SimulatorEpisode | Hdf5Episode | LeRobotEpisode

EPISODE_FOLDER = re.compile(r"(episode|ep)[_-]?\d+", re.IGNORECASE)


def find_episodes(folder: Path) -> tuple[Source, ...]:
    """Every episode under `folder`, in the order of their numbers. Hidden and linked folders are left out.

    An episode is named by its folder or file, and by its place under `folder` where that is not enough.
    """
    found = [source for path in sorted(_episodes(folder), key=_by_number) for source in _sources(path)]
    short = Counter(source.name for source in found)
    return tuple(
        source if short[source.name] == 1 else replace(source, name=_place(source, folder))
        for source in found
    )


def kept(sources: tuple[Source, ...], config: TrainingConfig) -> tuple[Source, ...]:
    """The episodes the config does not leave out."""
    return tuple(source for source in sources if source.name not in config.dataset.exclude_episodes)


def _sources(path: Path) -> Sequence[AnyEpisode]:
    if path.is_file():
        return hdf5_episode.episodes_in(path)
    return (
        lerobot_episode.episodes_in(path) if is_lerobot_dataset(path) else [SimulatorEpisode(path, path.stem)]
    )


def _place(source: AnyEpisode, folder: Path) -> str:
    """Its place under `folder`, and within what holds it and others."""
    place = source.path.relative_to(folder).as_posix()
    return f"{place}/{source.name}" if source.shares_its_file else place


def _episodes(folder: Path) -> Iterator[Path]:
    for path, below, files in folder.walk():
        below[:] = [name for name in below if not name.startswith(".")]
        if is_lerobot_dataset(path):
            below.clear()
            yield path
            continue
        if EPISODE_FOLDER.fullmatch(path.name) or {ACTIONS, METADATA} & set(files):
            yield path
        yield from (path / name for name in files if is_hdf5_episode(path / name))


def _by_number(path: Path) -> list[tuple[str, int]]:
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", str(path))]
