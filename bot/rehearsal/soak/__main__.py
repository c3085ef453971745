"""`python -m bot.rehearsal.soak`: many messages in and out of the real daemon, with faults and kills.

The daemon is a process of its own, killed with SIGKILL now and then; the embedded Discord misbehaves at
random, but by a seed, so that a run can be repeated. What is asked must be answered once, and in order.
"""

import asyncio
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.rehearsal.soak.legs import Course, Stretch, runner
from bot.rehearsal.soak.tally import Leg, at_share, growth_kb, longest_life
from bot.rehearsal.soak.thermometer import Reading, read_readings

_COURSE = TypeAdapter(Course)
GROWTH_KB = 1024


class Logbook:
    """The legs of a soak that are behind us, in its folder."""

    def __init__(self, folder: Path, course: Course) -> None:
        """Raises click.UsageError if the folder is another soak's."""
        self._path = folder / "legs.jsonl"
        head = folder / "course.json"
        folder.mkdir(parents=True, exist_ok=True)
        if head.exists() and _COURSE.validate_json(head.read_bytes()) != course:
            raise click.UsageError(
                f"{folder} is another soak's ({head}): name another folder, or its options"
            )
        head.write_bytes(_COURSE.dump_json(course))

    def legs(self) -> list[Leg]:
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        return list(_whole(lines))

    def add(self, leg: Leg) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{leg.model_dump_json()}\n")


def _whole(lines: Sequence[str]) -> Iterator[Leg]:
    for line in lines:
        try:
            yield Leg.model_validate_json(line)
        except ValidationError:  # half a line, of a soak that was killed
            return


async def soak(folder: Path, course: Course, log: Logbook, progress: Progress) -> None:
    """Go on with the first leg that is not behind us; stop at the first that loses something."""
    done = len(log.legs())
    ahead = [one for one in course.legs() if one.number >= done]
    task = progress.add_task("asked", total=course.messages + course.throttled)
    if not ahead:
        return
    async with runner(folder, course) as runs:
        for stretch in ahead:
            leg = await runs.run(stretch, lambda asked: progress.update(task, completed=asked))
            log.add(leg)
            progress.console.print(_line(stretch, leg), highlight=False)
            if leg.lost:
                return


def _line(stretch: Stretch, leg: Leg) -> str:
    median, p99 = (at_share(leg.waits_ms, share) for share in (0.5, 0.99))
    return (
        f"{stretch.questions.start:6}-{stretch.questions.stop - 1:<6} lost {len(leg.lost)}, "
        f"doubled {leg.doubled}, out of order {leg.out_of_order}, kills {leg.kills}, faults {leg.faults}, "
        f"p50 {median:.0f} ms, p99 {p99:.0f} ms, {leg.asked / max(leg.took_s, 0.1):.1f}/s, {leg.rss_kb} kB, "
        f"{leg.descriptors} descriptors"
    )


def summary(legs: Sequence[Leg], readings: Sequence[Reading]) -> dict[str, str]:
    """What it all adds up to, in words."""
    open_legs, throttled = [one for one in legs if not one.throttled], [one for one in legs if one.throttled]
    waits = sorted(chain.from_iterable(one.waits_ms for one in open_legs))
    calm = sorted(chain.from_iterable(one.waits_ms for one in open_legs if not one.kills))
    lags = sorted(chain.from_iterable(one.lags_ms for one in readings))
    life = longest_life(legs)
    grew = growth_kb(life)
    descriptors = [one.descriptors for one in life]
    return {
        "asked": f"{sum(one.asked for one in legs)}, {sum(one.asked for one in throttled)} of them 5 in 5 s",
        "faults, kills": f"{sum(one.faults for one in legs)}, {sum(one.kills for one in legs)}",
        "lost": f"{sum(len(one.lost) for one in legs)}",
        "doubled": f"{sum(one.doubled for one in legs)}",
        "out of order": f"{sum(one.out_of_order for one in legs)}",
        "429 under 5 in 5 s": f"{sum(one.refused for one in throttled)}",
        "message to answer": f"{_spread(waits)}; in legs without a kill {_spread(calm)}",
        "event loop late": f"{_spread(lags)}, {len(lags)} samples",
        "RSS": "too short to say"
        if grew is None
        else f"{grew:+.0f} kB a thousand messages, over the last {sum(one.asked for one in life)} of one life"
        f" ({life[0].rss_kb} to {life[-1].rss_kb} kB)",
        "descriptors": f"{min(descriptors)} to {max(descriptors)}, each time all was answered",
    }


def _spread(ordered_ms: Sequence[float]) -> str:
    median, p99 = at_share(ordered_ms, 0.5), at_share(ordered_ms, 0.99)
    return f"p50 {median:.0f} ms, p99 {p99:.0f} ms, max {ordered_ms[-1] if ordered_ms else 0:.0f} ms"


def _well(legs: Sequence[Leg], course: Course) -> bool:
    complete = sum(one.asked for one in legs) == course.messages + course.throttled
    clean = not any(one.lost or one.doubled or one.out_of_order for one in legs)
    return complete and clean and (growth_kb(longest_life(legs)) or 0.0) <= GROWTH_KB


@contextmanager
def _place(folder: Path | None) -> Generator[Path]:
    if folder is not None:
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="claw-soak-") as made:
        yield Path(made)


@click.command(
    epilog="""\b
Examples:
  python -m bot.rehearsal.soak --messages 500 --kills 2
  python -m bot.rehearsal.soak --folder ~/soak          # begun again, it goes on where it was

Exit codes: 0 nothing lost, doubled or out of order, and RSS grew by at most 1 MB a thousand messages;
1 otherwise."""
)
@click.option("--messages", default=10_000, show_default=True, help="How many questions are asked.")
@click.option("--throttled", default=200, show_default=True, help="How many more under Discord's 5 in 5 s.")
@click.option("--kills", default=20, show_default=True, help="How often the daemon is killed in between.")
@click.option(
    "--faults", default=0.01, show_default=True, help="The share of questions that a fault follows."
)
@click.option("--seed", default=0, show_default=True, help="The same seed, the same faults.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep it, and go on in it if begun."
)
def main(messages: int, throttled: int, kills: int, faults: float, seed: int, folder: Path | None) -> None:
    """Ask, misbehave, count."""
    course = Course(messages=messages, throttled=throttled, kills=kills, faults=faults, seed=seed)
    columns = (
        *Progress.get_default_columns()[:2],
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn(""),
    )
    with _place(folder) as place:
        log = Logbook(place, course)
        with Progress(*columns) as progress:
            asyncio.run(soak(place, course, log, progress))
        legs = log.legs()
        for name, value in summary(legs, list(read_readings(place / "readings.jsonl"))).items():
            click.echo(f"{name}: {value}")
    sys.exit(not _well(legs, course))


if __name__ == "__main__":
    main()
