"""An embedded Discord on the loopback: REST v10 and gateway for the unmodified client library.

    async with DiscordServer(Guild(cast_of(Roster()))) as server:
        # the daemon: DISCORD_API_BASE=server.api_base DISCORD_GATEWAY_URL=server.gateway_url
        await server.say(watcher_id, "<@…> [HANDOFF] …")
        answer = await server.record.until(lambda entry: entry.author_id == training_id)

Bots come over sockets; people and peers of the play speak through `say`, `react` and `edit`.
"""

from typing import Self

from aiohttp import web

from bot.rehearsal.discord.gateway import Gateway
from bot.rehearsal.discord.guild import Draft, File, Guild, Message
from bot.rehearsal.discord.record import Record, Witness, no_paths
from bot.rehearsal.discord.rest import MAX_REQUEST_BYTES, PREFIX, Rest

_LOOPBACK = "127.0.0.1"
_SHUTDOWN_S = 1.0


class DiscordServer:
    """Serves `guild` from `start` to `stop`.

    `record` holds what was said; faults go into `rest.interferences` and `gateway.drop_connections`.
    """

    def __init__(self, guild: Guild, witness: Witness = no_paths) -> None:
        self.guild = guild
        self.record = Record(witness)
        guild.subscribe(self.record.write)
        self.gateway = Gateway(guild)
        self.rest = Rest(guild)
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        self.rest.add_to(app)
        app.router.add_get("/", self.gateway.serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)

    @property
    def api_base(self) -> str:
        return self.rest.base_url + PREFIX

    @property
    def gateway_url(self) -> str:
        return self.gateway.url

    @property
    def channel_id(self) -> int:
        return self.guild.main_channel.id

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback; port 0 takes a free one."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, _LOOPBACK, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.rest.base_url = self.gateway.base_url = f"http://{_LOOPBACK}:{bound}"
        self.rest.gateway_url = self.gateway.url = f"ws://{_LOOPBACK}:{bound}"

    async def stop(self) -> None:
        await self.gateway.drop_connections()
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def say(
        self,
        author_id: int,
        content: str,
        reply_to: int | None = None,
        attachments: tuple[File, ...] = (),
        channel_id: int | None = None,
    ) -> Message:
        """Post as somebody of the guild.

        Raises:
            bot.rehearsal.discord.guild.RequestError: Discord would refuse it.
        """
        draft = Draft(content=content, files=attachments, reply_to=reply_to)
        return self.guild.post(channel_id or self.channel_id, author_id, draft)

    async def edit(self, message: Message, content: str) -> Message:
        return self.guild.edit(message.channel_id, message.id, message.author.id, content)

    async def react(self, user_id: int, message_id: int, emoji: str) -> None:
        self.guild.react(self.channel_id, message_id, user_id, emoji)
