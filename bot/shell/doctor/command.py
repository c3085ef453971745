"""`training-claw doctor`: everything the daemon will need, looked at before it needs it."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import click

from bot.shell.bucket.probing import Finding
from bot.shell.doctor import sandbox

WORDS = {"fine": "ok  ", "warning": "warn", "fault": "FIX "}
COLOURS = {"fine": "green", "warning": "yellow", "fault": "red"}


@click.command(
    epilog="""\b
Examples:
  training-claw doctor --env-file /etc/training-claw/training-claw.env
  training-claw doctor --quick
  sudo training-claw doctor --in-unit

Each line is ok, warn, or FIX with the next step. Nothing is changed; writing to the bucket is tried at
checkpoints/.probe/ only. Exit codes: 0 the daemon can work here, 1 something has to be put right."""
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The daemon's settings, as `serve` takes them.",
)
@click.option("--quick", is_flag=True, help="Leave out torch and the GPU, which take some seconds.")
@click.option(
    "--in-unit",
    is_flag=True,
    help="Look only at the trainer's unit: a real step on the device in its sandbox.",
)
def doctor(env_file: Path | None, quick: bool, in_unit: bool) -> None:
    """Can the daemon work on this machine?"""
    found = findings_in_unit(env_file) if in_unit else findings(env_file, quick=quick)
    sys.exit(asyncio.run(_examine(found, "nothing to fix" if in_unit else "the daemon can work here")))


async def _examine(found: AsyncGenerator[Finding], well: str) -> int:
    faults = 0
    async for finding in found:
        mark = click.style(WORDS[finding.verdict], fg=COLOURS[finding.verdict])
        click.echo(f"{mark}  {finding.what}: {finding.said}")
        faults += finding.verdict == "fault"
    click.echo(f"{faults} to fix" if faults else well)
    return 1 if faults else 0


async def findings_in_unit(env_file: Path | None) -> AsyncGenerator[Finding]:
    """What systemd would start, and whether it would work."""
    from bot.shell.doctor import checkup  # noqa: PLC0415

    why_not = sandbox.cannot()
    if why_not:
        yield Finding("sandbox", "warning", f"not looked at: {why_not}")
        return
    yield await checkup.path_unit()
    yield await checkup.torch(device_of(env_file), in_unit=True)


def device_of(env_file: Path | None) -> str:
    """The token is systemd's own here, so the settings are not whole; one of them is enough."""
    from dotenv import dotenv_values  # noqa: PLC0415  comes with pydantic-settings

    told = dotenv_values(env_file) if env_file else {}
    return os.environ.get("DEVICE") or told.get("DEVICE") or "cuda"


async def findings(env_file: Path | None, *, quick: bool) -> AsyncGenerator[Finding]:
    """What was found, as soon as it is. Without settings only what needs none is looked at."""
    from bot.settings import SettingsError, read_settings  # noqa: PLC0415
    from bot.shell.doctor import account, checkup  # noqa: PLC0415
    from bot.shell.machine.places import Places  # noqa: PLC0415

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
