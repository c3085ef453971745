"""Discord. The only file that knows the client library.

A client lives as long as its session does; whenever it ends, for whatever reason, the reason is looked at
and a new one is made after a pause that grows: a thousand logins a day and Discord resets the token.
"""

import asyncio
import math
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import discord
import discord.app_commands
import structlog
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route
from yarl import URL

from bot.core import views
from bot.settings import Settings, to_policy
from bot.shell.channel import Attached, Ears, Fatal, Letter, Mark, SendRefused, Sent
from bot.shell.door import ANSWERS
from bot.shell.lanes import Later
from bot.shell.lifeline import Lifeline, Limits, Storms, unanswered
from bot.shell.rows import Part

log = structlog.stdlib.get_logger("gateway")

FATAL_CODES = {
    4004: "Discord does not know this DISCORD_TOKEN; reset it in the developer portal",
    4013: "Discord refuses our intents; update training-claw",
    4011: "Discord wants this bot sharded; it is in too many servers for one channel's work",
    4012: "Discord no longer speaks this API version; update training-claw",
    4014: "Discord refuses our intents; switch on Message Content Intent in the developer portal (Bot)",
}

NEEDED_PERMISSIONS = (
    "view_channel",
    "send_messages",
    "read_message_history",
    "attach_files",
    "add_reactions",
)

INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True, message_content=True)

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody here speaks aloud

LATEST = 50
"""So many of the last messages are read before speaking, when nobody told us of them."""

type CountIdentify = Callable[[], Awaitable[int]]
"""Durably counts one more login and answers how many there were today."""


type Warn = Callable[[str], Awaitable[None]]

DEFAULT_LIMITS = Limits()


class TooManyLogins(Exception):
    """The session keeps being refused."""


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
        self._warned: set[str] = set()
        self._limits = limits
        self._lifeline = Lifeline(limits)
        self._client: _Client | None = None
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
            await self._live_one_session()
            pause = self._lifeline.pause_s(time.monotonic() - began)
            log.warning(
                "a new client after a pause", pause_s=pause, identifies=self._lifeline.identifies_today
            )
            await asyncio.sleep(pause)

    async def look_after(self) -> None:
        """See what the library does not: heartbeats without an answer, a reconnecting that takes too long."""
        client = self._client
        if client is None:
            return
        if client.down_for_s() > self._limits.down_for_good_s:
            log.warning("cut off for too long", down_s=client.down_for_s())
            client.given_up.set()
        elif client.unanswered():
            log.warning("heartbeats go unanswered: resuming on another connection")
            await client.reconnect()

    async def _warn_once(self, told: str) -> None:
        if told not in self._warned:
            self._warned.add(told)
            await self._warn(told)

    async def _live_one_session(self) -> None:
        client = _Client(
            self._settings, self._ears, self._count_identify, self._warn_once, self._limits, self._lifeline
        )
        self._client = client
        try:
            await _live(client, self._settings.discord_token.get_secret_value())
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
            _still(client)
        if client.fatal is not None:
            raise client.fatal

    # --- bot.shell.channel.Channel -------------------------------------------

    async def send(self, part: Part, picture: Path | None) -> Sent:
        allowed = discord.AllowedMentions(
            everyone=False,
            roles=False,
            users=[discord.Object(user_id) for user_id in part.recipients],
            replied_user=False,
        )
        files = [discord.File(picture)] if picture else []
        async with self._asking() as channel:
            message = await channel.send(
                part.content, nonce=part.nonce, allowed_mentions=allowed, files=files
            )
        return Sent(message.id, frozenset(user.id for user in message.mentions))

    async def letters_after(self, message_id: int) -> AsyncIterator[Letter]:
        async with self._asking(self._limits.request_s * 10) as channel:
            after = discord.Object(message_id)
            found = [one async for one in channel.history(limit=None, after=after, oldest_first=True)]
        for message in found:
            yield letter_of(message)

    async def latest(self) -> tuple[Letter, ...]:
        async with self._asking() as channel:
            found = [letter_of(one) async for one in channel.history(limit=LATEST)]
        return tuple(reversed(found))

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
    async def _asking(self, limit_s: float | None = None) -> AsyncGenerator[discord.PartialMessageable]:
        """Our channel, with whatever may go wrong sorted into never (SendRefused) and not now (Later)."""
        client = self._client
        if client is None or client.user is None or client.is_closed():
            raise Later("not connected to Discord")
        try:
            async with asyncio.timeout(limit_s or self._limits.request_s):
                yield client.get_partial_messageable(self._settings.discord_channel_id)
        except discord.HTTPException as error:
            if error.status in {400, 413}:
                raise SendRefused(f"Discord refuses it: {error.text or error}") from error
            raise Later(
                f"Discord answers {error.status}: {error.text}", alarming=error.status == 403
            ) from error
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Later(f"Discord cannot be reached: {type(error).__name__} {error}") from error


