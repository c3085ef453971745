"""The embedded Discord's gateway: sessions that outlive their connections, and what befalls them.

Protocol: https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from aiohttp import WSMsgType, web

from bot.rehearsal.cast import Person
from bot.rehearsal.discord.guild import Deleted, Edited, Guild, Happening, Message, Posted, Reacted
from bot.rehearsal.discord.news import News
from bot.rehearsal.discord.session import Close, Connection, Intent, Op, Session
from bot.rehearsal.discord.wire import (
    Json,
    channel_json,
    everyone_json,
    guild_json,
    member_json,
    message_json,
    ready_json,
)

HEARTBEAT_INTERVAL_MS = 41_250


class Gateway:
    """All sessions of the guild. `url` and `base_url` are known once the server listens.

    Bad days: with `acknowledges` False heartbeats go unanswered; so many of the next connections as
    `slams` says are accepted and closed at once; so many IDENTIFYs are answered as `refusals` lists, with
    a close code, or with "invalid session" for None. `log` tells what clients did, in order.
    """

    def __init__(self, guild: Guild) -> None:
        self.url = ""
        self.base_url = ""
        self.heartbeat_interval_ms = HEARTBEAT_INTERVAL_MS
        self.acknowledges = True
        self.slams = 0
        self.refusals: deque[int | None] = deque()
        self.log: list[Op | Close] = []
        self._guild = guild
        self._sessions: dict[str, Session] = {}
        self._arrivals = News()
        guild.subscribe(self._broadcast)

    def connected(self, user_id: int) -> bool:
        """Does this user have a live connection?"""
        return any(one.person.id == user_id and one.connection is not None for one in self._sessions.values())

    async def until_connected(self, user_id: int) -> None:
        await self._arrivals.until(lambda: self.connected(user_id))

    async def drop_connections(self, code: int = Close.UNKNOWN_ERROR) -> None:
        """Close every socket, as Discord does now and then; sessions stay, to be resumed."""
        for session in list(self._sessions.values()):
            if session.connection is not None:
                await session.connection.close(code)

    async def ask_to_reconnect(self) -> None:
        """Op 7, as before a server is taken down."""
        for connection in self._connections():
            connection.send({"op": Op.RECONNECT})

    async def invalidate(self, *, resumable: bool) -> None:
        """Op 9: the session is gone, or (`resumable`) only this connection of it."""
        connections = self._connections()
        if not resumable:
            self.forget_sessions()
        for connection in connections:
            connection.send({"op": Op.INVALID_SESSION, "d": resumable})

    def slash(self, app_id: int, user: Person, channel_id: int, name: str) -> None:
        """`user` gives a slash command of the application's."""
        options: Json = {"id": str(self._guild.mint.new()), "name": name, "type": 1, "options": []}
        self.dispatch(
            "INTERACTION_CREATE",
            {
                "id": str(self._guild.mint.new()),
                "application_id": str(app_id),
                "type": 2,
                "token": "rehearsal.interaction.token",
                "version": 1,
                "guild_id": str(self._guild.id),
                "channel_id": str(channel_id),
                "channel": channel_json(self._guild.channel(channel_id), self._guild),
                "member": {**member_json(user), "permissions": "0"},
                "data": options,
                "entitlements": [],
                "authorizing_integration_owners": {},
                "attachment_size_limit": 10 << 20,
            },
        )

    def forget_sessions(self) -> None:
        """No session can be resumed any more; connections stay open."""
        self._sessions.clear()

    @property
    def resumes(self) -> int:
        return self.log.count(Op.RESUME)

    async def until(self, true: Callable[[], bool]) -> None:
        """Waits for something that a client's coming or going makes true."""
        await self._arrivals.until(true)

    async def expel(self) -> None:
        """Close every connection, and forget the sessions."""
        connections = self._connections()
        self.forget_sessions()
        for connection in connections:
            await connection.close(Close.UNKNOWN_ERROR)

    def cut_cables(self) -> None:
        for connection in self._connections():
            connection.cut()

    def fall_silent(self) -> None:
        """Sockets stay open, and nothing comes out of them any more: no event, no acknowledgement."""
        for connection in self._connections():
            connection.fall_silent()

    def permit(self, permissions: int) -> None:
        """Everybody may do this from now on, in every channel; whoever is connected hears of it."""
        self._guild.permissions = permissions
        role: Json = {"guild_id": str(self._guild.id), "role": everyone_json(self._guild)}
        self.dispatch("GUILD_ROLE_UPDATE", role)

    def redeliver(self) -> None:
        """Send everybody the newest event once more."""
        for session in self._sessions.values():
            if session.connection is not None and session.sent:
                session.connection.send(session.sent[-1])

    def dispatch(self, name: str, data: Json) -> None:
        """Send an event to everybody, whatever it says."""
        for session in self._sessions.values():
            session.dispatch(name, data)

    def _connections(self) -> list[Connection]:
        return [one.connection for one in self._sessions.values() if one.connection is not None]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One WebSocket, from HELLO to its end."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        compress = request.query.get("compress") == "zlib-stream"
        connection = Connection(socket, request.transport, compress)
        delivery = asyncio.create_task(connection.deliver(), name="gateway delivery")
        self.log.append(Op.HELLO)
        if self.slams:
            self.slams -= 1
            await connection.close(Close.UNKNOWN_ERROR)
        connection.send({"op": Op.HELLO, "d": {"heartbeat_interval": self.heartbeat_interval_ms}})
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT or not await self._receive(connection, frame.data):
                    break
        finally:
            delivery.cancel()
            self._forget(connection)
        return socket

    async def _receive(self, connection: Connection, text: str) -> bool:
        """Act on one frame; False ends the connection."""
        try:
            frame = json.loads(text)
            op, data = Op(frame["op"]), frame.get("d")
        except (ValueError, KeyError, TypeError):
            await connection.close(Close.DECODE_ERROR)
            return False
        match op:
            case Op.HEARTBEAT:
                if self.acknowledges:
                    connection.send({"op": Op.HEARTBEAT_ACK})
            case Op.IDENTIFY:
                self.log.append(op)
                return await self._identify(connection, data)
            case Op.RESUME:
                self.log.append(op)
                self._resume(connection, data)
            case _:
                pass
        return True

    async def _identify(self, connection: Connection, data: Json) -> bool:
        person = _holder_of(data["token"], self._guild)
        if person is None:
            await connection.close(Close.AUTHENTICATION_FAILED)
            return False
        if self.refusals:
            return await self._refuse(connection, self.refusals.popleft())
        session = Session(secrets.token_hex(16), person, Intent(data.get("intents", 0)), connection)
        self._sessions[session.id] = session
        session.dispatch("READY", ready_json(person, self._guild, session.id, self.url))
        if Intent.GUILDS in session.intents:
            session.dispatch("GUILD_CREATE", guild_json(self._guild, person.id))
        self._arrivals.announce()
        return True

    async def _refuse(self, connection: Connection, code: int | None) -> bool:
        if code is None:
            connection.send({"op": Op.INVALID_SESSION, "d": False})
            return True
        await connection.close(code)
        return False

    def _resume(self, connection: Connection, data: Json) -> None:
        session = self._sessions.get(data["session_id"])
        if session is None or session.person.token != data["token"]:
            connection.send({"op": Op.INVALID_SESSION, "d": False})
            return
        session.connection = connection
        for payload in session.sent[data["seq"] :]:
            connection.send(payload)
        session.dispatch("RESUMED", {})
        self._arrivals.announce()

    def _forget(self, connection: Connection) -> None:
        for session in list(self._sessions.values()):
            if session.connection is connection:
                session.connection = None
                if connection.ended_by_client:
                    del self._sessions[session.id]

    def _broadcast(self, happening: Happening) -> None:
        for session in self._sessions.values():
            for name, data in self._events(happening, session):
                session.dispatch(name, data)

    def _events(self, happening: Happening, session: Session) -> Iterator[tuple[str, Json]]:
        """What `session` hears of it, by its intents."""
        message = happening.message
        place: Json = {"channel_id": str(message.channel_id), "guild_id": str(self._guild.id)}
        messages = Intent.GUILD_MESSAGES in session.intents
        match happening:
            case Posted() if messages:
                yield "MESSAGE_CREATE", self._seen_by(session, message)
            case Edited() if messages:
                yield "MESSAGE_UPDATE", self._seen_by(session, message)
            case Deleted() if messages:
                yield "MESSAGE_DELETE", {**place, "id": str(message.id)}
            case Reacted(_, user_id, emoji) if Intent.GUILD_MESSAGE_REACTIONS in session.intents:
                yield "MESSAGE_REACTION_ADD", {**place, **_reaction(message.id, user_id, emoji)}
            case _:
                pass

    def _seen_by(self, session: Session, message: Message) -> Json:
        if not _may_read(session, message):
            message = replace(message, content="", attachments=())
        body = message_json(message, self._guild, self.base_url, session.person.id)
        member: Json = {"roles": [], "joined_at": "2026-01-01T00:00:00.000000+00:00", "flags": 0}
        return {**body, "guild_id": str(self._guild.id), "member": member}


def _may_read(session: Session, message: Message) -> bool:
    """Without the privileged intent, content is for the author and those it mentions."""
    reader = session.person.id
    return Intent.MESSAGE_CONTENT in session.intents or reader in (message.author.id, *message.mentions)


def _reaction(message_id: int, user_id: int, emoji: str) -> dict[str, Any]:
    return {
        "user_id": str(user_id),
        "message_id": str(message_id),
        "emoji": {"id": None, "name": emoji},
        "type": 0,
        "burst": False,
    }


def _holder_of(token: str, guild: Guild) -> Person | None:
    return next((one for one in guild.people.values() if one.bot and one.token == token), None)
