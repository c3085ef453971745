"""How far the daemon's work is, for the eye: read from the files it leaves, never from what it says."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from bot.rehearsal.discord.news import News
from bot.rehearsal.stage import Stage
from bot.shell.supervising.tail import understood
from protocol.job import Job, read_job
from protocol.progress import Counted, Stepped

TRAINING = "training"

_TAIL_BYTES = 8192
_REFRESH_S = 0.25
_VERBS = {"check": "checking", "convert": "converting", "train": TRAINING}


@dataclass(frozen=True, slots=True)
class Gauge:
    """`done` of `total`; `note` is a short addition."""

    name: str
    done: float
    total: float
    note: str = ""


class Dials:
    """The gauges as they move, read again and again; whoever waits for a mark wakes at it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._epoch = 0.0
        self._news = News()

    async def follow(self, show: Callable[[Gauge], None]) -> None:
        """Show every gauge, until cancelled."""
        while True:
            for gauge in await asyncio.to_thread(lambda: list(gauges(self._stage))):
                show(gauge)
                if gauge.name == TRAINING:
                    self._epoch = gauge.done
            self._news.announce()
            await asyncio.sleep(_REFRESH_S)

    async def until_epoch(self, number: int) -> None:
        """Until training has finished this many epochs."""
        await self._news.until(lambda: self._epoch >= number)


def gauges(stage: Stage) -> Iterator[Gauge]:
    """Every gauge there is a reading for, in the order of the work."""
    for name, episodes in (("simulating", stage.dataset), ("fetching", stage.state)):
        if done := _videos_of_the_newest(episodes):
            yield Gauge(name, done, stage.sizes.episodes)
    for attempt in sorted(stage.runs.glob("*/attempts/*"), key=_number):
        job, line = job_of(attempt), _newest_line(attempt)
        if job is not None and line is not None:
            yield _gauge(_VERBS[job.kind], line)


def _videos_of_the_newest(folder: Path) -> int:
    """How many there are of the data set that was begun last; a later cycle fetches another one."""
    sets = Counter(video.parents[1] for video in folder.glob("**/episode_*/ego.mp4"))
    return sets[max(sets, key=lambda found: found.stat().st_mtime)] if sets else 0


def _gauge(verb: str, line: Counted | Stepped) -> Gauge:
    match line:
        case Counted():
            return Gauge(verb, line.done, line.total)
        case Stepped():
            loss = f"loss {line.loss:.3f}"
            return Gauge(verb, line.epoch, line.epochs, f"{loss}, L1 {line.l1:.3f}")


def _number(attempt: Path) -> int:
    return int(attempt.name) if attempt.name.isdecimal() else 0


def job_of(attempt: Path) -> Job | None:
    """What the attempt was told to do; None while that is not written."""
    try:
        return read_job((attempt / "job.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _newest_line(attempt: Path) -> Counted | Stepped | None:
    """The last reading at the end of `events.jsonl`; a line being written is passed over."""
    try:
        with (attempt / "events.jsonl").open("rb") as events:
            size = events.seek(0, 2)
            events.seek(max(0, size - _TAIL_BYTES))
            tail = events.read().splitlines()
    except OSError:
        return None
    readings = (one for one in map(understood, reversed(tail)) if isinstance(one, Counted | Stepped))
    return next(readings, None)
