"""`training-claw drill`: what an operator can choose about it."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from bot.rehearsal.command import Examples
from bot.rehearsal.drill.book import Book, BookUnreadable, tables
from bot.rehearsal.drill.disks import NoDisks, set_apart
from bot.rehearsal.drill.inside import INSIDE
from bot.rehearsal.drill.outside import OUTSIDE
from bot.rehearsal.drill.season import Season
from bot.rehearsal.drill.theatre import AWAY_S, SIZES
from bot.rehearsal.drill.vault import Kind
from bot.rehearsal.processes import CommandFailed

KINDS = tuple(dict.fromkeys(kind.partition(" (")[0] for kind in (*OUTSIDE, *INSIDE)))
_INTERRUPTED = 130


@click.command(
    "drill",
    cls=Examples,
    epilog="""\
  training-claw drill --kills 20
  training-claw drill --kills 300 --minutes 90 --state drill.json   # again: goes on where it was
  training-claw drill --kills 5 --only "kill trainer" --only "clock jump"
  training-claw drill --understudy --kills 1 --only "Discord away" --outage 3600""",
)
@click.option("--kills", type=click.IntRange(0), default=20, show_default=True, help="So many faults in all.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed, the same faults.")
@click.option(
    "--minutes", type=click.FloatRange(0.1), help="Begin no further play after so long, nor a fault."
)
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
@click.option("--epochs", default=SIZES.epochs, show_default=True, help="How long each play trains.")
@click.option(
    "--bucket",
    type=click.Choice(("folder", "gcs")),
    default="folder",
    show_default=True,
    help="A folder, or an embedded Google Cloud Storage.",
)
@click.option(
    "--outage",
    "outage_s",
    type=click.FloatRange(1),
    help="So many seconds Discord and the bucket stay away.  [default: a few]",
)
@click.option(
    "--understudy",
    is_flag=True,
    help="A stand-in plays the trainer: nothing is learned, everything else is real, and quick.",
)
def drill(
    *,
    kills: int,
    seed: int,
    minutes: float | None,
    book_file: Path | None,
    only: tuple[str, ...],
    folder: Path | None,
    epochs: int,
    bucket: Kind,
    outage_s: float | None,
    understudy: bool,
) -> None:
    """Play whole rehearsals under random faults, and see that each comes to the same ending.

    Daemon, trainer and learning are real; Discord is embedded, and so is the bucket. Nothing outside a folder
    of its own is touched: disks that fill up are small ones of its own, the clock put wrong is the daemon's.
    Exit status 0 only if nothing was lost, doubled, or learned otherwise than without faults.
    """
    console = Console(highlight=False)
    disks = _disks(console)
    try:
        book = Book.read(book_file, seed, epochs, understudy=understudy)
        season = Season(
            book=book,
            book_file=book_file,
            place=_place(folder),
            sizes=replace(SIZES, epochs=epochs),
            kinds=only or KINDS,
            understudy=understudy,
            disks=disks,
            console=console,
            bucket=bucket,
            away_s=(outage_s, outage_s) if outage_s else AWAY_S,
        )
        season.play(kills, minutes)
    except (BookUnreadable, CommandFailed) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("interrupted; nothing is left running, what was played to its end is kept", err=True)
        sys.exit(_INTERRUPTED)
    for table in tables(book):
        console.print(table, markup=False)
    sys.exit(0 if book.went_well() else 1)


def _place(folder: Path | None) -> Path:
    place = folder or Path(tempfile.mkdtemp(prefix="training-claw-drill-"))
    place.mkdir(parents=True, exist_ok=True)
    return place.resolve()


def _disks(console: Console) -> bool:
    """Mounts are ours alone from here on, while there is but one thread."""
    try:
        set_apart()
    except NoDisks as error:
        console.print(f"disk full: not played, {error}", style="yellow", markup=False)
        return False
    return True
