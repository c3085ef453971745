"""`training-claw state`: back the database up, put a damaged one right, make room."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import click

from bot.shell.commands.state_dir import STATE_DIR
from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places
from bot.shell.remembering.store import StoreUnusable


@click.group("state", context_settings={"help_option_names": ["-h", "--help"]})
def state() -> None:
    """The daemon's folder: back its database up, put a damaged one right, make room.

    \b
    training-claw state backup /srv/backups/claw.sqlite3     also while the daemon runs
    training-claw state repair                               stop the daemon first
    training-claw state tidy --dry-run                       what of finished cycles could go
    """


@state.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@STATE_DIR
def backup(file: Path, state_dir: Path) -> None:
    """Copy the database to FILE, whole, also while the daemon runs."""
    from bot.shell.remembering import upkeep  # noqa: PLC0415

    try:
        upkeep.back_up(Places(state_dir).database, file)
    except StoreUnusable as error:
        _refuse("backup", error)
    click.echo(f"{file}: {file.stat().st_size} bytes, whole")


@state.command()
@STATE_DIR
def repair(state_dir: Path) -> None:
    """Save what can still be read of a damaged database. The damaged file is kept."""
    from bot.shell.machine.solitude import alone  # noqa: PLC0415
    from bot.shell.remembering import upkeep  # noqa: PLC0415

    places = Places(state_dir)
    if not places.database.is_file():
        _refuse("repair", StoreUnusable(f"{places.database} does not exist: name the folder by --state-dir"))
    try:
        with alone(places):
            if upkeep.is_whole(places.database):
                click.echo(f"{places.database} is whole; nothing was done")
                return
            done = upkeep.repair(places.database, f"{datetime.now(UTC):%Y%m%dT%H%M%S}")
    except (StoreUnusable, Fatal) as error:
        _refuse("repair", error)
    click.echo("saved: " + ", ".join(f"{table} {count}" for table, count in done.saved.items()))
    if done.cut_short:
        click.echo(f"cut short: {', '.join(done.cut_short)}; some rows are lost, a recent backup is better")
    click.echo(f"the damaged file is kept as {done.kept}")


@state.command()
@click.option("--days", default=14, show_default=True, type=click.IntRange(0), help="Untouched for so long.")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@STATE_DIR
def tidy(days: int, dry_run: bool, state_dir: Path) -> None:
    """Remove data sets and converted files of finished cycles. Both can be made again from the bucket.

    What the open cycle or the queue names stays, and so does every checkpoint.
    """
    from bot.shell.machine import tidying  # noqa: PLC0415
    from bot.shell.outlook.looking import state_in  # noqa: PLC0415

    places = Places(state_dir)
    try:
        found = tidying.spare(places, state_in(places), datetime.now(UTC), timedelta(days=days))
        for one in found:
            if not dry_run:
                tidying.clear(one)
            click.echo(f"{'would go' if dry_run else 'gone'}: {one.path} ({one.size_bytes / 1e9:.1f} GB)")
    except (StoreUnusable, OSError) as error:
        _refuse("tidy", error)
    freed = sum(one.size_bytes for one in found)
    click.echo(f"{freed / 1e9:.1f} GB {'could be freed' if dry_run else 'freed'}")


def _refuse(verb: str, error: Exception) -> NoReturn:
    click.echo(f"training-claw state {verb}: {error}", err=True)
    sys.exit(1)
