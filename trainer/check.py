"""Is a data set fit to train on? All episodes are looked at, and all that is wrong is said at once."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import add
from pathlib import Path

import numpy as np

from protocol.job import Checked, Problem
from protocol.training import TrainingConfig
from trainer.attempt import Stop, Told, hears_nothing
from trainer.checks import episode_count, excluded_names, problems_of
from trainer.episode import Source, kept_frames, kept_rows, refuse, seen
from trainer.episodes import find_episodes, kept
from trainer.findings import constant_channels, duplicates, held, names_of, saturated
from trainer.fingerprint import hash_file, hash_set, stamp
from trainer.rows import Table
from trainer.tally import Tally, tally
from trainer.tree import Tree, look_through, shown
from trainer.workers import in_processes


@dataclass(frozen=True)
class Part:
    """An episode and what belongs to it of the set's files and of the names that lead out of the set."""

    source: Source
    files: Mapping[str, Path]
    astray: Mapping[str, str]


@dataclass(frozen=True)
class Examined:
    """One episode's part of the verdict: `tally` is of the actions and states (A + S) that remain of it.

    `contents` names its parts by what is in them; two episodes that share one have it from one source.
    """

    name: str
    problems: tuple[Problem, ...]
    frames: int
    tally: Tally
    hashes: Mapping[str, str]
    contents: tuple[str, ...]


@dataclass(frozen=True)
class Judgement:
    """The verdict and all that it stands on."""

    verdict: Checked
    examined: tuple[Examined, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def tally(self) -> Tally:
        """Of every row that remains. Only of a set with episodes."""
        return reduce(add, (each.tally for each in self.examined))


def check(
    data: Path, config: TrainingConfig, *, stop: Stop | None = None, told: Told = hears_nothing
) -> Checked:
    """The verdict alone; see `judge`."""
    return judge(data, config, stop=stop, told=told).verdict


def judge(
    data: Path, config: TrainingConfig, *, stop: Stop | None = None, told: Told = hears_nothing
) -> Judgement:
    """The verdict on the episodes under the folder `data`, for training by `config`.

    Every picture is decoded, strictly. `told(done, total)` hears of every episode looked at.

    Raises:
        JobError("stopped"): asked to leave.
    """
    if not data.is_dir():
        return _refused("no_data", "데이터 폴더 없음")
    tree = look_through(data)
    sources = find_episodes(data)
    if not sources and not tree.astray:
        return _refused("no_data", "에피소드 없음")
    parts = [_part(source, data, tree) for source in sources]
    shared = {name: stamp(path) for name, path in _of_no_single_part(tree, parts).items()}
    remaining = kept(sources, config)
    examined = in_processes(
        partial(examine, config),
        [part for part in parts if part.source in remaining],
        stop=stop or Stop(),
        told=told,
    )
    hashes = {name: each for episode in examined for name, each in episode.hashes.items()}
    hashes |= {name: hash_file(path) for name, path in tree.files.items() if name not in hashes}
    changed = [name for name, before in shared.items() if stamp(tree.files[name]) != before]
    problems = (
        *episode_count(len(remaining), config),
        *excluded_names([source.name for source in sources], config),
        *_astray(tree, parts),
        *(_changed(name, None) for name in changed),
        *(problem for each in examined for problem in each.problems),
        *_of_the_set(examined, config),
    )
    verdict = Checked(
        ok=all(problem.severity != "refuse" for problem in problems),
        episodes=len(remaining),
        frames=sum(each.frames for each in examined),
        hash=hash_set(hashes, tree.astray),
        problems=tuple(problems),
    )
    return Judgement(verdict, tuple(examined), hashes)


def examine(config: TrainingConfig, part: Part) -> Examined:
    """Read one episode and judge it. What leads out of the set, or changes meanwhile, is not trusted."""
    name = part.source.name
    if part.astray:
        found = tuple(_stray(within(place, part), why, name) for place, why in part.astray.items())
        return Examined(name, found, 0, tally(_values(None, config)), hashes={}, contents=())
    before = {name: stamp(path) for name, path in part.files.items()}
    episode = seen(part.source, part.source.read(config), config)
    hashes = {name: hash_file(path) for name, path in part.files.items()}
    changed = [each for each, path in part.files.items() if stamp(path) != before[each]]
    return Examined(
        name=name,
        problems=(*(_changed(each, name) for each in changed), *problems_of(episode, config)),
        frames=0 if episode.table is None else len(kept_frames(len(episode.table), config)),
        tally=tally(_values(episode.table, config)),
        hashes=hashes,
        contents=tuple(_contents(episode.table, hashes)),
    )


def _refused(check: str, message: str) -> Judgement:
    return Judgement(Checked(ok=False, episodes=0, frames=0, hash="", problems=(refuse(check, message),)))


def _part(source: Source, data: Path, tree: Tree) -> Part:
    place = source.path.relative_to(data).as_posix()
    files = {} if source.shares_its_file else _of(place, tree.files)
    return Part(source, files, _of(place, tree.astray))


def _of_no_single_part(tree: Tree, parts: Sequence[Part]) -> dict[str, Path]:
    """Files of several episodes or of none: looked after for all of them at once."""
    looked_after = {name for part in parts for name in part.files}
    return {name: path for name, path in tree.files.items() if name not in looked_after}


def within(name: str, part: Part) -> str:
    """A name in the set as a name in the episode's folder."""
    root = part.source.path.name
    return name.partition(f"{root}/")[2] or root


def _of[Value](place: str, named: Mapping[str, Value]) -> dict[str, Value]:
    return {name: each for name, each in named.items() if name == place or name.startswith(f"{place}/")}


def _astray(tree: Tree, parts: Sequence[Part]) -> tuple[Problem, ...]:
    """What belongs to no episode; a whole episode that is a link is named as one."""
    inside = {name for part in parts for name in part.astray}
    return tuple(
        _stray(name, reason, name.partition("/")[0] if name.startswith("episode_") else None)
        for name, reason in tree.astray.items()
        if name not in inside
    )


def _stray(name: str, reason: str, episode: str | None) -> Problem:
    """`name` is left out where it says no more than the episode's."""
    which = "" if name == episode else f" ({shown(name)})"
    return refuse("astray", reason + which).model_copy(update={"episode": episode and shown(episode)})


def _changed(name: str, episode: str | None) -> Problem:
    message = f"검증하는 동안 파일이 바뀜 ({name.rpartition('/')[2]})"
    return refuse("changing", message).model_copy(update={"episode": episode})


def _values(table: Table | None, config: TrainingConfig) -> np.ndarray:
    """Actions and state (T, A + S) of what remains."""
    if table is None:
        return np.empty((0, len(names_of(config))))
    return kept_rows(np.hstack([table.action, table.state]), config)


def _contents(table: Table | None, hashes: Mapping[str, str]) -> list[str]:
    videos = [
        f"{name.rpartition('/')[2]}:{content}" for name, content in hashes.items() if name.endswith(".mp4")
    ]
    if table is None:
        return videos
    rows = hashlib.sha256(np.hstack([table.action, table.state]).tobytes()).hexdigest()
    return [*videos, f"actions.jsonl:{rows}"]


def _of_the_set(examined: Sequence[Examined], config: TrainingConfig) -> tuple[Problem, ...]:
    if not examined:
        return ()
    total = reduce(add, (each.tally for each in examined))
    return (
        *constant_channels(total, config),
        *saturated(total, config),
        *held(total, config),
        *duplicates({each.name: each.contents for each in examined}, config),
    )
