"""The embedded Discord with the card's cast."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.rehearsal.cast import cast_of
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.discord.server import DiscordServer
from protocol.roster import Roster


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(Guild(cast_of(Roster()))) as server:
        yield server


@pytest.fixture(scope="session")
def read_transcript() -> Callable[[Path], list[Entry]]:
    """What a rehearsal has left of its talk, one JSON object a line."""

    def read(path: Path) -> list[Entry]:
        return [Entry.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]

    return read


@pytest.fixture(scope="session")
def processes_that_name() -> Callable[[Path], list[str]]:
    """Looks for living processes in whose command line a folder stands."""

    def command_line(path: Path) -> str:
        try:
            return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""  # gone meanwhile

    def look(folder: Path) -> list[str]:
        lines = map(command_line, Path("/proc").glob("[0-9]*/cmdline"))
        return [line for line in lines if str(folder) in line]

    return look
