"""The slow part of a check: every picture of an episode is decoded, once, and the episode is judged.

Where the set is to be converted, too, the pictures go to their place in the draft on the way.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.checking.checks import problems_of
from trainer.checking.findings import contents_of, names_of
from trainer.checking.likeness import Glimpses
from trainer.checking.reading import Reading, changed
from trainer.checking.surveys import Surveys
from trainer.checking.tally import Tally, tally
from trainer.converting.draft import Task
from trainer.converting.slot import Slot, settle, slots
from trainer.data.episode import kept_frames, kept_rows
from trainer.data.fingerprint import Stamp, stamp
from trainer.data.rows import Table
from trainer.data.video import NOTHING_KEPT, Footage


@dataclass(frozen=True)
class Examined:
    """One episode's part of the verdict: `tally` is of the actions and states (A + S) that remain of it.

    `contents` names its parts by what is in them; two episodes that share one have it from one source.
    `glimpses` are what its videos look like, roughly.
    """

    name: str
    problems: tuple[Problem, ...]
    frames: int
    tally: Tally
    hashes: Mapping[str, str]
    contents: tuple[str, ...]
    glimpses: Mapping[str, Glimpses] = field(default_factory=dict[str, Glimpses])


@dataclass(frozen=True)
class Subject:
    """What is to be examined. `keys` name what may be remembered of a camera's pictures (checking.surveys).

    `shared` are the files that other episodes are in, too, as they were when they were hashed.
    """

    reading: Reading
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    shared: Mapping[Path, Stamp] = field(default_factory=dict[Path, Stamp])
    task: Task | None = None


def examine(config: TrainingConfig, surveys: Surveys, subject: Subject) -> Examined:
    """Look at one episode and judge it. What has changed since it was read is not trusted."""
    reading = subject.reading
    part, name = reading.part, reading.part.source.name
    with ExitStack() as open_slots:
        found, to = _look(subject, surveys, config, open_slots)
    moved = [
        each for each, path in part.files.items() if stamp(path) != reading.stamps.get(each, stamp(path))
    ]
    footage = tuple(each for each in found.values() if isinstance(each, Footage))
    if not moved and all(stamp(path) == before for path, before in subject.shared.items()):
        _remember(subject, surveys, found, to)
    damage = (*reading.episode.damage, *(each for each in found.values() if isinstance(each, Problem)))
    episode = replace(reading.episode, footage=footage, damage=damage)
    return Examined(
        name=name,
        problems=(*(changed(each, name) for each in moved), *problems_of(episode, config)),
        frames=0 if episode.table is None else len(kept_frames(len(episode.table), config)),
        tally=tally(_values(episode.table, config)),
        hashes=reading.hashes,
        contents=tuple(contents_of(episode.table, reading.hashes)),
        glimpses={video.name: video.looks.glimpses for video in footage},
    )


type Found = dict[str, Footage | Problem]


def _look(
    subject: Subject, surveys: Surveys, config: TrainingConfig, open_slots: ExitStack
) -> tuple[Found, Mapping[str, Slot]]:
    """By camera what there is to see, and the slots that took pictures on the way."""
    task, episode = subject.task, subject.reading.episode
    to: Mapping[str, Slot] = {}
    if task is not None and episode.cameras and not task.is_done():
        to = open_slots.enter_context(slots(task.path, task.place.kept, task.place.start))
    found: Found = {}
    for camera in episode.cameras:
        known = None if camera in to else surveys.find(subject.keys.get(camera, ""))
        source = subject.reading.part.source
        found[camera] = known or source.look(camera, config, to.get(camera, NOTHING_KEPT))
    return found, to


def _remember(subject: Subject, surveys: Surveys, found: Found, to: Mapping[str, Slot]) -> None:
    for camera, footage in found.items():
        if isinstance(footage, Footage):
            surveys.keep(subject.keys.get(camera, ""), footage)
    place = subject.task.place if subject.task else None
    if (
        subject.task
        and place
        and place.key
        and to
        and all(_is_whole(found.get(each), place.total) for each in to)
    ):
        settle(subject.task.path, place.number, [slot.checksum for slot in to.values()])


def _is_whole(seen: Footage | Problem | None, total: int) -> bool:
    return isinstance(seen, Footage) and seen.frames == total


def _values(table: Table | None, config: TrainingConfig) -> np.ndarray:
    """Actions and state (T, A + S) of what remains."""
    if table is None:
        return np.empty((0, len(names_of(config))))
    return kept_rows(np.hstack([table.action, table.state]), config)
