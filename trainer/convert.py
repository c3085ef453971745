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
from trainer.rows import RowError, Table
from trainer.store import Frames, create, frame_maps, sync
from trainer.video import Picture, VideoError
from trainer.workers import in_processes

BLOCK_FRAMES = 32
"""Pictures resized at once: enough to keep the loop short, few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an episode goes: of its `total` frames those in `kept`, from frame `start` of the file on."""

    source: Source
    total: int
    kept: range
    start: int


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

    The data set is taken to be checked by the same config; `certificate` is the verdict's hash.

    Raises:
        JobError: "bad_data" for an episode that cannot be converted after all, "stopped" when asked to leave.
        OSError: the file cannot be written.
    """
    sources = kept(find_episodes(data), config)
    if not sources:
        raise JobError("bad_data", f"{data}: no episode to convert; name the folder with the episodes")
    tables = [_table(source, config) for source in sources]
    places = _places(sources, tables, config)
    ends = [place.start + len(place.kept) for place in places]
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.name}.tmp")
    try:
        create(
            unfinished,
            config=config,
            state=np.concatenate([kept_rows(table.state, config) for table in tables]).astype(np.float32),
            action=np.concatenate([kept_rows(table.action, config) for table in tables]).astype(np.float32),
            episode_ends=ends,
            episode_names=[source.name for source in sources],
            certificate=certificate,
            versions=installed_versions(),
        )
        in_processes(partial(fill, unfinished, config), places, stop=stop or Stop(), told=told)
        sync(unfinished)
        unfinished.replace(output)
        sync_folder(output.parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return Converted(episodes=len(sources), frames=ends[-1], output=output)


def fill(path: Path, config: TrainingConfig, place: Place) -> None:
    """Decode one episode's pictures into its place in the file at `path`.

    Raises:
        JobError("bad_data"): the pictures cannot be decoded, or are not as many as the rows.
    """
    for camera, frames in frame_maps(path, "r+").items():
        written = place.start
        try:
            for block in _small_pictures(place, camera, config):
                frames[written : written + len(block)] = block
                written += len(block)
        except VideoError as error:
            where = f"{place.source.name}: {camera}, frame {error.frame}"
            raise JobError("bad_data", f"{where}: {error}; check the data set again") from error


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
    return [
        Place(source, len(table), frames, start)
        for source, table, frames, start in zip(sources, tables, remaining, starts, strict=False)
    ]
