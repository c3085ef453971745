"""A session of the embedded Discord's gateway, and the socket it may have: who is told what, in order.

Protocol: https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
import zlib
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from aiohttp import web

from bot.rehearsal.cast import Person
from bot.rehearsal.discord.wire import Json


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    RECONNECT = 7
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Close(IntEnum):
    """Gateway close codes we use."""

    NORMAL = 1000
    GOING_AWAY = 1001
    UNKNOWN_ERROR = 4000
    DECODE_ERROR = 4002
    AUTHENTICATION_FAILED = 4004


class Intent(IntFlag):
    GUILDS = 1 << 0
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    MESSAGE_CONTENT = 1 << 15


class Connection:
    """One socket: what is sent leaves in order, deflated as one stream when the client asked for that."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None, compress: bool
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._deflate = zlib.compressobj() if compress else None
        self._queue: asyncio.Queue[Json] = asyncio.Queue()
        self._dropped = False
        self._mute = False

    @property
    def ended_by_client(self) -> bool:
        """A client that closes with 1000 or 1001 ends its session; one that answers our close does not."""
        return not self._dropped and self._socket.close_code in (Close.NORMAL, Close.GOING_AWAY)

    def send(self, payload: Json) -> None:
        if not self._mute:
            self._queue.put_nowait(payload)

    def fall_silent(self) -> None:
        """Whatever is sent from now on gets lost; the socket stays open."""
        self._mute = True

    async def deliver(self) -> None:
        """Write what is queued, until cancelled or the socket is gone."""
        while not self._socket.closed:
            text = json.dumps(await self._queue.get(), ensure_ascii=False)
            try:
                await self._write(text)
            except ConnectionError:  # the client, or a slam, was faster
                return

    def cut(self) -> None:
        """The cable is cut: no close frame, no farewell."""
        self._dropped = True
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()

    async def close(self, code: int) -> None:
        self._dropped = True
        await self._socket.close(code=code)

    async def _write(self, text: str) -> None:
        if self._deflate is None:
            await self._socket.send_str(text)
        else:
            packed = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            await self._socket.send_bytes(packed)


@dataclass(slots=True)
class Session:
    """What one IDENTIFY began. It keeps every event, so that a RESUME can replay what was missed."""

    id: str
    person: Person
    intents: Intent
    connection: Connection | None
    sent: list[Json] = field(default_factory=list[Json])

    def dispatch(self, name: str, data: Json) -> None:
        payload: Json = {"op": Op.DISPATCH, "t": name, "s": len(self.sent) + 1, "d": data}
        self.sent.append(payload)
        if self.connection is not None:
            self.connection.send(payload)
