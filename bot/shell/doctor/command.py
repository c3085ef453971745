"""`training-claw doctor`: everything the daemon will need, looked at before it needs it."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from pathlib import Path

import click

from bot.shell.bucket.probing import Finding
from bot.shell.doctor import sandbox

WORDS = {"fine": "ok  ", "warning": "warn", "fault": "FIX ", "unseen": "?   "}
COLOURS = {"fine": "green", "warning": "yellow", "fault": "red", "unseen": "magenta"}
NOT_ALL_SEEN = 3


@click.command(
    epilog="""\b
Examples:
  sudo /opt/training-claw/.venv/bin/training-claw doctor --env-file /etc/training-claw/training-claw.env
  sudo /opt/training-claw/.venv/bin/training-claw doctor --in-unit
  training-claw doctor --quick

Each line is ok, warn, FIX with the next step, or ? for what could not be looked at. Token and webhook are
read from the env file's folder unless CREDENTIALS_DIRECTORY names another. Nothing is changed; writing to
the bucket is tried at checkpoints/.probe/ only. Exit codes: 0 the daemon can work here, 1 something has to
be put right, 3 nothing to put right, but not everything could be looked at."""
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
    faults, unseen = 0, list[str]()
    async for finding in found:
        mark = click.style(WORDS[finding.verdict], fg=COLOURS[finding.verdict])
        click.echo(f"{mark}  {finding.what}: {finding.said}")
        faults += finding.verdict == "fault"
        unseen += [finding.what] if finding.verdict == "unseen" else []
    click.echo("; ".join(_summed_up(faults, unseen, well)))
    return 1 if faults else NOT_ALL_SEEN if unseen else 0


def _summed_up(faults: int, unseen: Sequence[str], well: str) -> Iterator[str]:
    """
    >>> list(_summed_up(0, ["torch"], "the daemon can work here"))
    ['nothing to fix in what was looked at', 'not looked at: torch']
    """
    if faults:
        yield f"{faults} to fix"
    else:
        yield "nothing to fix in what was looked at" if unseen else well
    if unseen:
        yield f"not looked at: {', '.join(unseen)}"


async def findings_in_unit(env_file: Path | None) -> AsyncGenerator[Finding]:
    """What systemd would start, and whether it would work."""
    from bot.settings import look  # noqa: PLC0415
    from bot.shell.doctor import checkup  # noqa: PLC0415

    why_not = sandbox.cannot()
    if why_not:
        yield Finding("sandbox", "unseen", why_not)
        return
    yield await checkup.path_unit()
    yield await checkup.torch(look(env_file).settings.device, in_unit=True)


async def findings(env_file: Path | None, *, quick: bool) -> AsyncGenerator[Finding]:
    """What was found, as soon as it is. A setting that is wrong hides only what depends on it."""
    from bot.settings import look  # noqa: PLC0415
    from bot.shell.doctor import account, checkup, installation  # noqa: PLC0415
    from bot.shell.machine.places import Places  # noqa: PLC0415

    folder = installation.credentials(os.environ, env_file)
    reading = look(env_file, folder)
    settings, places = reading.settings, Places(reading.settings.state_dir)
    yield installation.python(settings.launch, places.path)
    yield checkup.compiler()
    for line in reading.problems:
        yield Finding("settings", "fault", line)
    if not reading.problems:
        yield Finding("settings", "fine", f"DEVICE={settings.device}, BUCKET={settings.bucket}")
    if "operator_ids" not in reading.wrong:
        yield installation.operators(settings.operator_ids)
    yield installation.alarm(settings.launch, folder)
    environ = installation.torch_home(os.environ, settings.launch, places.path)
    yield checkup.weights(environ, settings.launch, settings.device)
    yield checkup.state_folder(places)
    if places.path.is_dir():
        yield checkup.disk(shutil.disk_usage(places.path).free, places.path)
        yield checkup.database(places)
    if hidden := reading.wrong & {"discord_token", "discord_channel_id", "discord_api_base", "training_id"}:
        yield _hidden("Discord", hidden)
    else:
        async for finding in account.findings(settings):
            yield finding
    if "bucket" in reading.wrong:
        yield _hidden("bucket", {"bucket"})
    else:
        for finding in await checkup.bucket(settings.bucket):
            yield Finding(f"bucket, {finding.what}", finding.verdict, finding.said)
    if settings.device == "cuda":
        yield checkup.second_witness()
    if not quick:
        yield await checkup.torch(settings.device)


def _hidden(what: str, by: Iterable[str]) -> Finding:
    return Finding(what, "unseen", f"correct {', '.join(sorted(by)).upper()} first")
