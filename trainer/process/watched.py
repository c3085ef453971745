"""A job a person started by hand: it runs as a process of its own, and here one sees how far it is."""

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import click
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from protocol.folders import AttemptFolder
from protocol.job import Failed, read_job, read_outcome
from protocol.progress import Counted, Line, Stepped, read_line
from trainer.process.attempt import JobError
from trainer.process.misfit import in_one_line

LOOK_EVERY_S = 0.5


def run_watched(job: Path, options: Sequence[str] = ()) -> int:
    """Do the job in `job`, with a bar on a terminal; Ctrl-C lets it save and leave. Gives its exit code.

    Raises:
        JobError("bad_job"): the attempt has ended, or says nothing that can be done; it is left as it was.
    """
    folder = AttemptFolder(job.absolute().parent)
    following = next_attempt(job, options)
    _must_be_ahead(job, folder, following)
    command = [sys.executable, "-m", "trainer", "run", str(job), *options]
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    code = _watch(process, folder)
    if folder.outcome.exists():
        outcome = read_outcome(folder.outcome.read_bytes())
        click.echo(outcome.model_dump_json())
        if isinstance(outcome, Failed):
            click.echo(f"the next attempt: {following}", err=True)
    return code


def next_attempt(job: Path, options: Sequence[str] = ()) -> str:
    """The command that does `job` again, in the next free folder beside its own: one attempt, one folder."""
    folder = job.absolute().parent
    stem, first = ("", int(folder.name) + 1) if folder.name.isdecimal() else (f"{folder.name}-", 2)
    free = next(new for n in count(first) if not (new := folder.with_name(f"{stem}{n}")).exists())
    made, copied = ["mkdir", _short(free)], ["cp", _short(job), _short(free / job.name)]
    done = ["training-claw", "train", _short(free / job.name), *options]
    return " && ".join(shlex.join(each) for each in (made, copied, done))


def _short(path: Path) -> str:
    """As somebody who stands here would write it."""
    whole, here = path.absolute(), Path.cwd()
    return str(whole.relative_to(here) if whole.is_relative_to(here) else whole)


def _must_be_ahead(job: Path, folder: AttemptFolder, following: str) -> None:
    """Raises JobError("bad_job"). A slip of the pen is seen before the attempt begins, and uses none up."""
    if folder.outcome.exists():
        raise JobError(
            "bad_job", f"{_short(folder.path)}: {_how_it_ended(folder)}; the next one: {following}"
        )
    try:
        read_job(job.read_bytes())
    except ValidationError as error:
        raise JobError(
            "bad_job", f"{_short(job)}: {in_one_line(error)}; put it right and try again"
        ) from None


def _how_it_ended(folder: AttemptFolder) -> str:
    try:
        outcome = read_outcome(folder.outcome.read_bytes())
    except ValidationError:
        return f"this attempt has ended, but {folder.outcome.name} cannot be read"
    if isinstance(outcome, Failed):
        return f"this attempt has failed: {outcome.message}"
    return f"this attempt has ended well ({outcome.kind})"


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
            match _understood(raw):
                case Counted(done=done, total=total, unit=unit):
                    yield f"{unit}s", done, total
                case Stepped(epoch=epoch, epochs=epochs, loss=loss):
                    yield f"epoch, loss {loss:.4g}", epoch, epochs
                case _:
                    pass
        yield None


def _understood(raw: bytes) -> Line | None:
    """None for what is no line of ours: it is only looked at, and the job goes on."""
    try:
        return read_line(raw)
    except ValidationError:
        return None


def _after(events: Path, offset: int) -> bytes:
    with events.open("rb") as file:
        file.seek(offset)
        return file.read()
