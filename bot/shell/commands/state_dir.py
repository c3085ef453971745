"""`--state-dir`, as every command that looks into the daemon's folder takes it."""

from pathlib import Path

import click

STATE_DIR = click.option(
    "--state-dir",
    envvar="STATE_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("/var/lib/training-claw"),
    show_default=True,
    help="The daemon's folder.  [env: STATE_DIR]",
)
