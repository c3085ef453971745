"""The bucket on a terminal: sizes, tables, a bar for what takes long."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager

import click

from bot.shell.bucket.shelf import Listed
from bot.shell.bucket.store import Progress


def size(count: int) -> str:
    """
    >>> size(512), size(612_000_000)
    ('512 B', '612.0 MB')
    """
    amount, units = float(count), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    while amount >= 1000 and unit != "GB":
        amount, unit = amount / 1000, next(units)
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def standing_of(one: Listed) -> str:
    """Whose a checkpoint is, and how it stands there."""
    if not one.ours:
        return "foreign"
    if one.complete:
        return f"cycle {one.cycle}, epoch {one.epoch}, {one.run}"
    return f"superseded by {one.superseded_by}" if one.superseded_by else f"unfinished, {one.run}"


def table(rows: Iterable[tuple[str, ...]]) -> None:
    """Prints columns, each as wide as its widest."""
    lines = tuple(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@contextmanager
def bar(what: str) -> Generator[Progress]:
    """A progress bar on standard error where that is a terminal; nothing elsewhere."""
    from rich.console import Console  # noqa: PLC0415 - half a second that a listing need not wait for
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        task = bars.add_task(what, total=None)

        def show(done_bytes: int, total_bytes: int) -> None:
            bars.update(task, completed=done_bytes, total=total_bytes)

        yield show
