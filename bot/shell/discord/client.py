"""One client of the library, from login to end: what it hears goes to the ears, what it lacks is said."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import discord
import discord.app_commands
import structlog
from discord.gateway import KeepAliveHandler

from bot.core.showing import commands
from bot.settings import Settings, to_policy
from bot.shell.conversation.channel import Ears, Letter, Mark
from bot.shell.discord.letters import letter_of
from bot.shell.discord.lifeline import Lifeline, Limits, Storms, unanswered
from bot.shell.machine.fatal import Fatal

log = structlog.stdlib.get_logger("client")

NEEDED_PERMISSIONS = (
    "view_channel",
    "send_messages",
    "read_message_history",
    "attach_files",
    "add_reactions",
)

HEARING = ("on_message", "on_raw_message_edit", "on_raw_reaction_add")

INTENTS = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True, message_content=True)

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody here speaks aloud

type CountIdentify = Callable[[], Awaitable[int]]
"""Durably counts one more login and answers how many there were today."""

type Warn = Callable[[str], Awaitable[None]]

type Seen = Callable[[str], Awaitable[None]]
"""Told after each look at the channel what is wrong there; empty: nothing."""


class TooManyLogins(Exception):
    """The session keeps being refused."""


class Client(discord.Client):
    def __init__(
        self,
        settings: Settings,
        ears: Ears,
        count_identify: CountIdentify,
        seen: Seen,
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
            heartbeat_timeout=limits.silence_s,
            max_ratelimit_timeout=30.0,  # the least it takes; longer waits are ours
        )
        self._settings = settings
        self._ears = ears
        self._count_identify = count_identify
        self._seen = seen
        self._limits = limits
        self._lifeline = lifeline
        self._storms = Storms(limits)
        self._identifies = 0
        self._tree = discord.app_commands.CommandTree(self)
        for name, what in commands.available(to_policy(settings)).items():
            self._tree.add_command(_slash(name, what, self._asked))
        self._down_since: float | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reads_history = True
        self._server_is_away = False
        self._connect, self.http.ws_connect = self.http.ws_connect, self._keep_socket
        self.fatal: Fatal | None = None
        self.given_up = asyncio.Event()

    @property
    def logged_in(self) -> bool:
        """Did it spend a login, whatever came of it?"""
        return self._identifies > 0

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

    def lift_global_limit(self) -> None:
        """A request that we cancel while it sits out a global 429 would leave all others waiting for ever."""
        self.http._global_over.set()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

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
            raise TooManyLogins(
                f"{self._identifies} logins came to nothing; the next comes after a longer pause"
            )
        self._identifies += 1
        self._lifeline.identifies_today = await self._count_identify()
        if not initial:
            await asyncio.sleep(self._limits.identify_pause_s)

    async def on_connect(self) -> None:
        self._is_up()
        self._ears.missed_some()

    async def on_resumed(self) -> None:
        self._is_up()

    async def on_ready(self) -> None:
        await self._look_at_channel()
        self._ears.caught_on()
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
        if self._down_since is None:
            self._down_since = moment
            self._patience = asyncio.get_running_loop().call_later(
                self._limits.down_for_good_s, self._lose_patience
            )
        if self._storms.struck(moment):
            log.warning("disconnected again and again")
            self.given_up.set()

    def _is_up(self) -> None:
        self._down_since = None
        if self._patience is not None:
            self._patience.cancel()

    def _lose_patience(self) -> None:
        if not self.is_closed():
            log.warning("cut off for too long", down_s=round(self.down_for_s()))
            self.given_up.set()

    async def on_message(self, message: discord.Message) -> None:
        self._ears.heard(letter_of(message))

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        self._ears.reread(letter_of(payload.message))

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        if payload.channel_id == self._settings.discord_channel_id:
            self._ears.saw(Mark(payload.message_id, payload.user_id, str(payload.emoji)))

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """What a failed handler did not hand on is read again."""
        log.exception("a handler failed", handler=event_method)
        if event_method in HEARING:
            self._read_again()

    async def on_guild_unavailable(self, _: discord.Guild) -> None:
        self._server_is_away = True

    async def on_guild_available(self, _: discord.Guild) -> None:
        """Where the server was away, and our session was not, nobody told us what was said or changed."""
        if self._server_is_away:
            self._server_is_away = False
            await self._look_at_channel()
            self._read_again()

    async def on_guild_role_update(self, *_: discord.Role) -> None:
        await self._look_at_channel()

    async def on_guild_channel_update(self, *_: discord.abc.GuildChannel) -> None:
        await self._look_at_channel()

    def may_read_history(self) -> bool:
        """Without the permission Discord answers with an empty history, as if nothing had been said."""
        return self._reads_history

    def _read_again(self) -> None:
        self._ears.missed_some()
        self._ears.caught_on()

    async def _look_at_channel(self) -> None:
        """Say at once what would only show much later."""
        channel = self.get_channel(self._settings.discord_channel_id)
        if channel is None and not any(guild.unavailable for guild in self.guilds):
            self.fatal = Fatal(
                f"DISCORD_CHANNEL_ID {self._settings.discord_channel_id}: {self.user} sees no such channel; "
                "invite the bot to its server, or correct the id"
            )
            self.given_up.set()
        self._server_is_away = self._server_is_away or channel is None
        if not isinstance(channel, discord.TextChannel):
            return
        may = channel.permissions_for(channel.guild.me)
        missing = [name for name in NEEDED_PERMISSIONS if not getattr(may, name)]
        could_read, self._reads_history = self._reads_history, may.read_message_history
        if self._reads_history and not could_read:
            self._read_again()
        if missing:
            log.error("permissions are missing in the channel", missing=missing)
        named = f"채널 권한이 없음: {', '.join(missing)}. 서버 설정에서 Training 봇에 부여 필요"
        await self._seen(named if missing else "")
        if may.mention_everyone:
            log.warning("the bot may mention everyone; withhold that permission")


def _slash(
    name: str, what: str, asked: Callable[[discord.Interaction, str], Awaitable[None]]
) -> discord.app_commands.Command[Any, ..., None]:
    async def ask(interaction: discord.Interaction, words: str = "") -> None:
        await asked(interaction, f"!{name} {words}".strip())

    return discord.app_commands.Command(name=name, description=what, callback=ask)
