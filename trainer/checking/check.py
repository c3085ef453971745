"""Is a data set fit to train on? All episodes are looked at, and all that is wrong is said at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import add
from pathlib import Path

from protocol.job import Checked, Problem
from protocol.training import TrainingConfig
from trainer.checking.ahead import Arrival, look_ahead
from trainer.checking.checks import episode_count, excluded_names
from trainer.checking.examine import Examined, Subject, examine
from trainer.checking.findings import constant_channels, duplicates, held, saturated
from trainer.checking.inventory import Inventory, take_stock
from trainer.checking.keeping import KEPT_NOWHERE, Keeping
from trainer.checking.likeness import lookalikes
from trainer.checking.reading import Reading, changed, read_part, stray
from trainer.checking.surveys import survey_keys
from trainer.checking.tally import Tally
from trainer.converting.draft import Draft
from trainer.data.episode import refuse
from trainer.data.episodes import kept
from trainer.data.fingerprint import Hashes, Stamp, hash_files, hash_set, is_at
from trainer.process.attempt import Stop, Told, hears_nothing
from trainer.process.workers import Crew, crew


@dataclass(frozen=True)
class Judgement:
    """The verdict and all that it stands on."""

    verdict: Checked
    examined: tuple[Examined, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def tally(self) -> Tally:
        """Ranges, means and spread over every row that remains; there must be an episode."""
        return reduce(add, (each.tally for each in self.examined))


def check(
    data: Path, config: TrainingConfig, *, stop: Stop | None = None, told: Told = hears_nothing
) -> Checked:
    """The verdict alone; see `judge`."""
    return judge(data, config, stop=stop, told=told).verdict


def judge(
    data: Path,
    config: TrainingConfig,
    *,
    keeping: Keeping = KEPT_NOWHERE,
    arrival: Arrival | None = None,
    stop: Stop | None = None,
    told_ahead: Told = hears_nothing,
    told_read: Told = hears_nothing,
    told: Told = hears_nothing,
) -> Judgement:
    """The verdict on the episodes under the folder `data`, for training by `config`.

    Every picture is decoded, strictly. `told_read(done, total)` hears of every episode whose rows were read,
    `told` of every one whose pictures were looked at. Of a set that is still in its `arrival` the verdict is
    given when that is over; `told_ahead` hears of what is looked at until then (checking.ahead).

    Raises:
        JobError("stopped"): asked to leave. What was kept until then is there the next time.
    """
    if not data.is_dir():
        return _refused("no_data", "데이터 폴더 없음")
    there = take_stock(data)
    with crew(len(kept(there.sources, config)), stop or Stop()) as workers:
        if arrival is not None:
            look_ahead(there, config, keeping, arrival, workers, told_ahead)
            there = take_stock(data)
        if not there.sources and not there.tree.astray:
            return _refused("no_data", "에피소드 없음")
        hashes, examined = _work(there, config, keeping, workers, told_read, told)
    return _judgement(there, config, hashes, examined)


def _judgement(
    there: Inventory, config: TrainingConfig, hashes: Hashes, examined: Sequence[Examined]
) -> Judgement:
    problems = (
        *episode_count(len(kept(there.sources, config)), config),
        *excluded_names([source.name for source in there.sources], config),
        *_astray(there),
        *(changed(name, None) for name in there.moved()),
        *(problem for each in examined for problem in each.problems),
        *_of_the_set(examined, config),
    )
    verdict = Checked(
        ok=all(problem.severity != "refuse" for problem in problems),
        episodes=len(examined),
        frames=sum(each.frames for each in examined),
        hash=hash_set(hashes, there.tree.astray),
        problems=tuple(problems),
    )
    return Judgement(verdict, tuple(examined), hashes)


def _refused(check: str, message: str) -> Judgement:
    return Judgement(Checked(ok=False, episodes=0, frames=0, hash="", problems=(refuse(check, message),)))


# --- the work -----------------------------------------------------------------------


def _work(
    there: Inventory,
    config: TrainingConfig,
    keeping: Keeping,
    workers: Crew,
    told_read: Told,
    told: Told,
) -> tuple[Hashes, list[Examined]]:
    """The hashes of all files, and every remaining episode examined."""
    remaining = kept(there.sources, config)
    surveys = keeping.remembered()
    wanted = [part for part in there.parts if part.source in remaining]
    readings = workers.do(partial(read_part, config), wanted, told=told_read)
    hashes = {name: each for reading in readings for name, each in reading.hashes.items()}
    others = {name: path for name, path in there.tree.files.items() if name not in hashes}
    hashes |= hash_files(others, stop=workers.stop)
    draft = _draft(there, readings, hashes, config, keeping)
    subjects = [_subject(there, reading, hashes, config, draft) for reading in readings]
    surveys.forget_all_but(frozenset(key for each in subjects for key in each.keys.values()))
    return hashes, workers.do(partial(examine, config, surveys), subjects, told=told)


def _draft(
    there: Inventory, readings: Sequence[Reading], hashes: Hashes, config: TrainingConfig, keeping: Keeping
) -> Draft | None:
    """Of all episodes whose rows say how long they are."""
    rows = [
        (reading.part.source, reading.episode.table)
        for reading in readings
        if reading.episode.table is not None and reading.episode.cameras
    ]
    return keeping.draft(rows, there.data, hashes, config, hash_set(hashes, there.tree.astray))


def _subject(
    there: Inventory, reading: Reading, hashes: Hashes, config: TrainingConfig, draft: Draft | None
) -> Subject:
    source, cameras = reading.part.source, reading.episode.cameras
    keys = survey_keys(source, cameras, there.data, hashes, config.dataset.fps)
    shared: dict[Path, Stamp] = {}
    for camera in cameras:
        names = [name for name in there.shared if is_at(there.name_of(source.made_of(camera)), name)]
        shared |= {there.tree.files[name]: there.shared[name] for name in names}
    return Subject(reading, keys, shared, draft.tasks.get(source.name) if draft else None)


# --- of the set as a whole ----------------------------------------------------------


def _astray(there: Inventory) -> tuple[Problem, ...]:
    """What belongs to no episode; a whole episode that is a link is named as one."""
    inside = {name for part in there.parts for name in part.astray}
    return tuple(
        stray(name, reason, name.partition("/")[0] if name.startswith("episode_") else None)
        for name, reason in there.tree.astray.items()
        if name not in inside
    )


def _of_the_set(examined: Sequence[Examined], config: TrainingConfig) -> tuple[Problem, ...]:
    if not examined:
        return ()
    total = reduce(add, (each.tally for each in examined))
    contents = {each.name: each.contents for each in examined}
    return (
        *constant_channels(total, config),
        *saturated(total, config),
        *held(total, config),
        *duplicates(contents, config),
        *lookalikes({each.name: each.glimpses for each in examined}, contents, config),
    )
