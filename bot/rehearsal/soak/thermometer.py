"""`python -m bot.rehearsal.soak.thermometer READINGS --env-file FILE`: the daemon, and its pulse taken.

Once a second a line goes to READINGS: how late the event loop was, how large the process is, how many
descriptors it has open. The daemon itself knows nothing of it.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.settings import SettingsError, read_settings
from bot.shell.bucket import open_bucket
from bot.shell.daemon import serve
from bot.shell.machine.fatal import Fatal
from bot.shell.machine.logs import set_up_logs

SAMPLE_S = 0.02
LINE_S = 1.0
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


class Reading(BaseModel):
    """`at` in seconds since the epoch; `lags_ms`: how much later than due each of the samples came."""

    model_config = ConfigDict(frozen=True)

    at: float
    pid: int
    rss_kb: int
    descriptors: int
    lags_ms: tuple[float, ...]


def read_readings(path: Path) -> Iterator[Reading]:
    """All whole lines; a killed daemon may have left half of one."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with suppress(ValidationError):
            yield Reading.model_validate_json(line)


def size_of(pid: int) -> tuple[int, int]:
    """Resident kB and open descriptors of a process. Raises OSError when it is gone."""
    resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return resident * _PAGE_KB, len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  counted, not read


async def lateness() -> AsyncIterator[tuple[float, float]]:
    """Every SAMPLE_S when a sample was due, by time.monotonic(), and how many ms later it came: how late the
    event loop is. In a stall every sample that falls into it is late, not only the first."""
    due = time.monotonic()
    while True:
        due += SAMPLE_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        yield due, (time.monotonic() - due) * 1000


async def _take(readings: Path) -> None:
    lags_ms: list[float] = []
    written = time.monotonic()
    with readings.open("a", encoding="utf-8") as file:
        async for due, late_ms in lateness():
            lags_ms.append(round(late_ms, 2))
            if due - written >= LINE_S:
                rss_kb, descriptors = size_of(os.getpid())
                line = Reading(
                    at=time.time(),
                    pid=os.getpid(),
                    rss_kb=rss_kb,
                    descriptors=descriptors - 2,  # this file, and the folder being listed
                    lags_ms=tuple(lags_ms),
                )
                print(line.model_dump_json(), file=file, flush=True)
                written, lags_ms = due, []


async def _measured(env_file: Path, readings: Path, emulator: str) -> None:
    settings = read_settings(env_file)
    set_up_logs(settings.discord_token.get_secret_value())
    taking = asyncio.create_task(_take(readings), name="thermometer")
    try:
        await serve(settings, partial(open_bucket, emulator=emulator))
    finally:
        taking.cancel()


@click.command()
@click.argument("readings", type=click.Path(path_type=Path))
@click.option("--env-file", type=click.Path(path_type=Path), required=True)
@click.option("--emulator", default="", help="Root URL of a stand-in for Google Cloud Storage.")
def main(readings: Path, env_file: Path, emulator: str) -> None:
    """Run the daemon and write READINGS."""
    try:
        asyncio.run(_measured(env_file, readings, emulator))
    except (SettingsError, Fatal) as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
