"""Serves the page on the loopback: one stream of server-sent events out, two small requests in.

Whoever opens the page is told everything from the beginning, then what is new. Only this page may speak:
requests must name this host and come from it, so that no other site in the same browser can.
Format of the stream: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.rehearsal.cast import short_name
from bot.rehearsal.console import Review
from bot.rehearsal.discord.guild import MAX_CONTENT_CHARS, Deleted, Happening, RequestError
from bot.rehearsal.discord.news import News
from bot.rehearsal.discord.rest import Handler
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.gallery import scenes
from bot.rehearsal.gallery.scenes import Json
from bot.rehearsal.stage import TIMEZONE, Stage

PAGE = Path(__file__).with_name("page")
_LOOPBACK = "127.0.0.1"
_REFRESH_S = 0.5
_SILENT = "Training"
"""The daemon speaks for itself."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Call(BaseModel):
    """Somebody calls out from the gallery, in the name of `author`."""

    model_config = ConfigDict(extra="forbid")

    author: str
    text: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT_CHARS)]
    reply_to: int | None = None


class Mark(BaseModel):
    model_config = ConfigDict(extra="forbid")

    author: str
    message_id: int
    emoji: Literal["✅", "❌"]


class Gallery:
    """Open while it is used as a context; `url` is where."""

    def __init__(self, discord: DiscordServer, stage: Stage, port: int = 0) -> None:
        self._discord = discord
        self._stage = stage
        self._port = port
        self._people = {short_name(person): person for person in discord.guild.people.values()}
        self._told: dict[str, Json] = {}
        """The newest of each thing, in the order of its first appearance: what a newcomer is told."""
        self._version = 0
        self._versions: dict[str, int] = {}
        self._news = News()
        self._closing = False
        self._reading: asyncio.Task[None] | None = None
        self.url = ""
        app = web.Application(middlewares=[_only_this_page])
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/events", self._events),
                web.get("/attachments/{id:[0-9]+}", self._attachment),
                web.post("/say", self._say),
                web.post("/react", self._react),
                web.static("/page", PAGE),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, _LOOPBACK, self._port).start()
        self.url = f"http://{_LOOPBACK}:{self._runner.addresses[0][1]}/"
        self._discord.guild.subscribe(self._happened)
        self._reading = asyncio.create_task(self._read(), name="gallery")
        people = [name for name in self._people if name != _SILENT]
        zone = datetime.now(ZoneInfo(TIMEZONE)).tzname()
        clocks = {"timezone": TIMEZONE, "zone": zone}
        self.tell("cast", {"people": people, "episodes": self._stage.sizes.episodes} | clocks)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._news.announce()
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        await self._runner.cleanup()

    def tell(self, what: str, about: Json) -> None:
        """Everybody learns that `what` is now so; what has not changed is not told again."""
        if self._told.get(what) != about:
            self._version += 1
            self._told[what], self._versions[what] = about, self._version
            self._news.announce()

    def note(self, english: str, korean: str) -> None:
        """A line between the messages, about the rehearsal itself."""
        self.tell(f"note {self._version}", {"text": {"en": english, "ko": korean}})

    def verdict(self, review: Review) -> None:
        self.tell("verdict", scenes.verdict(review))

    def _happened(self, happening: Happening) -> None:
        about = scenes.message(happening.message, self._discord.guild.people)
        gone = isinstance(happening, Deleted)
        self.tell(f"message {happening.message.id}", {"id": about["id"], "deleted": True} if gone else about)

    async def _read(self) -> None:
        while True:
            read = await asyncio.to_thread(scenes.readings, self._stage)
            for name, about in read.items():
                self.tell(name, {"value": about})
            await asyncio.sleep(_REFRESH_S)

    # --- what the page asks for ------------------------------------------------

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE / "index.html")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        seen = 0
        with suppress(ConnectionResetError):  # the page was closed
            while not self._closing:
                await response.write("".join(self._since(seen)).encode())
                seen = self._version
                await self._news.until(lambda at=seen: self._closing or self._version > at)
        return response

    def _since(self, version: int) -> list[str]:
        return [
            f"data: {json.dumps({'what': what.split()[0], **about}, ensure_ascii=False)}\n\n"
            for what, about in self._told.items()
            if self._versions[what] > version
        ]

    async def _attachment(self, request: web.Request) -> web.Response:
        try:
            found = self._discord.guild.attachment(int(request.match_info["id"]))
        except RequestError:
            raise web.HTTPNotFound from None
        return web.Response(body=found.content, content_type=_kind(found.filename), headers=_HEADERS)

    async def _say(self, request: web.Request) -> web.Response:
        call = await _body(request, Call)
        try:
            await self._discord.say(self._speaker(call.author), call.text, reply_to=call.reply_to)
        except RequestError as refusal:
            raise web.HTTPBadRequest(text=f"Discord would refuse this: {refusal}") from None
        return web.Response(status=204)

    async def _react(self, request: web.Request) -> web.Response:
        mark = await _body(request, Mark)
        try:
            await self._discord.react(self._speaker(mark.author), mark.message_id, mark.emoji)
        except RequestError as refusal:
            raise web.HTTPBadRequest(text=f"Discord would refuse this: {refusal}") from None
        return web.Response(status=204)

    def _speaker(self, name: str) -> int:
        if name not in self._people or name == _SILENT:
            others = ", ".join(sorted(self._people.keys() - {_SILENT}))
            raise web.HTTPBadRequest(text=f"{name} is nobody you can speak as; choose one of {others}")
        return self._people[name].id


def _kind(filename: str) -> str:
    """What is no picture is shown as text, never run."""
    return "image/png" if filename.endswith(".png") else "text/plain"


async def _body[Body: BaseModel](request: web.Request, kind: type[Body]) -> Body:
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the request"
        raise web.HTTPBadRequest(text=f"{where}: {first['msg']}") from None


@web.middleware
async def _only_this_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Raises 403 for another host's name (DNS rebinding), 403 for a post that another page sends."""
    assert request.transport is not None, "the request came over a socket"
    port = request.transport.get_extra_info("sockname")[1]
    hosts = {f"{_LOOPBACK}:{port}", f"localhost:{port}"}
    origin = request.headers.get(hdrs.ORIGIN)
    if request.host not in hosts:
        raise web.HTTPForbidden(text="this page is for this machine alone")
    if request.method == hdrs.METH_POST and (
        request.content_type != "application/json" or origin not in {f"http://{host}" for host in hosts}
    ):
        raise web.HTTPForbidden(text="only this page may speak")
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response
