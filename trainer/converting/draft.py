"""The converted file in the making: whose pictures go where, which of them are there already.

It stands under a name of its own until all of it is there. A draft that a killed or refused attempt left
behind is gone on with where it is of the same episodes; else what it holds is copied from it.
"""

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import numpy as np

from protocol.training import TrainingConfig
from trainer.converting.reuse import Known, checksum, done_in, episodes_of, key_of, known_in
from trainer.converting.slot import key_at, put_key, settle
from trainer.data.episode import Source, kept_frames, kept_rows
from trainer.data.fingerprint import content_at
from trainer.data.rows import Table
from trainer.data.store import FrameStore, Rows, checksum_map, complete, create, frame_maps, sync
from trainer.process.attempt import JobError, installed_versions
from trainer.process.whole import sync_folder


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

    def landed(self, data: Path, hashes: Mapping[str, str], config: TrainingConfig) -> "Task":
        """Of an episode whose files were still to come when its place was laid out."""
        return self.made_of(_key(self.place.source, data, hashes, config))

    def made_of(self, key: str) -> "Task":
        known = tuple(each.only(key) for each in self.known if key in each.places)
        return Task(self.path, replace(self.place, key=key), known)

    def is_free(self) -> bool:
        """Whether its place is not taken by pictures of another content; whose nobody knows are forgotten."""
        there = key_at(self.path, self.place.number)
        if not there:
            settle(self.path, self.place.number, 0)
        return there in ("", self.place.key)

    def sign(self) -> None:
        """Say what the pictures are made of, where all are there: none is ever found under another key."""
        if checksum_map(self.path)[self.place.number].any():
            put_key(self.path, self.place.number, self.place.key)

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
    spare_bytes: int = 0,
) -> Draft:
    """Go on with the draft of `output`, or begin it. `earlier` converted files are copied from.

    Of a set that is still arriving neither the certificate nor all keys are known; both are empty then, and
    go into the same draft once they are. So many `spare_bytes` must be left on the disk.

    Raises:
        OSError: it cannot be written; none is left behind.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    path, former = draft_of(output), _former(output)
    there = is_of(path, places, config, certificate)
    if not there and not _is_foreseen(path, places, tables, config):
        if done_in(path) > done_in(former):
            path.replace(former)
        _create(path, former, tables, places, config, certificate, spare_bytes)
    elif not there and certificate:
        complete(path, [place.key for place in places], certificate)
    known = [known_in(each) for each in (former, output, *earlier)]
    return Draft(output, {place.source.name: _task(path, place, known) for place in places})


def is_of(path: Path, places: Sequence[Place], config: TrainingConfig, certificate: str) -> bool:
    """Whether the file at `path` is, or will be, the one we were asked for."""
    found = [(key, where.first) for key, where in episodes_of(path)]
    if found != [(place.key, place.kept.start) for place in places]:
        return False
    try:
        store = FrameStore.open(path)
    except JobError:  # of another version
        return False
    return (store.certificate, store.config) == (certificate, config)


def _is_foreseen(
    path: Path, places: Sequence[Place], tables: Sequence[Table], config: TrainingConfig
) -> bool:
    """Whether the file at `path` was laid out for just these rows, before all that they go with was here."""
    found = episodes_of(path)
    if [(where.start, where.end, where.first) for _, where in found] != [_extent(place) for place in places]:
        return False
    if any(key not in ("", place.key) for (key, _), place in zip(found, places, strict=True) if place.key):
        return False
    try:
        store = FrameStore.open(path)
    except JobError:  # of another version
        return False
    names = tuple(place.source.name for place in places)
    state, action = _rows(tables, config)
    return (store.certificate, store.config, store.episode_names) == ("", config, names) and (
        (store.state.tobytes(), store.action.tobytes()) == (state.tobytes(), action.tobytes())
    )


def _extent(place: Place) -> tuple[int, int, int]:
    return place.start, place.start + len(place.kept), place.kept.start


def _task(path: Path, place: Place, known: Sequence[Known]) -> Task:
    """Of one whose files are still to come all is kept that may be of use: see `made_of`."""
    task = Task(path, place, tuple(known))
    return task.made_of(place.key) if place.key else task


def _create(
    path: Path,
    former: Path,
    tables: Sequence[Table],
    places: Sequence[Place],
    config: TrainingConfig,
    certificate: str,
    spare_bytes: int,
) -> None:
    try:
        _leave(spare_bytes, path, places, config)
        _write(path, tables, places, config, certificate)
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno != errno.ENOSPC or not former.exists():
            raise
        former.unlink()
        _create(path, former, tables, places, config, certificate, spare_bytes)


def _leave(spare_bytes: int, path: Path, places: Sequence[Place], config: TrainingConfig) -> None:
    """Raises OSError: with the pictures on it, the disk would lack room for what is still to come."""
    height, width = config.dataset.image_size
    pictures = sum(len(place.kept) for place in places) * len(config.dataset.camera_names)
    if spare_bytes and shutil.disk_usage(path.parent).free < pictures * height * width * 3 + spare_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _write(
    path: Path, tables: Sequence[Table], places: Sequence[Place], config: TrainingConfig, certificate: str
) -> None:
    state, action = _rows(tables, config)
    with np.errstate(all="ignore"):  # values that are no numbers are the checks' business
        create(
            path,
            config=config,
            state=state,
            action=action,
            episode_ends=[place.start + len(place.kept) for place in places],
            episode_names=[place.source.name for place in places],
            episode_keys=[place.key for place in places],
            episode_firsts=[place.kept.start for place in places],
            certificate=certificate,
            versions=installed_versions(),
        )


def _rows(tables: Sequence[Table], config: TrainingConfig) -> tuple[Rows, Rows]:
    """State and action of all that remains."""
    state = np.concatenate([kept_rows(table.state, config) for table in tables])
    action = np.concatenate([kept_rows(table.action, config) for table in tables])
    with np.errstate(all="ignore"):  # nor are those that are too large
        return state.astype(np.float32), action.astype(np.float32)


def _key(source: Source, data: Path, hashes: Mapping[str, str], config: TrainingConfig) -> str:
    files = [source.made_of(camera).relative_to(data).as_posix() for camera in config.dataset.camera_names]
    return key_of(source.name, [content_at(name, hashes) for name in files], config)
