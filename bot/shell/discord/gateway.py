"""Discord, as the daemon meets it.

A client lives as long as its session does; whenever it ends, for whatever reason, the reason is looked at
and a new one is made after a pause that grows: a thousand logins a day and Discord resets the token.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import discord
import structlog
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.settings import Settings
from bot.shell.conversation.channel import Ears, HistoryClosed, Letter, Mark, SendRefused, Sent
from bot.shell.conversation.door import ANSWERS
from bot.shell.deciding.lanes import Later
from bot.shell.discord.client import Client, CountIdentify, Warn
from bot.shell.discord.letters import letter_of
from bot.shell.discord.lifeline import Lifeline, Limits
from bot.shell.discord.lifetime import live_through, still
from bot.shell.machine.fatal import Fatal
from bot.shell.remembering.rows import Part

log = structlog.stdlib.get_logger("gateway")

FATAL_CODES = {
    4004: "Discord does not know this DISCORD_TOKEN; reset it in the developer portal",
    4013: "Discord refuses our intents; update training-claw",
    4011: "Discord wants this bot sharded; it is in too many servers: remove it from all but one",
    4012: "Discord no longer speaks this API version; update training-claw",
    4014: "Discord refuses our intents; switch on Message Content Intent in the developer portal (Bot)",
}

LATEST = 50
"""So many of the last messages are read before speaking, when nobody told us of them."""

PAGE = 100
"""So many messages are read at once: https://discord.com/developers/docs/resources/message#get-channel-messages"""

DEFAULT_LIMITS = Limits()


class Gateway:
    """The channel, for as long as `run` runs. `warn` tells the operators a line."""

    def __init__(
        self,
        settings: Settings,
        ears: Ears,
        count_identify: CountIdentify,
        *,
        warn: Warn,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._settings = settings
        self._ears = ears
        self._count_identify = count_identify
        self._warn = warn
        self._wrong = ""
        self._limits = limits
        self._lifeline = Lifeline(limits)
        self._client: Client | None = None
        if settings.discord_api_base:
            Route.BASE = settings.discord_api_base
        if settings.discord_gateway_url:
            DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.discord_gateway_url)

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises:
            Fatal: no new client could do better.
        """
        while True:
            began = time.monotonic()
            client = await self._live_one_session()
            up_s = time.monotonic() - began - client.down_for_s()
            pause = self._lifeline.pause_s(up_s, logged_in=client.logged_in)
            log.warning(
                "a new client after a pause", pause_s=pause, identifies=self._lifeline.identifies_today
            )
            await asyncio.sleep(pause)

    async def look_after(self) -> None:
        """See what the library does not: heartbeats without an answer."""
        client = self._client
        if client is not None and client.unanswered():
            log.warning("heartbeats go unanswered: resuming on another connection")
            await client.reconnect()

    async def _seen(self, wrong: str) -> None:
        """Told once, however many sessions see it; and once more when it was put right meanwhile."""
        news = wrong != self._wrong
        self._wrong = wrong
        if wrong and news:
            await self._warn(wrong)

    async def _live_one_session(self) -> Client:
        """The client it was, closed."""
        client = Client(
            self._settings, self._ears, self._count_identify, self._seen, self._limits, self._lifeline
        )
        self._client = client
        try:
            await live_through(client, self._settings.discord_token.get_secret_value())
        except discord.LoginFailure:
            raise Fatal(FATAL_CODES[4004]) from None
        except discord.PrivilegedIntentsRequired:
            raise Fatal(FATAL_CODES[4014]) from None
        except discord.ConnectionClosed as error:
            if error.code in FATAL_CODES:
                raise Fatal(FATAL_CODES[error.code]) from None
            log.warning("the session ended", code=error.code)
        except Fatal:
            raise
        except Exception as error:  # a malformed event, an outage at login, a fault of the library's own
            log.warning("the session ended", why=f"{type(error).__name__}: {error}")
        finally:
            self._client = None
            await client.hang_up()
            await client.close()
            still(client)
        if client.fatal is not None:
            raise client.fatal
        return client

    # --- bot.shell.conversation.channel.Channel -------------------------------------------

    async def send(self, part: Part, files: Sequence[Path]) -> Sent:
        allowed = discord.AllowedMentions(
            everyone=False,
            roles=False,
            users=[discord.Object(user_id) for user_id in part.recipients],
            replied_user=False,
        )
        async with self._asking() as channel:
            message = await channel.send(
                part.content,
                nonce=part.nonce,
                allowed_mentions=allowed,
                files=[discord.File(path) for path in files],
            )
        return Sent(message.id, frozenset(user.id for user in message.mentions))

    async def letters_after(self, message_id: int) -> AsyncIterator[Letter]:
        """Page after page, each with a time limit of its own: all that was said in days may take any time."""
        page = await self._page(message_id)
        while page:
            for letter in page:
                yield letter
            page = await self._page(page[-1].id) if len(page) == PAGE else ()

    async def _page(self, message_id: int) -> tuple[Letter, ...]:
        self._must_read_history()
        async with self._asking() as channel:
            after = discord.Object(message_id)
            found = channel.history(limit=PAGE, after=after, oldest_first=True)
            return tuple([letter_of(one) async for one in found])

    async def latest(self) -> tuple[Letter, ...]:
        self._must_read_history()
        async with self._asking() as channel:
            found = [letter_of(one) async for one in channel.history(limit=LATEST)]
        return tuple(reversed(found))

    def _must_read_history(self) -> None:
        if self._client is not None and not self._client.may_read_history():
            raise HistoryClosed(
                "the permission Read Message History is missing in the channel: grant it to the bot"
            )

    def silent_s(self) -> float:
        return self._client.silent_s() if self._client else math.inf

    async def marks_on(self, message_id: int) -> tuple[Mark, ...]:
        marks: list[Mark] = []
        async with self._asking() as channel:
            try:
                message = await channel.fetch_message(message_id)
            except discord.NotFound:  # somebody deleted our message: nobody can answer it there
                return ()
            for reaction in message.reactions:
                if str(reaction.emoji) in ANSWERS:
                    marks += [
                        Mark(message_id, user.id, str(reaction.emoji)) async for user in reaction.users()
                    ]
        return tuple(marks)

    @asynccontextmanager
    async def _asking(self) -> AsyncGenerator[discord.PartialMessageable]:
        """Our channel, with whatever may go wrong sorted into never (SendRefused) and not now (Later)."""
        client = self._client
        if client is None or client.user is None or client.is_closed():
            raise Later("not connected to Discord")
        try:
            async with asyncio.timeout(self._limits.request_s):
                yield client.get_partial_messageable(self._settings.discord_channel_id)
        except discord.HTTPException as error:
            if error.status in {400, 413}:
                raise SendRefused(f"Discord refuses it: {error.text or error}") from error
            raise Later(
                f"Discord answers {error.status}: {error.text}", alarming=error.status == 403
            ) from error
        except TimeoutError as error:
            client.lift_global_limit()
            raise Later("Discord does not answer in time") from error
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise Later(f"Discord cannot be reached: {type(error).__name__} {error}") from error
        except RuntimeError as error:
            if not client.is_closed():
                raise
            # The library had tried again by itself, on a session that was closed meanwhile.
            raise Later("the connection to Discord was given up meanwhile") from error
