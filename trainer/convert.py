"""Checked episodes into one HDF5 file (see trainer.store), by one process a core.

Each process decodes whole episodes and writes them straight into their place in the file. The file stands
under its own name only once all of it is there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, batched
from pathlib import Path

import numpy as np

from protocol.job import Converted
from protocol.training import TrainingConfig
from trainer.attempt import JobError, Stop, Told, hears_nothing, installed_versions, sync_folder
from trainer.episode import Source, kept_frames, kept_rows
from trainer.episodes import find_episodes, kept
from trainer.material import Damaged
from trainer.reuse import Known, checksum, content_of, key_of, known_in
from trainer.rows import RowError, Table
from trainer.store import Frames, FrameStore, checksum_map, create, frame_maps, sync
from trainer.video import Picture, VideoError
from trainer.workers import in_processes

BLOCK_FRAMES = 8
"""Pictures resized at once: enough to keep the loop short, few enough to stay in the cache."""

NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an episode goes: of its `total` frames those in `kept`, from frame `start` of the file on."""

    source: Source
    total: int
    kept: range
    start: int
    number: int = 0
    key: str = ""


def convert(
    data: Path,
    output: Path,
    config: TrainingConfig,
    certificate: str,
    *,
    stop: Stop | None = None,
    told: Told = hears_nothing,
) -> Converted:
    """Write the episodes under `data` that the config keeps to `output`. `told` hears of each one done.

    The data set is taken to be checked by the same config; `certificate` is the verdict's hash. Episodes that
    are in `output` already, of whichever data set, are taken over, and so are those that a conversion had
    done when it was stopped or killed.

    Raises:
        JobError: "bad_data" for an episode that cannot be converted after all, "stopped" when asked to leave.
        OSError: the file cannot be written.
    """
    sources = kept(find_episodes(data), config)
    if not sources:
        raise JobError("bad_data", f"{data}: no episode to convert; name the folder with the episodes")
    tables = [_table(source, config) for source in sources]
    places = _places(sources, tables, config)
    frames = sum(len(place.kept) for place in places)
    done = Converted(episodes=len(sources), frames=frames, output=output)
    if _is_made(output, places, config, certificate):
        told(len(places), len(places))
        return done
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.name}.tmp")
    try:
        if not _is_of(unfinished, places, config, certificate):
            _begin_file(unfinished, tables, places, config, certificate)
        work = partial(fill, unfinished, config, known=known_in(output))
        in_processes(work, places, stop=stop or Stop(), told=told)
        sync(unfinished)
        unfinished.replace(output)
        sync_folder(output.parent)
    except BaseException as error:
        if not _is_stop(error):
            unfinished.unlink(missing_ok=True)
        raise
    return done


def fill(path: Path, config: TrainingConfig, place: Place, known: Known = NOTHING_KNOWN) -> None:
    """Put one episode's pictures into its place in the file at `path`: found there, in `known`, or decoded.

    Raises:
        JobError("bad_data"): the pictures cannot be decoded, or are not as many as the rows.
    """
    if place.key and known_in(path).find(place.key) is not None:
        return
    earlier = known.find(place.key)
    checksums: list[int] = []
    for camera, frames in frame_maps(path, "r+").items():
        written = frames[place.start : place.start + len(place.kept)]
        if earlier is not None:
            written[:] = earlier[camera]
        else:
            _decode(place, camera, config, written)
        checksums.append(checksum(written))
    if place.key:
        checksum_map(path, "r+")[place.number] = checksums


def _decode(place: Place, camera: str, config: TrainingConfig, written: Frames) -> None:
    done = 0
    try:
        for block in _small_pictures(place, camera, config):
            written[done : done + len(block)] = block
            done += len(block)
    except VideoError as error:
        where = f"{place.source.name}: {camera}, frame {error.frame}"
        raise JobError("bad_data", f"{where}: {error}; check the data set again") from error


def _begin_file(
    path: Path, tables: Sequence[Table], places: Sequence[Place], config: TrainingConfig, certificate: str
) -> None:
    create(
        path,
        config=config,
        state=np.concatenate([kept_rows(table.state, config) for table in tables]).astype(np.float32),
        action=np.concatenate([kept_rows(table.action, config) for table in tables]).astype(np.float32),
        episode_ends=[place.start + len(place.kept) for place in places],
        episode_names=[place.source.name for place in places],
        episode_keys=[place.key for place in places],
        certificate=certificate,
        versions=installed_versions(),
    )


def _is_of(path: Path, places: Sequence[Place], config: TrainingConfig, certificate: str) -> bool:
    """Whether the file at `path` is, or will be, the one we were asked for."""
    if list(known_in(path).places) != [place.key for place in places]:
        return False
    try:
        store = FrameStore.open(path)
    except JobError:  # of another version
        return False
    return (store.certificate, store.config) == (certificate, config)


def _is_made(path: Path, places: Sequence[Place], config: TrainingConfig, certificate: str) -> bool:
    """Whether it is, whole: every picture is looked at."""
    if not _is_of(path, places, config, certificate):
        return False
    known = known_in(path)
    return all(known.find(place.key) is not None for place in places)


def _is_stop(error: BaseException) -> bool:
    return isinstance(error, JobError) and error.failed.failure == "stopped"


def _small_pictures(place: Place, camera: str, config: TrainingConfig) -> Iterator[Frames]:
    """What remains of an episode, resized, in blocks (n, H, W, 3)."""
    from trainer.pixels import resize  # noqa: PLC0415  # torch: seconds, and only the workers need it

    pictures = _exactly(place.total, place.source.pictures(camera))
    remaining = (picture for frame, picture in enumerate(pictures) if frame in place.kept)
    for block in batched(remaining, BLOCK_FRAMES):
        yield resize(np.stack(block), config.dataset.image_size)


def _exactly(total: int, pictures: Iterator[Picture]) -> Iterator[Picture]:
    """All of `pictures`. Raises VideoError when they are not `total`."""
    found = 0
    for found, picture in enumerate(pictures, start=1):  # noqa: B007  # counted to the end
        yield picture
    if found != total:
        raise VideoError(f"{found} pictures, {total} actions", min(found, total))


def _table(source: Source, config: TrainingConfig) -> Table:
    try:
        return source.table(config)
    except (OSError, Damaged, RowError) as error:
        raise JobError("bad_data", f"{source.name}: actions: {error}; check the data set again") from error


def _places(sources: Sequence[Source], tables: Sequence[Table], config: TrainingConfig) -> list[Place]:
    remaining = [kept_frames(len(table), config) for table in tables]
    starts = accumulate((len(frames) for frames in remaining), initial=0)
    contents = {path: content_of(path) for path in {source.path for source in sources}}
    keys = [
        key_of(source, contents[source.path], frames, config)
        for source, frames in zip(sources, remaining, strict=True)
    ]
    found = zip(sources, tables, remaining, starts, keys, strict=False)
    return [
        Place(source, len(table), frames, start, number, key)
        for number, (source, table, frames, start, key) in enumerate(found)
    ]
