"""A job a person started by hand: it runs as a process of its own, and here one sees how far it is."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from protocol.folders import AttemptFolder
from protocol.job import read_outcome
from protocol.progress import Counted, Stepped, read_line

LOOK_EVERY_S = 0.5


def run_watched(job: Path, options: Sequence[str] = ()) -> int:
    """Do the job in `job`, with a bar on a terminal; Ctrl-C lets it save and leave. Gives its exit code."""
    folder = AttemptFolder(job.absolute().parent)
    command = [sys.executable, "-m", "trainer", "run", str(job), *options]
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    code = _watch(process, folder)
    if folder.outcome.exists():
        click.echo(read_outcome(folder.outcome.read_bytes()).model_dump_json())
    return code


def _watch(process: subprocess.Popen[bytes], folder: AttemptFolder) -> int:
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        lines = _lines(folder.events)
        while True:
            try:
                for line in lines:
                    if line is None:
                        break
                    description, done, total = line
                    bar.update(task, description=description, completed=done, total=total)
                return process.wait(LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                continue
            except KeyboardInterrupt:
                bar.update(task, description="saving, then leaving")
                process.send_signal(signal.SIGTERM)


def _lines(events: Path) -> Iterator[tuple[str, int, int] | None]:
    """How far each line says it is; None when there is no further one yet. A half line waits for its rest."""
    offset = 0
    while True:
        news = b"" if not events.exists() else _after(events, offset)
        whole, _, _ = news.rpartition(b"\n")
        offset += len(whole) + 1 if whole else 0
        for raw in whole.splitlines():
            match read_line(raw):
                case Counted(done=done, total=total, unit=unit):
                    yield f"{unit}s", done, total
                case Stepped(epoch=epoch, epochs=epochs, loss=loss):
                    yield f"epoch, loss {loss:.4g}", epoch, epochs
                case _:
                    pass
        yield None


def _after(events: Path, offset: int) -> bytes:
    with events.open("rb") as file:
        file.seek(offset)
        return file.read()
