"""The episodes of a data set: found wherever they lie in it, in whichever known form."""

import re
from collections.abc import Iterator
from pathlib import Path

from protocol.training import TrainingConfig
from trainer.episode import Source
from trainer.hdf5_episode import Hdf5Episode, is_hdf5_episode
from trainer.simulator_episode import ACTIONS, METADATA, SimulatorEpisode

EPISODE_FOLDER = re.compile(r"(episode|ep)[_-]?\d+", re.IGNORECASE)


def find_episodes(folder: Path) -> tuple[Source, ...]:
    """Every episode under `folder`, in the order of their numbers. Hidden and linked folders are left out.

    An episode is named by its folder or file, and by its place under `folder` where that is not enough.
    """
    found = sorted(_episodes(folder), key=_by_number)
    short = [path.stem for path in found]
    return tuple(
        _source(path, path.stem if short.count(path.stem) == 1 else path.relative_to(folder).as_posix())
        for path in found
    )


def kept(sources: tuple[Source, ...], config: TrainingConfig) -> tuple[Source, ...]:
    """The episodes the config does not leave out."""
    return tuple(source for source in sources if source.name not in config.dataset.exclude_episodes)


def _source(path: Path, name: str) -> Source:
    return Hdf5Episode(path, name) if path.is_file() else SimulatorEpisode(path, name)


def _episodes(folder: Path) -> Iterator[Path]:
    for path, below, files in folder.walk():
        below[:] = [name for name in below if not name.startswith(".")]
        if EPISODE_FOLDER.fullmatch(path.name) or {ACTIONS, METADATA} & set(files):
            yield path
        yield from (path / name for name in files if is_hdf5_episode(path / name))


def _by_number(path: Path) -> list[tuple[str, int]]:
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", str(path))]
