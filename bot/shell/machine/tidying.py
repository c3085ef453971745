"""Making room: what can be fetched or made again goes once nobody needs it. Checkpoints stay.

Of a cycle that is over that is the local copy of its data set, which came from the bucket, what was seen in
it, and the converted file in its run's folder, or the draft of one. What the open cycle or the queue names
stays, whatever its age.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.core.state import Awaited, State
from bot.shell.machine.places import Places

LEAVING = ".leaving-"


@dataclass(frozen=True, slots=True)
class Spare:
    """`path` is a file or a folder, `size_bytes` all that is in it."""

    path: Path
    size_bytes: int


def spare(places: Places, state: State, now: datetime, age: timedelta) -> tuple[Spare, ...]:
    """What nobody has needed or changed for `age`; what an interrupted tidying left, at any age.

    A link stays: what somebody has put elsewhere is theirs to remove.
    """
    last = (now - age).timestamp()
    needed = _needed(places, state)
    return tuple(
        Spare(path, _size(path))
        for path in _candidates(places)
        if path.name.startswith(LEAVING) or (path not in needed and _is_untouched_since(path, last))
    )


def clear(one: Spare) -> None:
    """Away at once or not at all: whoever looks at the path meanwhile finds all of it, or nothing."""
    leaving = one.path
    if not leaving.name.startswith(LEAVING):
        leaving = leaving.with_name(LEAVING + leaving.name)
        os.replace(one.path, leaving)  # noqa: PTH105  may be a folder
    if leaving.is_dir() and not leaving.is_symlink():
        shutil.rmtree(leaving)
    else:
        leaving.unlink()


def _candidates(places: Places) -> Iterator[Path]:
    yield from sorted((places.path / "dataset").glob("*"))
    yield from sorted((places.path / "runs").glob("*/data.h5"))
    yield from sorted((places.path / "runs").glob("*/.data.h5.*"))
    yield from sorted((places.path / "runs").glob("*/surveys"))
    yield from sorted((places.path / "runs").glob(f"*/{LEAVING}*"))


def _is_untouched_since(path: Path, last: float) -> bool:
    """Is it no link, and was last changed before `last`? What has gone meanwhile is nothing to remove."""
    try:
        return not path.is_symlink() and path.stat().st_mtime < last
    except FileNotFoundError:
        return False


def _needed(places: Places, state: State) -> set[Path]:
    waiting = {one.handoff.data for one in state.queue if one.handoff.data}
    cycle = state.cycle
    if cycle is None:
        return {places.dataset(source) for source in waiting}
    sources = waiting if isinstance(cycle.data, Awaited) else {*waiting, cycle.data.source}
    run = places.run(cycle.run_name)
    drafts = run.path.glob(".data.h5.*")
    return {run.data, run.surveys, *drafts, *(places.dataset(source) for source in sources)}


def _size(path: Path) -> int:
    """Sparse files count as what they take."""
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(each.stat().st_blocks * 512 for each in files if each.is_file())
