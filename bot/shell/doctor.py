"""`training-claw doctor`: everything the daemon will need, looked at before it needs it."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import click

from bot.shell.bucket.probing import Finding

WORDS = {"fine": "ok  ", "warning": "warn", "fault": "FIX "}
COLOURS = {"fine": "green", "warning": "yellow", "fault": "red"}


@click.command(
    epilog="""\b
Examples:
  training-claw doctor --env-file /etc/training-claw/training-claw.env
  training-claw doctor --quick

Each line is ok, warn, or FIX with the next step. Nothing is changed; writing to the bucket is tried at
checkpoints/.probe/ only. Exit codes: 0 the daemon can work here, 1 something has to be put right."""
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The daemon's settings, as `serve` takes them.",
)
@click.option("--quick", is_flag=True, help="Leave out torch and the GPU, which take some seconds.")
def doctor(env_file: Path | None, quick: bool) -> None:
    """Can the daemon work on this machine?"""
    sys.exit(asyncio.run(_examine(env_file, quick)))


async def _examine(env_file: Path | None, quick: bool) -> int:
    faults = 0
    async for finding in findings(env_file, quick=quick):
        mark = click.style(WORDS[finding.verdict], fg=COLOURS[finding.verdict])
        click.echo(f"{mark}  {finding.what}: {finding.said}")
        faults += finding.verdict == "fault"
    click.echo(f"{faults} to fix" if faults else "the daemon can work here")
    return 1 if faults else 0


async def findings(env_file: Path | None, *, quick: bool) -> AsyncGenerator[Finding]:
    """What was found, as soon as it is. Without settings only what needs none is looked at."""
    from bot.settings import SettingsError, read_settings  # noqa: PLC0415
    from bot.shell import account, checkup  # noqa: PLC0415
    from bot.shell.places import Places  # noqa: PLC0415

    yield checkup.python()
    yield checkup.compiler()
    yield checkup.weights(os.environ)
    try:
        settings = read_settings(env_file)
    except SettingsError as error:
        for line in error.lines:
            yield Finding("settings", "fault", line)
        return
    yield Finding("settings", "fine", f"DEVICE={settings.device}, BUCKET={settings.bucket}")
    places = Places(settings.state_dir)
    yield checkup.state_folder(places)
    if places.path.is_dir():
        yield checkup.disk(shutil.disk_usage(places.path).free, places.path)
        yield checkup.database(places)
    async for finding in account.findings(settings):
        yield finding
    for finding in await checkup.bucket(settings.bucket):
        yield Finding(f"bucket, {finding.what}", finding.verdict, finding.said)
    if not quick:
        yield await checkup.torch(settings.device)
