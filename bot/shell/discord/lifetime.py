"""A client's life from its start to its end, whoever ends it; nothing of it is left behind."""

import asyncio
import threading

import discord
from discord.gateway import KeepAliveHandler

from bot.shell.discord.client import Client


async def live_through(client: Client, token: str) -> None:
    """Until it ends, or is given up: from within its own handlers a client cannot be closed cleanly."""
    running = asyncio.create_task(client.start(token), name="client")
    giving_up = asyncio.create_task(client.given_up.wait(), name="giving up")
    try:
        await asyncio.wait((running, giving_up), return_when=asyncio.FIRST_COMPLETED)
    finally:
        giving_up.cancel()
        client.stop_heart()
        if not running.done():
            running.cancel()
            await asyncio.wait([running])
    if not running.cancelled():
        running.result()


def still(client: discord.Client) -> None:
    """Stop the heartbeats of a session cut off in mid-connect: the library has lost sight of them."""
    ours = client._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    for thread in threading.enumerate():
        if isinstance(thread, KeepAliveHandler) and getattr(thread.ws, "_connection", None) is ours:
            thread.stop()
