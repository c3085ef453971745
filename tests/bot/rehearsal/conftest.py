"""The embedded Discord with the card's cast."""

import warnings
from collections.abc import AsyncIterator

import pytest

with warnings.catch_warnings():
    # discord.py imports audioop, which Python 3.12 warns of; only the first import does
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord  # noqa: F401

from bot.rehearsal.cast import cast_of
from bot.rehearsal.discord_server import DiscordServer
from bot.rehearsal.guild import Guild
from protocol.roster import Roster


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer(Guild(cast_of(Roster()))) as server:
        yield server
