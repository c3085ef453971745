"""`training-claw state`: back the database up, put it back, put a damaged one right, make room."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bot.shell.commands.state_dir import STATE_DIR
from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places
from bot.shell.remembering.store import StoreUnusable

if TYPE_CHECKING:
    from bot.shell.machine.tidying import Spare


@click.group("state", context_settings={"help_option_names": ["-h", "--help"]})
def state() -> None:
    """The daemon's folder: back its database up, put it back, put a damaged one right, make room.

    \b
    training-claw state backup /srv/backups/claw.sqlite3     also while the daemon runs
    training-claw state repair                               stop the daemon first
    training-claw state restore /srv/backups/claw.sqlite3    stop the daemon first
    training-claw state tidy --dry-run                       what of finished cycles could go
    """


@state.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@STATE_DIR
def backup(file: Path, state_dir: Path) -> None:
    """Copy the database to FILE, whole, also while the daemon runs.

    \b
    Examples:
      training-claw state backup /srv/backups/claw.sqlite3
      training-claw state backup claw.sqlite3 --state-dir play/state        of a rehearsal
    """
    from bot.shell.remembering import upkeep  # noqa: PLC0415

    try:
        upkeep.back_up(Places(state_dir).database, file)
    except StoreUnusable as error:
        _refuse("backup", error)
    click.echo(f"{file}: {file.stat().st_size} bytes, whole")


@state.command()
@STATE_DIR
def repair(state_dir: Path) -> None:
    """Save what can still be read of a damaged database. The damaged file is kept.

    \b
    Examples (stop the daemon first):
      sudo systemctl stop training-claw
      sudo -u training-claw training-claw state repair
    """
    from bot.shell.remembering import upkeep  # noqa: PLC0415

    places = Places(state_dir)
    if not places.database.is_file():
        _refuse("repair", StoreUnusable(f"{places.database} does not exist: name the folder by --state-dir"))
    try:
        with _alone(places):
            if upkeep.is_whole(places.database):
                click.echo(f"{places.database} is whole; nothing was done")
                return
            done = upkeep.repair(places.database, _stamp())
    except (StoreUnusable, Fatal) as error:
        _refuse("repair", error)
    click.echo("saved: " + ", ".join(f"{table} {count}" for table, count in done.saved.items()))
    if done.cut_short:
        click.echo(f"cut short: {', '.join(done.cut_short)}; some rows are lost, a recent backup is better")
    click.echo(f"the damaged file is kept as {done.kept}")


@state.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@STATE_DIR
def restore(file: Path, state_dir: Path) -> None:
    """Put the backup FILE in the database's place. FILE stays, and what was there is kept beside it.

    What was said and done since the backup is forgotten; the channel is read anew.

    \b
    Examples (stop the daemon first):
      sudo systemctl stop training-claw
      sudo -u training-claw training-claw state restore /srv/backups/claw.sqlite3
    """
    from bot.shell.remembering import upkeep  # noqa: PLC0415

    database = Places(state_dir).database
    try:
        if not state_dir.is_dir():
            raise StoreUnusable(f"{state_dir} does not exist: name the daemon's folder by --state-dir")
        with _alone(Places(state_dir)):
            kept = upkeep.restore(database, file, _stamp())
    except (StoreUnusable, Fatal) as error:
        _refuse("restore", error)
    click.echo(f"{database} is {file} now")
    click.echo(f"what was there is kept as {kept}" if kept else "nothing was there before")


@contextmanager
def _alone(places: Places) -> Generator[None]:
    """Raises StoreUnusable: the daemon runs."""
    from bot.shell.machine.solitude import Taken, alone  # noqa: PLC0415

    try:
        with alone(places):
            yield
    except Taken:
        raise StoreUnusable(
            f"the daemon works in {places.path}; `sudo systemctl stop training-claw` first, then again"
        ) from None


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}"


@state.command()
@click.option(
    "--days", default=14, show_default=True, type=click.IntRange(0, 36_500), help="Untouched for so long."
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@STATE_DIR
def tidy(days: int, dry_run: bool, state_dir: Path) -> None:
    """Remove data sets and converted files of finished cycles. Both can be made again from the bucket.

    What the open cycle or the queue names stays, and so does every checkpoint.

    \b
    Examples:
      training-claw state tidy --dry-run            what would go, and how much room it would make
      training-claw state tidy                      remove what nobody has touched for 14 days
      training-claw state tidy --days 0             remove all that may go
    """
    from bot.shell.machine import tidying  # noqa: PLC0415
    from bot.shell.outlook.looking import state_in  # noqa: PLC0415

    places = Places(state_dir)
    try:
        found = tidying.spare(places, state_in(places), datetime.now(UTC), timedelta(days=days))
    except (StoreUnusable, OSError) as error:
        _refuse("tidy", error)
    gone: list[Spare] = []
    for one in found:
        if dry_run or _is_cleared(one):  # one that cannot go keeps no other
            gone.append(one)
            click.echo(f"{'would go' if dry_run else 'gone'}: {one.path} ({one.size_bytes / 1e9:.1f} GB)")
    freed = sum(one.size_bytes for one in gone)
    click.echo(f"{freed / 1e9:.1f} GB {'could be freed' if dry_run else 'freed'}")
    if len(gone) < len(found):
        sys.exit(1)


def _is_cleared(one: "Spare") -> bool:
    from bot.shell.machine import tidying  # noqa: PLC0415

    try:
        tidying.clear(one)
    except OSError as error:
        where, why = error.filename or one.path, error.strerror or error
        told = f"training-claw state tidy: {where}: {why}; correct its owner, or remove it by hand"
        click.echo(told, err=True)
        return False
    return True


def _refuse(verb: str, error: Exception) -> NoReturn:
    click.echo(f"training-claw state {verb}: {error}", err=True)
    sys.exit(1)
