"""What a person can do something about is said in one line."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from protocol.job import EXIT_OF_FAILURE, ExitCode
from trainer.process.attempt import JobError


@contextmanager
def one_line_errors(place: Path | None = None) -> Iterator[None]:
    """Ends the process, with the exit code that goes with what was said.

    `place` is what is written: what the system says of a write does not name it.
    """
    try:
        yield
    except JobError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_OF_FAILURE[error.failed.failure])
    except BrokenPipeError:  # who read us has seen enough
        raise
    except OSError as error:
        where = f"{error.filename or place}: " if error.filename or place else ""
        click.echo(f"error: {where}{error.strerror or error}", err=True)
        _let_go_of_output()
        sys.exit(ExitCode.NO_SPACE if error.errno == errno.ENOSPC else ExitCode.FAILED)


def _let_go_of_output() -> None:
    """Else Python tries the rest once more as it ends, and tells of that with two lines of its own.

    Bot and trainer each have this: they share nothing but a language that touches no file.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
