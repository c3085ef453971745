"""A data set is looked at while it is still arriving, so that little is left to do once all of it is there.

Nothing is judged here. What takes long, decoding, is done for every video that has landed, and kept as a
check keeps it: what was seen by the file's content, the pictures in the draft. The check that follows is the
one that every set gets, and finds them there; so whatever changed or did not come meanwhile, its verdict is
on what lies there in the end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from protocol.training import TrainingConfig
from trainer.checking.examine import Subject, examine
from trainer.checking.inventory import Inventory
from trainer.checking.keeping import Keeping
from trainer.checking.reading import Part, part_of, read_part
from trainer.checking.surveys import Surveys, survey_keys
from trainer.converting.draft import Draft, Task
from trainer.data.episode import Source
from trainer.data.episodes import kept
from trainer.data.rows import Table
from trainer.data.tree import Tree, look_through
from trainer.process.attempt import Told, hears_nothing
from trainer.process.workers import Crew


@dataclass(frozen=True)
class Arrival:
    """So many bytes were still to come when the job began; the file `sign` is there once all of them are."""

    sign: Path
    coming_bytes: int

    def is_over(self) -> bool:
        return self.sign.exists()


@dataclass(frozen=True)
class Errand:
    """An episode that has landed, and its place in the draft where it has one."""

    part: Part
    task: Task | None


def look_ahead(
    there: Inventory,
    config: TrainingConfig,
    keeping: Keeping,
    arrival: Arrival,
    workers: Crew,
    told: Told = hears_nothing,
) -> None:
    """Until all has arrived. `told(done, total)` hears of every episode looked at, and while we wait."""
    if arrival.is_over():
        return
    remaining = kept(there.sources, config)
    wanted = [part for part in there.parts if part.source in remaining]
    tables = workers.do(partial(_table, config), wanted, told=hears_nothing)
    whole = [(part.source, table) for part, table in zip(wanted, tables, strict=True) if table is not None]
    draft = keeping.draft(whole, there.data, {}, config, "", arrival.coming_bytes)  # as if every video came
    work = partial(_look, config, keeping.remembered(), there.data)
    landed = _landings(there.data, remaining, config, draft, arrival)
    workers.keep_up(work, landed, told=lambda done: told(done, len(remaining)))


def _table(config: TrainingConfig, part: Part) -> Table | None:
    """What leads out of the set is not trusted."""
    return None if part.astray else part.source.read(config).table


def _landings(
    data: Path, sources: Sequence[Source], config: TrainingConfig, draft: Draft | None, arrival: Arrival
) -> Callable[[], Sequence[Errand] | None]:
    """Which episodes have come to be whole since it was last asked; None once all has arrived."""
    missing = [source for source in sources if not source.shares_its_file]
    tasks = draft.tasks if draft else {}

    def landed() -> Sequence[Errand] | None:
        if arrival.is_over():
            return None
        whole = [source for source in missing if _is_whole(source, config)]
        missing[:] = [source for source in missing if source not in whole]
        tree = look_through(data) if whole else Tree({}, {})
        return [Errand(part_of(source, data, tree), tasks.get(source.name)) for source in whole]

    return landed


def _is_whole(source: Source, config: TrainingConfig) -> bool:
    """Each file lands whole; a camera that never comes is the check's business."""
    return all(source.made_of(camera).is_file() for camera in config.dataset.camera_names)


def _look(config: TrainingConfig, surveys: Surveys, data: Path, errand: Errand) -> None:
    """In a worker: decode, remember, and say in the draft what the pictures were made of."""
    reading = read_part(config, errand.part)
    source, cameras = errand.part.source, reading.episode.cameras
    keys = survey_keys(source, cameras, data, reading.hashes, config.dataset.fps)
    task = errand.task.landed(data, reading.hashes, config) if errand.task else None
    if task is None or not task.is_free():
        examine(config, surveys, Subject(reading, keys))
        return
    examine(config, surveys, Subject(reading, keys, task=task))
    task.sign()
