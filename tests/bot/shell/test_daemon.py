"""The daemon's parts, wired, in this process."""

import asyncio
from pathlib import Path

import pytest

from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.troubles.trial import IMPATIENT, settings_for
from bot.shell.bucket import open_bucket
from bot.shell.daemon import TaskDied, live
from bot.shell.machine.places import Places
from bot.shell.remembering.store import Store
from bot.shell.wiring import furnish


async def test_a_desk_that_ends_over_the_first_event_ends_the_daemon(
    server: DiscordServer, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "bucket").mkdir()
    settings = settings_for(server, tmp_path)
    bucket = open_bucket(settings.bucket)
    house = await furnish(settings, Places(tmp_path), store, bucket, IMPATIENT)

    def fails(*_: object) -> None:
        raise LookupError("a fault of our own")

    house.desk._decided = fails  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TaskDied, match="desk ended: LookupError"):
        async with asyncio.timeout(20):
            await live(house, asyncio.Event())
    await bucket.close()
