"""Checked episodes into one HDF5 file (see trainer.data.store), by one process a core.

Each process decodes whole episodes and writes them straight into their place in the draft (see
trainer.converting.draft). What the check has put there while it looked at the pictures is only looked over.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from protocol.job import Converted, Problem
from protocol.training import TrainingConfig
from trainer.converting.draft import Place, Task, begin, discard, is_of, places_of
from trainer.converting.reuse import known_in
from trainer.converting.slot import settle, slots
from trainer.data.episode import Source
from trainer.data.episodes import find_episodes, kept
from trainer.data.fingerprint import hash_files
from trainer.data.material import Damaged
from trainer.data.rows import RowError, Table
from trainer.data.tree import look_through
from trainer.process.attempt import JobError, Stop, Told, hears_nothing
from trainer.process.workers import in_processes


def convert(
    data: Path,
    output: Path,
    config: TrainingConfig,
    certificate: str,
    *,
    hashes: Mapping[str, str] | None = None,
    earlier: Sequence[Path] = (),
    stop: Stop | None = None,
    told: Told = hears_nothing,
) -> Converted:
    """Write the episodes under `data` that the config keeps to `output`. `told` hears of each one done.

    The data set is taken to be checked by the same config; `certificate` is the verdict's hash, `hashes` are
    those of its files where they are known. Episodes that are in `output` already, or in one of the `earlier`
    files, of whichever data set, are taken over, and so are those that a check or a conversion had done when
    it ended, however it did.

    Raises:
        JobError: "bad_data" for an episode that cannot be converted after all, "stopped" when asked to leave.
        OSError: the file cannot be written.
    """
    stop = stop or Stop()
    sources = kept(find_episodes(data), config)
    if not sources:
        raise JobError("bad_data", f"{data}: no episode to convert; name the folder with the episodes")
    tables = [_table(source, config) for source in sources]
    hashes = hashes if hashes is not None else hash_files(look_through(data).files, stop=stop)
    places = places_of(sources, tables, data, hashes, config)
    done = Converted(episodes=len(sources), frames=sum(len(place.kept) for place in places), output=output)
    if _is_made(output, places, config, certificate):
        discard(output)
        told(len(places), len(places))
        return done
    draft = begin(output, places, tables, config, certificate, earlier)
    try:
        _fill_all(list(draft.tasks.values()), config, stop, told)
        draft.finish()
    except BaseException as error:
        if not _can_go_on(error):
            discard(output)
        raise
    return done


def must_lie_outside(output: Path, data: Path) -> None:
    """Raises JobError("bad_job"): what is written there would be an episode of the set the next time."""
    if output.resolve().is_relative_to(data.resolve()):
        raise JobError("bad_job", f"{output}: lies in the data set {data}; name a place outside of it")


def _fill_all(tasks: Sequence[Task], config: TrainingConfig, stop: Stop, told: Told) -> None:
    """After a check all of them are there: processes are started only for what is not."""
    missing: list[Task] = []
    there = 0
    for task in tasks:
        stop.leave_if_asked()
        if task.is_there():
            there += 1
            told(there, len(tasks))
        else:
            missing.append(task)
    if missing:
        work = partial(fill, config)
        in_processes(work, missing, stop=stop, told=lambda done, _: told(there + done, len(tasks)))


def fill(config: TrainingConfig, task: Task) -> None:
    """Bring one episode's pictures to their place: found there, copied, or decoded.

    Raises:
        JobError("bad_data"): the pictures cannot be decoded, or are not as many as the rows.
    """
    if task.is_done():
        return
    place, checksums = task.place, list[int]()
    with slots(task.path, place.kept, place.start) as to:
        for camera, slot in to.items():
            seen = place.source.look(camera, config, slot)
            if isinstance(seen, Problem):
                raise _unfit(place, camera, seen.frame or 0, seen.message)
            if seen.frames != place.total:
                counts = f"{seen.frames} pictures, {place.total} actions"
                raise _unfit(place, camera, min(seen.frames, place.total), counts)
            checksums.append(slot.checksum)
    if place.key:
        settle(task.path, place.number, checksums)


def _unfit(place: Place, camera: str, frame: int, why: str) -> JobError:
    where = f"{place.source.name}: {camera}, frame {frame}"
    return JobError("bad_data", f"{where}: {why}; check the data set again")


def _is_made(output: Path, places: Sequence[Place], config: TrainingConfig, certificate: str) -> bool:
    """Whether it is there, whole: every picture is looked at."""
    if not is_of(output, places, config, certificate):
        return False
    known = known_in(output)
    return all(known.find(place.key, place.kept) is not None for place in places)


def _can_go_on(error: BaseException) -> bool:
    """Whether what is done is worth keeping: it was stopped, or a worker died."""
    return isinstance(error, JobError) and error.failed.failure != "bad_data"


def _table(source: Source, config: TrainingConfig) -> Table:
    try:
        return source.table(config)
    except (OSError, Damaged, RowError) as error:
        raise JobError("bad_data", f"{source.name}: actions: {error}; check the data set again") from error
