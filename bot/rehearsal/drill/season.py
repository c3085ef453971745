"""Play after play, until there were faults enough or the time is up."""

import asyncio
import shutil
import signal
import time
from collections.abc import Callable, Collection, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.rehearsal.drill import evening
from bot.rehearsal.drill.book import Befallen, Book, Evening
from bot.rehearsal.drill.reckoning import Ending
from bot.rehearsal.drill.theatre import AWAY_S, Programme
from bot.rehearsal.drill.vault import Kind
from bot.rehearsal.processes import CommandFailed, run_trainer
from bot.rehearsal.stage import Sizes
from protocol.paths import ROWS, VIDEO

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Season:
    """`book` is written to `book_file` after each play; `place` is where plays take place."""

    book: Book
    book_file: Path | None
    place: Path
    sizes: Sizes
    kinds: Collection[str]
    understudy: bool
    disks: bool
    console: Console
    bucket: Kind = "folder"
    away_s: tuple[float, float] = AWAY_S

    def play(self, faults: int, minutes: float | None) -> None:
        """
        Raises:
            CommandFailed: not even a play without faults comes to its end.
            KeyboardInterrupt: a signal; nothing is left running.
        """
        until = time.monotonic() + minutes * 60 if minutes else float("inf")
        simulated = self._simulated()
        with self._bar(faults) as told:
            if self.book.undisturbed is None:
                self.book.undisturbed = self._undisturbed(simulated, told)
                self.book.write(self.book_file)
            while self.book.faults < faults and time.monotonic() < until:
                programme = self._programme(simulated, faults - self.book.faults, until)
                self.book.evenings.append(_played(programme, told))
                self.book.write(self.book_file)

    def _undisturbed(self, simulated: Path, told: "Told") -> Ending:
        calm = _played(self._programme(simulated, 0), told)
        if calm.wrong:
            raise CommandFailed(f"a play without faults does not come to its end: {calm.wrong[0]}")
        return calm.ending

    def _programme(self, simulated: Path, faults: int, until: float = float("inf")) -> Programme:
        number = len(self.book.evenings) + 1 if faults else 0
        return Programme(
            number=number,
            seed=self.book.seed,
            folder=self.place / f"play-{number:03d}",
            simulated=simulated,
            sizes=self.sizes,
            faults=faults,
            kinds=self.kinds,
            passed=self.book.points,
            understudy=self.understudy,
            disks=self.disks,
            until=until,
            bucket=self.bucket,
            away_s=self.away_s,
        )

    def _simulated(self) -> Path:
        """The data set, the same for every play; who learns nothing need not see anything."""
        there = self.place / "simulated"
        if not there.exists():
            unfinished = self.place / "simulated.tmp"
            shutil.rmtree(unfinished, ignore_errors=True)
            if self.understudy:
                _pretend(unfinished, self.sizes.episodes)
            else:
                self.console.print(f"simulating {self.sizes.episodes} episodes", style="dim")
                shape = ("--frames", str(self.sizes.frames), "--lead-in", str(self.sizes.lead_in))
                command = ("simulate", str(unfinished), "--episodes", str(self.sizes.episodes), *shape)
                asyncio.run(run_trainer(command))
            unfinished.rename(there)
        return there

    @contextmanager
    def _bar(self, total: int) -> Generator["Told"]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        terminal = self.console.is_terminal
        with Progress(*columns, console=self.console, disable=not terminal) as progress:
            task = progress.add_task("faults", total=total, completed=self.book.faults)

            def told(number: int, one: Befallen | None) -> None:
                play = f"play {number}" if number else "undisturbed"
                progress.update(task, description=play, advance=0 if one is None else 1)
                if one is not None:
                    line = f"{play}: {one.kind} {one.detail} ({one.took_s:.0f} s) {one.wrong}"
                    self.console.print(line, style="red" if one.wrong else "dim", markup=False)
                elif not terminal:
                    self.console.print(play, style="dim")

            yield told


type Told = Callable[[int, Befallen | None], None]


def _pretend(folder: Path, episodes: int) -> None:
    for number in range(episodes):
        episode = folder / f"episode_{number:03d}"
        episode.mkdir(parents=True)
        for name in ("metadata.json", ROWS, f"ego{VIDEO}"):
            (episode / name).write_text(f'{{"number": {number}}}\n', encoding="ascii")


def _played(programme: Programme, told: Told) -> Evening:
    """What a play that went well leaves behind is removed."""
    shutil.rmtree(programme.folder, ignore_errors=True)
    programme.folder.mkdir()
    told(programme.number, None)
    played = asyncio.run(_interruptible(evening.play(programme, lambda one: told(programme.number, one))))
    if not played.wrong and not played.ending.lost and played.all_told:
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
