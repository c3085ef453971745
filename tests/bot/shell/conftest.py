from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.rehearsal.cast import cast_of
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.server import DiscordServer
from bot.shell.remembering.store import Store
from protocol.roster import Roster

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "claw.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(Guild(cast_of(Roster()))) as opened:
        yield opened
