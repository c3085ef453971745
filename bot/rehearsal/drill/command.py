"""`training-claw drill`: what an operator can choose about it."""

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.rehearsal.command import Examples
from bot.rehearsal.drill import evening
from bot.rehearsal.drill.book import Befallen, Book, BookUnreadable, Evening, tables
from bot.rehearsal.drill.disks import NoDisks, set_apart
from bot.rehearsal.drill.evening import Programme
from bot.rehearsal.drill.inside import INSIDE
from bot.rehearsal.drill.outside import OUTSIDE
from bot.rehearsal.drill.theatre import SIZES
from bot.rehearsal.processes import CommandFailed, run_trainer

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KINDS = tuple(dict.fromkeys(kind.partition(" (")[0] for kind in (*OUTSIDE, *INSIDE)))


@click.command(
    "drill",
    cls=Examples,
    epilog="""\
  training-claw drill --kills 20
  training-claw drill --kills 300 --minutes 90 --state drill.json   # again: goes on where it was
  training-claw drill --kills 5 --only "kill trainer" --only "clock jump\"""",
)
@click.option("--kills", type=click.IntRange(0), default=20, show_default=True, help="So many faults in all.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed, the same faults.")
@click.option("--minutes", type=click.FloatRange(0.1), help="Begin no further play after so long.")
@click.option(
    "--state",
    "book_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep what is known in this file after each play, and go on from it.",
)
@click.option("--only", "only", multiple=True, type=click.Choice(KINDS), help="Only faults of this kind.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where plays that went wrong leave their logs.  [default: a temporary folder]",
)
def drill(
    *,
    kills: int,
    seed: int,
    minutes: float | None,
    book_file: Path | None,
    only: tuple[str, ...],
    folder: Path | None,
) -> None:
    """Play whole rehearsals under random faults, and see that each comes to the same ending.

    Daemon, trainer and learning are real; Discord is embedded, the bucket a folder. Nothing outside a folder
    of its own is touched: disks that fill up are small ones of its own, the clock put wrong is the daemon's.
    Exit status 0 only if nothing was lost, doubled, or learned otherwise than without faults.
    """
    console = Console(highlight=False)
    disks = _disks(console)
    try:
        book = Book.read(book_file, seed)
        place = folder or Path(tempfile.mkdtemp(prefix="training-claw-drill-"))
        place.mkdir(parents=True, exist_ok=True)
        _drill(book, book_file, place.resolve(), kills, minutes, only or KINDS, disks=disks, console=console)
    except (BookUnreadable, CommandFailed) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("interrupted; nothing is left running, what was played to its end is kept", err=True)
        sys.exit(130)
    for table in tables(book):
        console.print(table, markup=False)
    sys.exit(0 if book.went_well() else 1)


def _drill(
    book: Book,
    book_file: Path | None,
    place: Path,
    kills: int,
    minutes: float | None,
    kinds: tuple[str, ...],
    *,
    disks: bool,
    console: Console,
) -> None:
    until = time.monotonic() + minutes * 60 if minutes else float("inf")
    simulated = _simulated(place, console)
    with _bar(console, kills) as told:
        if book.undisturbed is None:
            told("undisturbed", book.faults, None)
            calm = _play(_programme(book, place, simulated, 0, (), disks=disks), lambda _: None)
            if calm.wrong:
                raise CommandFailed(f"a play without faults does not come to its end: {calm.wrong[0]}")
            book.undisturbed = calm.ending
            book.write(book_file)
        while book.faults < kills and time.monotonic() < until:
            programme = _programme(book, place, simulated, kills - book.faults, kinds, disks=disks)
            counted = count(book.faults + 1)
            what = f"play {programme.number}"
            book.evenings.append(_play(programme, partial(_tell, told, what, counted)))
            book.write(book_file)


def _tell(told: "Told", what: str, counted: Iterator[int], one: Befallen) -> None:
    told(what, next(counted), one)


def _programme(
    book: Book, place: Path, simulated: Path, faults: int, kinds: tuple[str, ...], *, disks: bool
) -> Programme:
    number = len(book.evenings) + 1 if faults else 0
    folder = place / f"play-{number:03d}"
    return Programme(number, book.seed, folder, simulated, faults, kinds, book.points, disks)


def _play(programme: Programme, shown: Callable[[Befallen], None]) -> Evening:
    shutil.rmtree(programme.folder, ignore_errors=True)
    programme.folder.mkdir()
    played = asyncio.run(_interruptible(evening.play(programme, shown)))
    if not played.wrong and not played.ending.lost:
        shutil.rmtree(programme.folder, ignore_errors=True)
    return played


async def _interruptible(playing: Coroutine[Any, Any, Evening]) -> Evening:
    """Whatever ends us, first everything we started is ended.

    Raises:
        KeyboardInterrupt: it was a signal.
    """
    task = asyncio.create_task(playing)
    for number in ENDING_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _simulated(place: Path, console: Console) -> Path:
    """The data set, the same for every play."""
    there = place / "simulated"
    if not there.exists():
        console.print(f"simulating {SIZES.episodes} episodes", style="dim")
        shape = ("--frames", str(SIZES.frames), "--lead-in", str(SIZES.lead_in))
        unfinished = place / "simulated.tmp"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = ("simulate", str(unfinished), "--episodes", str(SIZES.episodes), *shape)
        asyncio.run(run_trainer(command))
        unfinished.rename(there)
    return there


def _disks(console: Console) -> bool:
    try:
        set_apart()
    except NoDisks as error:
        console.print(f"disk full: not played, {error}", style="yellow", markup=False)
        return False
    return True


type Told = Callable[[str, int, Befallen | None], None]


@contextmanager
def _bar(console: Console, total: int) -> Generator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("faults", total=total)

        def told(what: str, done: int, one: Befallen | None) -> None:
            progress.update(task, description=what, completed=done)
            if one is not None:
                line = f"{what}: {one.kind} {one.detail} ({one.took_s:.0f} s) {one.wrong}"
                progress.console.print(line, style="red" if one.wrong else "dim", markup=False)
            elif not console.is_terminal:
                console.print(what, style="dim")

        yield told
