"""The quick part of a check: rows, metadata, and what every file of an episode is by its content.

No picture is decoded here, and neither torch nor LeRobot is imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from protocol.job import Problem
from protocol.training import TrainingConfig
from trainer.data.episode import Episode, Source, refuse
from trainer.data.fingerprint import Stamp, hash_file, stamp
from trainer.data.tree import Tree, shown


@dataclass(frozen=True)
class Part:
    """An episode and what belongs to it of the set's files and of the names that lead out of the set."""

    source: Source
    files: Mapping[str, Path]
    astray: Mapping[str, str]


@dataclass(frozen=True)
class Reading:
    """What was read of a part: `stamps` are its files' before that, `hashes` name their content."""

    part: Part
    episode: Episode
    stamps: Mapping[str, Stamp]
    hashes: Mapping[str, str]


def part_of(source: Source, data: Path, tree: Tree) -> Part:
    place = source.path.relative_to(data).as_posix()
    files = {} if source.shares_its_file else _of(place, tree.files)
    return Part(source, files, _of(place, tree.astray))


def read_part(config: TrainingConfig, part: Part) -> Reading:
    """What leads out of the set is not trusted, nor is anything beside it."""
    name = part.source.name
    if part.astray:
        damage = tuple(stray(_within(place, part), why, name) for place, why in part.astray.items())
        return Reading(part, Episode(name, damage=damage), {}, {})
    stamps = {each: stamp(path) for each, path in part.files.items()}
    episode = part.source.read(config)
    return Reading(part, episode, stamps, {each: hash_file(path) for each, path in part.files.items()})


def stray(name: str, reason: str, episode: str | None) -> Problem:
    """`name` is left out where it says no more than the episode's."""
    which = "" if name == episode else f" ({shown(name)})"
    return refuse("astray", reason + which).model_copy(update={"episode": episode and shown(episode)})


def changed(name: str, episode: str | None) -> Problem:
    message = f"검증하는 동안 파일이 바뀜 ({name.rpartition('/')[2]})"
    return refuse("changing", message).model_copy(update={"episode": episode})


def _within(name: str, part: Part) -> str:
    """A name in the set as a name in the episode's folder."""
    root = part.source.path.name
    return name.partition(f"{root}/")[2] or root


def _of[Value](place: str, named: Mapping[str, Value]) -> dict[str, Value]:
    return {name: each for name, each in named.items() if name == place or name.startswith(f"{place}/")}