class _Client(discord.Client):
    def __init__(
        self,
        settings: Settings,
        ears: Ears,
        count_identify: CountIdentify,
        warn: Warn,
        limits: Limits,
        lifeline: Lifeline,
    ) -> None:
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=limits.ready_s,
            max_ratelimit_timeout=30.0,  # the least it takes; longer waits are ours
        )
        self._settings = settings
        self._ears = ears
        self._count_identify = count_identify
        self._warn = warn
        self._limits = limits
        self._lifeline = lifeline
        self._storms = Storms(limits)
        self._identifies = 0
        self._tree = discord.app_commands.CommandTree(self)
        for name, what in views.commands(to_policy(settings)).items():
            self._tree.add_command(_slash(name, what, self._asked))
        self._down_since: float | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._connect, self.http.ws_connect = self.http.ws_connect, self._keep_socket
        self.fatal: Fatal | None = None
        self.given_up = asyncio.Event()

    def down_for_s(self) -> float:
        return 0.0 if self._down_since is None else time.monotonic() - self._down_since

    def silent_s(self) -> float:
        """Before it is ready, and without answers to our heartbeats, nobody knows."""
        return math.inf if not self.is_ready() or self.unanswered() else self.down_for_s()

    def unanswered(self) -> bool:
        """The library watches what it receives, not whether its heartbeats are answered."""
        keeper = self._keeper()
        if keeper is None or not keeper.interval:
            return False
        age_s = time.perf_counter() - keeper._last_ack  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        return unanswered(age_s, keeper.interval, self._limits)

    def stop_heart(self) -> None:
        """A client that ends otherwise than by a close leaves the thread of its heartbeats behind."""
        if keeper := self._keeper():
            keeper.stop()

    async def _keep_socket(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        """The library loses sight of a socket whose login fails before it is made its own."""
        await self.hang_up()
        self._socket = await self._connect(url, compress=compress)
        return self._socket

    async def hang_up(self) -> None:
        """Close the newest socket, without waiting long for the other side's farewell."""
        if self._socket is not None and not self._socket.closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.farewell_s):
                    await self._socket.close(code=4000)  # with 1000 the session could not be resumed

    def _keeper(self) -> KeepAliveHandler | None:
        return self.ws._keep_alive if self.ws else None  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    async def reconnect(self) -> None:
        """Resume on another connection; nothing is lost by it."""
        await self.ws.close(4000)

    async def setup_hook(self) -> None:
        """Right after the login: are we who we should be?"""
        us, wanted = self.user, self._settings.training_id
        if us is None or us.id != wanted:
            raise Fatal(
                f"DISCORD_TOKEN is the token of {us} ({us and us.id}), but TRAINING_ID is {wanted}; "
                "use Training's own token"
            )

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002
        """Count it; too many, and this client is given up: the next one comes after a longer pause."""
        if not self._lifeline.may_identify(self._identifies):
            raise TooManyLogins(f"{self._identifies} logins came to nothing")
        self._identifies += 1
        self._lifeline.identifies_today = await self._count_identify()
        if not initial:
            await asyncio.sleep(self._limits.identify_pause_s)

    async def on_connect(self) -> None:
        self._down_since = None
        self._ears.missed_some()

    async def on_resumed(self) -> None:
        self._down_since = None

    async def on_ready(self) -> None:
        self._ears.caught_on()
        await self._look_at_channel()
        await self._register()

    async def _register(self) -> None:
        """Slash commands are a convenience: without them there is still `!`."""
        try:
            async with asyncio.timeout(self._limits.request_s):
                await self._tree.sync()
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("slash commands could not be registered", why=str(error))

    async def _asked(self, interaction: discord.Interaction, text: str) -> None:
        """A slash command is an operator's `!`, said in another way; the answer comes in the channel."""
        self._ears.heard(
            Letter(
                id=interaction.id,
                channel_id=interaction.channel_id or 0,
                author_id=interaction.user.id,
                content=text,
                at=interaction.created_at,
            )
        )
        here = interaction.channel_id == self._settings.discord_channel_id
        if not here or interaction.user.id not in self._settings.operator_ids:
            await interaction.response.send_message("운영자만 이 채널에서 쓸 수 있습니다.", ephemeral=True)
            return
        await interaction.response.send_message(f"`{text}` 접수. 답은 채널에 올립니다.", ephemeral=True)

    async def on_disconnect(self) -> None:
        moment = time.monotonic()
        self._down_since = self._down_since or moment
        if self._storms.struck(moment):
            log.warning("disconnected again and again")
            self.given_up.set()

    async def on_message(self, message: discord.Message) -> None:
        self._ears.heard(letter_of(message))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        self._ears.reread(letter_of(payload.message))

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        if payload.channel_id == self._settings.discord_channel_id:
            self._ears.saw(Mark(payload.message_id, payload.user_id, str(payload.emoji)))

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        log.exception("a handler failed", handler=event_method)

    async def _look_at_channel(self) -> None:
        """Say at once what would only show much later: a history without permission is merely empty."""
        channel = self.get_channel(self._settings.discord_channel_id)
        if channel is None and not any(guild.unavailable for guild in self.guilds):
            self.fatal = Fatal(
                f"DISCORD_CHANNEL_ID {self._settings.discord_channel_id}: {self.user} sees no such channel; "
                "invite the bot to its server, or correct the id"
            )
            self.given_up.set()
        if not isinstance(channel, discord.TextChannel):
            return
        may = channel.permissions_for(channel.guild.me)
        missing = [name for name in NEEDED_PERMISSIONS if not getattr(may, name)]
        if missing:
            log.error("permissions are missing in the channel", missing=missing)
            await self._warn(f"채널 권한이 없음: {', '.join(missing)}. 서버 설정에서 Training 봇에 부여 필요")
        if may.mention_everyone:
            log.warning("the bot may mention everyone; withhold that permission")


def _slash(
    name: str, what: str, asked: Callable[[discord.Interaction, str], Awaitable[None]]
) -> discord.app_commands.Command[Any, ..., None]:
    async def ask(interaction: discord.Interaction, words: str = "") -> None:
        await asked(interaction, f"!{name} {words}".strip())

    return discord.app_commands.Command(name=name, description=what, callback=ask)


async def _live(client: _Client, token: str) -> None:
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


def _still(client: discord.Client) -> None:
    """Stop the heartbeats of a session cut off in mid-connect: the library has lost sight of them."""
    ours = client._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    for thread in threading.enumerate():
        if isinstance(thread, KeepAliveHandler) and getattr(thread.ws, "_connection", None) is ours:
            thread.stop()


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
            async with asyncio.timeout(DEFAULT_LIMITS.request_s):
                return await attachment.read()
        except (discord.NotFound, discord.Forbidden):
            log.warning("an attachment is gone", name=attachment.filename)
            return b""
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Later(f"{attachment.filename} cannot be fetched: {error}") from error

    return Attached(attachment.filename, attachment.size, read)
