"""What the onlooker sees: the channel in colours, bars for what is under way, and the verdict.

Not at a terminal it is plain lines: no bars, no colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from bot.rehearsal.cast import Person, short_name
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.gauges import Gauge
from bot.rehearsal.judging.judge import Act, passed
from bot.rehearsal.players.numbers import Numbers
from bot.rehearsal.stage import TIMEZONE
from protocol.roster import MENTION

_COLOURS = {
    "Watcher": "cyan",
    "Developer": "yellow",
    "DomainExpert": "magenta",
    "Training": "green",
    "Evaluation": "blue",
    "operator": "bright_white",
}


SUBTEXT = "-# "
"""Discord's mark of small print."""


@dataclass(frozen=True, slots=True)
class Review:
    """How the play went, and where to look."""

    acts: Sequence[Act]
    numbers: Numbers | None
    took: timedelta
    loss_curve: Path | None
    folder: Path | None
    transcript: Path | None


class Onlooker:
    """A console to watch the rehearsal on; use it as a context, for its bars."""

    def __init__(self, cast: Sequence[Person], console: Console | None = None) -> None:
        self._names = {person.id: short_name(person) for person in cast}
        self._console = console or Console(highlight=False)
        self._bars = Progress(
            TextColumn("{task.description:>10}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:.0f}/{task.total:.0f}", table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[note]}", table_column=Column(no_wrap=True)),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def note(self, text: str) -> None:
        """A line about the rehearsal itself."""
        self._print(Text(f"— {text}", style="dim"))

    def said(self, entry: Entry) -> None:
        """A message of the channel, mentions shown as names."""
        name = self._names.get(entry.author_id, entry.author)
        colour = _COLOURS.get(name, "white")
        lines = self._readable(entry.content).splitlines() or [""]
        for number, line in enumerate(lines):
            who = f"{name}{' (edit)' if entry.edited else ''}" if number == 0 else ""
            clock = f"{entry.time.astimezone(ZoneInfo(TIMEZONE)):%H:%M:%S}" if number == 0 else ""
            small = line.startswith(SUBTEXT)
            said = (line.removeprefix(SUBTEXT), "dim") if small else (line, colour)
            self._print(Text.assemble((f"{clock:8} ", "dim"), (f"{who:>12} ", f"bold {colour}"), said))
        for filename in entry.attachments:
            self._print(Text(f"{'':22}📎 {filename}", style="dim"))

    def gauge(self, gauge: Gauge) -> None:
        """Move a bar, putting it up at its first reading."""
        if gauge.name not in self._tasks:
            self._tasks[gauge.name] = self._bars.add_task(gauge.name, total=gauge.total, note="")
        self._bars.update(self._tasks[gauge.name], completed=gauge.done, total=gauge.total, note=gauge.note)

    def verdict(self, review: Review) -> None:
        """Every act, the three numbers, the time, and where things lie."""
        self._print(Text())
        if self._console.is_terminal:
            self._console.print(_table(review.acts))
        else:
            for act in review.acts:
                self._print(Text(f"{_mark(act)} {act.name}: {act.evidence}"))
        for line in _closing(review):
            self._print(Text(line))
        won = passed(review.acts)
        self._print(Text("PASSED" if won else "FAILED", style="bold green" if won else "bold red"))

    def _readable(self, content: str) -> str:
        return MENTION.sub(lambda found: f"@{self._names.get(int(found['id']), found['id'])}", content)

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._console.is_terminal)


def _table(acts: Sequence[Act]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    for act in acts:
        table.add_row(_mark(act), Text(act.name), Text(act.evidence))
    return table


def _mark(act: Act) -> str:
    return "✅" if act.passed else "❌"


def _closing(review: Review) -> list[str]:
    lines: list[str] = []
    if review.numbers is not None:
        lines.append(
            f"L1 last/first epoch {review.numbers.remaining_l1:.2f}"
            f" · better than the mean action {review.numbers.better_than_mean:.1%}"
            f" · better than on blanked pictures {review.numbers.better_than_blank:.1%}"
        )
    lines.append(f"took {review.took.total_seconds():.0f} s")
    named = {"loss curve": review.loss_curve, "transcript": review.transcript, "everything": review.folder}
    return [*lines, *(f"{name}: {path}" for name, path in named.items() if path is not None)]
