"""A daemon that ends before its audience is started again."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bot.rehearsal.processes import Daemon
from bot.rehearsal.upkeep import Interrupted, kept_up


class Audience:
    """Hears what it is told, and can wait for it."""

    def __init__(self) -> None:
        self.english: list[str] = []
        self.korean: list[str] = []
        self.news = asyncio.Event()

    def tell(self, english: str, korean: str) -> None:
        self.english.append(english)
        self.korean.append(korean)
        self.news.set()

    async def heard(self, notes: int) -> None:
        while len(self.english) < notes:
            self.news.clear()
            await self.news.wait()


def played_by(script: str, folder: Path) -> Daemon:
    return Daemon(folder / "env", folder / "log", ("/bin/sh", "-c", script))


async def test_one_that_is_killed_is_back_and_the_audience_is_told(tmp_path: Path) -> None:
    daemon, audience = played_by("exec sleep 1000", tmp_path), Audience()
    await daemon.start()
    first = daemon.pid
    keeping = asyncio.create_task(kept_up(daemon, audience.tell, pause_s=0))
    async with asyncio.timeout(20):
        await audience.heard(1)
        os.kill(first, signal.SIGKILL)
        await audience.heard(3)
    assert daemon.pid != first
    assert (daemon.status, daemon.starts) == (None, 2)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await daemon.kill()
    invited, gone, back = audience.english
    assert f"`kill -9 {first}`" in invited
    assert gone.startswith("The daemon was killed (SIGKILL). systemd would start it again")
    assert back.startswith(f"The daemon is back (process {daemon.pid})")
    assert audience.korean[1].startswith("데몬이 강제 종료되었습니다 (SIGKILL).")


async def test_one_that_ends_by_itself_is_started_again_too(tmp_path: Path) -> None:
    daemon, audience = played_by("exit 1", tmp_path), Audience()
    await daemon.start()
    keeping = asyncio.create_task(kept_up(daemon, audience.tell, pause_s=0))
    async with asyncio.timeout(20):
        await audience.heard(5)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await daemon.kill()
    assert audience.english[1].startswith("The daemon ended with status 1.")


async def test_what_needs_a_person_ends_the_play(tmp_path: Path) -> None:
    daemon = played_by("echo DISCORD_TOKEN is not set >&2; exit 2", tmp_path)
    await daemon.start()
    with pytest.raises(Interrupted, match="left with status 2: DISCORD_TOKEN is not set"):
        await kept_up(daemon, Audience().tell, pause_s=0)
    assert daemon.starts == 1
