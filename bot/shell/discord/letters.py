"""A message of the client library's as the letter the shell reads."""

import asyncio

import aiohttp
import discord
import structlog

from bot.shell.conversation.channel import Attached, Letter
from bot.shell.deciding.lanes import Later
from bot.shell.discord.lifeline import Limits

log = structlog.stdlib.get_logger("letters")

FETCH_S = Limits().request_s
GONE = frozenset({403, 404})


def letter_of(message: discord.Message) -> Letter:
    ordinary = message.type in {discord.MessageType.default, discord.MessageType.reply}
    reply = message.reference if message.type is discord.MessageType.reply else None
    return Letter(
        id=message.id,
        channel_id=message.channel.id,
        author_id=message.author.id,
        content=message.content,
        at=message.created_at,
        plain=ordinary and message.webhook_id is None and not message.message_snapshots,
        mentions=frozenset(user.id for user in message.mentions),
        reply_to=reply.message_id if reply else None,
        attachments=tuple(_attached(one) for one in message.attachments),
        names=_names_of(message.author),
    )


def _names_of(author: discord.User | discord.Member) -> frozenset[str]:
    names = (author.name, author.global_name, author.display_name)
    return frozenset(name for name in names if name)


def _attached(attachment: discord.Attachment) -> Attached:
    async def read() -> bytes:
        try:
            async with asyncio.timeout(FETCH_S):
                return await _fetched(attachment.url)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if isinstance(error, aiohttp.ClientResponseError) and error.status in GONE:
                log.warning("an attachment is gone", name=attachment.filename)
                return b""
            raise Later(f"{attachment.filename} cannot be fetched: {error}") from error

    return Attached(attachment.filename, attachment.size, read)


async def _fetched(url: str) -> bytes:
    """By a session of its own: the client that brought the letter may be closed by the time it is read."""
    async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(url) as answer:
        return await answer.read()
