"""The converted file in the making: whose pictures go where, which of them are there already.

It stands under a name of its own until all of it is there. A draft that a killed or refused attempt left
behind is gone on with where it is of the same episodes; else what it holds is copied from it.
"""

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from protocol.training import TrainingConfig
from trainer.converting.reuse import Known, checksum, done_in, key_of, known_in
from trainer.converting.slot import settle
from trainer.data.episode import Source, kept_frames, kept_rows
from trainer.data.fingerprint import content_at
from trainer.data.rows import Table
from trainer.data.store import FrameStore, create, frame_maps, sync
from trainer.process.attempt import JobError, installed_versions, sync_folder


@dataclass(frozen=True, slots=True)
class Place:
    """Where an episode goes: of its `total` frames those in `kept`, from frame `start` of the file on."""

    source: Source
    total: int
    kept: range
    start: int
    number: int = 0
    key: str = ""


@dataclass(frozen=True)
class Task:
    """One episode's pictures, to be brought to their place in the file at `path`, or found in `known`."""

    path: Path
    place: Place
    known: tuple[Known, ...] = ()

    def is_there(self) -> bool:
        """Whether they are there already, as they were written."""
        place = self.place
        return bool(place.key) and known_in(self.path).find(place.key, place.kept) is not None

    def is_done(self) -> bool:
        """Whether they are there already, or could be copied there."""
        place = self.place
        if self.is_there():
            return True
        for known in self.known if place.key else ():
            pictures = known.find(place.key, place.kept)
            if pictures is not None:
                self._copy(pictures)
                return True
        return False

    def _copy(self, pictures: Mapping[str, np.ndarray]) -> None:
        maps = frame_maps(self.path, "r+")
        checksums: list[int] = []
        for camera, written in maps.items():
            written[self.place.start : self.place.start + len(self.place.kept)] = pictures[camera]
            checksums.append(checksum(pictures[camera]))
        settle(self.path, self.place.number, checksums)


@dataclass(frozen=True)
class Draft:
    """`output` is where it will stand; `tasks` bring each episode's pictures there, by its name."""

    output: Path
    tasks: Mapping[str, Task]

    @property
    def path(self) -> Path:
        return draft_of(self.output)

    def finish(self) -> None:
        """All of it is there: let it stand under its name."""
        sync(self.path)
        self.path.replace(self.output)
        sync_folder(self.output.parent)
        _former(self.output).unlink(missing_ok=True)


def discard(output: Path) -> None:
    """Leave nothing of a draft for `output` behind."""
    draft_of(output).unlink(missing_ok=True)
    _former(output).unlink(missing_ok=True)


def draft_of(output: Path) -> Path:
    return output.with_name(f".{output.name}.tmp")


def _former(output: Path) -> Path:
    """A draft of other episodes, or of other versions of them: there to be copied from."""
    return output.with_name(f".{output.name}.former")


def places_of(
    sources: Sequence[Source],
    tables: Sequence[Table],
    data: Path,
    hashes: Mapping[str, str],
    config: TrainingConfig,
) -> list[Place]:
    """One after the other. `hashes` are those of the files under `data`, by name."""
    remaining = [kept_frames(len(table), config) for table in tables]
    starts = accumulate((len(frames) for frames in remaining), initial=0)
    found = zip(sources, tables, remaining, starts, strict=False)
    return [
        Place(source, len(table), frames, start, number, _key(source, data, hashes, config))
        for number, (source, table, frames, start) in enumerate(found)
    ]


def begin(
    output: Path,
    places: Sequence[Place],
    tables: Sequence[Table],
    config: TrainingConfig,
    certificate: str,
    earlier: Sequence[Path] = (),
) -> Draft:
    """Go on with the draft of `output`, or begin it. `earlier` converted files are copied from.

    Raises:
        OSError: it cannot be written; none is left behind.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    path, former = draft_of(output), _former(output)
    if not is_of(path, places, config, certificate):
        if done_in(path) > done_in(former):
            path.replace(former)
        _create(path, former, tables, places, config, certificate)
    known = [known_in(each) for each in (former, output, *earlier)]
    return Draft(output, {place.source.name: _task(path, place, known) for place in places})


def is_of(path: Path, places: Sequence[Place], config: TrainingConfig, certificate: str) -> bool:
    """Whether the file at `path` is, or will be, the one we were asked for."""
    known = known_in(path)
    if [(key, where.first) for key, where in known.places.items()] != [
        (place.key, place.kept.start) for place in places
    ]:
        return False
    try:
        store = FrameStore.open(path)
    except JobError:  # of another version
        return False
    return (store.certificate, store.config) == (certificate, config)


def _task(path: Path, place: Place, known: Sequence[Known]) -> Task:
    return Task(path, place, tuple(each.only(place.key) for each in known if place.key in each.places))


def _create(
    path: Path,
    former: Path,
    tables: Sequence[Table],
    places: Sequence[Place],
    config: TrainingConfig,
    certificate: str,
) -> None:
    try:
        _write(path, tables, places, config, certificate)
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno != errno.ENOSPC or not former.exists():
            raise
        former.unlink()
        _create(path, former, tables, places, config, certificate)


def _write(
    path: Path, tables: Sequence[Table], places: Sequence[Place], config: TrainingConfig, certificate: str
) -> None:
    with np.errstate(all="ignore"):  # values that are no numbers are the checks' business
        create(
            path,
            config=config,
            state=np.concatenate([kept_rows(table.state, config) for table in tables]).astype(np.float32),
            action=np.concatenate([kept_rows(table.action, config) for table in tables]).astype(np.float32),
            episode_ends=[place.start + len(place.kept) for place in places],
            episode_names=[place.source.name for place in places],
            episode_keys=[place.key for place in places],
            episode_firsts=[place.kept.start for place in places],
            certificate=certificate,
            versions=installed_versions(),
        )


def _key(source: Source, data: Path, hashes: Mapping[str, str], config: TrainingConfig) -> str:
    files = [source.made_of(camera).relative_to(data).as_posix() for camera in config.dataset.camera_names]
    return key_of(source.name, [content_at(name, hashes) for name in files], config)
