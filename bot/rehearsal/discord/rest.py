"""The embedded Discord's REST API v10: routes that read a request, ask the guild, and word its answer."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import quote

from aiohttp import web
from pydantic import ValidationError

from bot.rehearsal.cast import Person
from bot.rehearsal.discord.bodies import (
    EditBody,
    Reference,
    id_in,
    is_send,
    json_answer,
    read_message,
    refused_for_now,
)
from bot.rehearsal.discord.directory import CALLER, Directory
from bot.rehearsal.discord.guild import Draft, Guild, May, RequestError
from bot.rehearsal.discord.mentions import EVERYTHING
from bot.rehearsal.discord.news import News
from bot.rehearsal.discord.throttle import Throttle
from bot.rehearsal.discord.wire import message_json, user_json

PREFIX = "/api/v10"
INTERACTIONS = PREFIX + "/interactions"
"""Whoever answers one is known by its token alone."""
MAX_REQUEST_BYTES = 25 * 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Interference = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""Something that may answer a request instead of the API, or let it pass: the place for faults."""


class Rest:
    """The API over one guild. `base_url` is known once the server listens.

    `interferences` may answer a request before anything is done, `lost_answers` after it was done.
    `whispers` are the answers to slash commands that only their giver sees; `tries` counts the sends that
    were asked for, whatever became of them. With a `throttle` sends have a rate bucket a channel.
    """

    def __init__(self, guild: Guild) -> None:
        self.base_url = ""
        self.gateway_url = ""
        self.interferences: list[Interference] = []
        self.lost_answers: list[Interference] = []
        self.tries = 0
        self._news = News()
        self.throttle: Throttle | None = None
        self.whispers: list[str] = []
        self._guild = guild
        self._directory = Directory(guild)

    async def until(self, true: Callable[[], bool]) -> None:
        """Waits for something that a send that is asked for makes true."""
        await self._news.until(true)

    def add_to(self, app: web.Application) -> None:
        app.middlewares.append(self._answer_as_discord)
        message = PREFIX + "/channels/{channel}/messages/{message}"
        app.router.add_routes(
            [
                *self._directory.routes(PREFIX),
                web.get(PREFIX + "/gateway/bot", self._gateway_bot),
                web.get(PREFIX + "/channels/{channel}/messages", self._history),
                web.post(PREFIX + "/channels/{channel}/messages", self._send),
                web.get(message, self._message),
                web.patch(message, self._edit),
                web.delete(message, self._delete),
                web.put(message + "/reactions/{emoji}/@me", self._react),
                web.get(message + "/reactions/{emoji}", self._reacted),
                web.post(PREFIX + "/channels/{channel}/typing", self._typing),
                web.put(PREFIX + "/applications/{application}/commands", self._commands),
                web.put(PREFIX + "/applications/{application}/guilds/{guild}/commands", self._commands),
                web.post(INTERACTIONS + "/{interaction}/{token}/callback", self._interaction),
                web.get("/attachments/{channel}/{attachment}/{filename}", self._attachment),
            ]
        )

    @web.middleware
    async def _answer_as_discord(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a fault have the first word, then tell the caller by its token, and word refusals."""
        if is_send(request):
            self.tries += 1
            self._news.announce()
        for interfere in self.interferences:
            if (answer := await interfere(request)) is not None:
                return answer
        try:
            if request.path.startswith(PREFIX) and not request.path.startswith(INTERACTIONS):
                request[CALLER] = self._caller(request)
            answer = await self._paced(request, handler)
            for interfere in self.lost_answers:
                if (other := await interfere(request)) is not None:
                    return other
            return answer
        except RequestError as refusal:
            return json_answer({"message": str(refusal), "code": refusal.code}, refusal.status)
        except (ValidationError, json.JSONDecodeError):
            return json_answer({"message": "Invalid Form Body", "code": 50035}, 400)
        except web.HTTPNotFound:
            return json_answer({"message": "404: Not Found", "code": 0}, 404)

    async def _paced(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """By the rate bucket, if there is one: only sends have it here."""
        if self.throttle is None or not is_send(request):
            return await handler(request)
        grant = self.throttle.take(f"{request.match_info['channel']} {request[CALLER].id}")
        if grant.retry_after_s:
            return refused_for_now(grant.retry_after_s, headers=grant.headers)
        answer = await handler(request)
        answer.headers.update(grant.headers)
        return answer

    def _caller(self, request: web.Request) -> Person:
        token = request.headers.get("Authorization", "").removeprefix("Bot ")
        for person in self._guild.people.values():
            if person.bot and person.token == token:
                return person
        raise RequestError(401, 0, "401: Unauthorized")

    async def _gateway_bot(self, _request: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1}
        return json_answer({"url": self.gateway_url, "shards": 1, "session_start_limit": limit})

    async def _history(self, request: web.Request) -> web.Response:
        asked = {
            key: int(request.query[key]) for key in ("before", "after", "around") if key in request.query
        }
        limit = int(request.query.get("limit", "50"))
        page = self._guild.history(id_in(request, "channel"), limit, **asked)
        if not self._guild.permissions & May.READ_MESSAGE_HISTORY:
            page = []  # not an error, as on Discord
        return json_answer([self._worded(one.channel_id, one.id, request) for one in page])

    async def _send(self, request: web.Request) -> web.Response:
        channel_id = id_in(request, "channel")
        body, files = await read_message(request)
        self._must_be_able(May.SEND_MESSAGES)
        if files:
            self._must_be_able(May.ATTACH_FILES)
        draft = Draft(
            content=body.content or "",
            files=files,
            reply_to=self._target(channel_id, body.message_reference),
            nonce=body.nonce,
            enforce_nonce=body.enforce_nonce,
            allowed=body.allowed_mentions or EVERYTHING,
        )
        message = self._guild.post(channel_id, request[CALLER].id, draft)
        return json_answer(self._worded(channel_id, message.id, request))

    def _must_be_able(self, needed: May) -> None:
        if not self._guild.permissions & needed:
            raise RequestError(403, 50013, "Missing Permissions")

    def _target(self, channel_id: int, reference: Reference | None) -> int | None:
        if reference is None:
            return None
        known = reference.message_id in self._guild.channel(channel_id).messages
        return reference.message_id if known or reference.fail_if_not_exists else None

    async def _message(self, request: web.Request) -> web.Response:
        return json_answer(self._worded(id_in(request, "channel"), id_in(request, "message"), request))

    async def _edit(self, request: web.Request) -> web.Response:
        place = id_in(request, "channel"), id_in(request, "message")
        body = EditBody.model_validate_json(await request.read())
        if body.content is not None:
            allowed = body.allowed_mentions or EVERYTHING
            self._guild.edit(*place, request[CALLER].id, body.content, allowed)
        return json_answer(self._worded(*place, request))

    async def _delete(self, request: web.Request) -> web.Response:
        self._guild.delete(id_in(request, "channel"), id_in(request, "message"), request[CALLER].id)
        return web.Response(status=204)

    async def _react(self, request: web.Request) -> web.Response:
        place = id_in(request, "channel"), id_in(request, "message")
        self._must_be_able(May.ADD_REACTIONS)
        self._guild.react(*place, request[CALLER].id, request.match_info["emoji"])
        return web.Response(status=204)

    async def _reacted(self, request: web.Request) -> web.Response:
        message = self._guild.message(id_in(request, "channel"), id_in(request, "message"))
        users = message.reactions.get(request.match_info["emoji"], ())
        return json_answer([user_json(self._guild.people[user_id]) for user_id in users])

    async def _typing(self, request: web.Request) -> web.Response:
        self._guild.channel(id_in(request, "channel"))
        return web.Response(status=204)

    async def _commands(self, request: web.Request) -> web.Response:
        """Registering commands: each gets an id and comes back."""
        offered = cast("list[dict[str, Any]]", await request.json())
        fixed = {"application_id": str(request[CALLER].id), "version": "1"}
        if "guild" in request.match_info:
            fixed["guild_id"] = request.match_info["guild"]
        return json_answer(
            [
                {"type": 1, "description": "", **one, **fixed, "id": str(self._guild.mint.new())}
                for one in offered
            ]
        )

    async def _interaction(self, request: web.Request) -> web.Response:
        """The first answer to a slash command, which nobody but its giver sees."""
        body = cast("dict[str, Any]", await request.json())
        self.whispers.append(body.get("data", {}).get("content", ""))
        interaction = {"id": request.match_info["interaction"], "type": 2}
        return json_answer({"interaction": interaction})

    async def _attachment(self, request: web.Request) -> web.Response:
        found = self._guild.attachment(id_in(request, "attachment"))
        name = quote(found.filename)
        return web.Response(
            body=found.content,
            headers={
                "Content-Type": found.content_type,
                "Content-Disposition": f"attachment; filename={name}",
            },
        )

    def _worded(self, channel_id: int, message_id: int, request: web.Request) -> dict[str, Any]:
        message = self._guild.message(channel_id, message_id)
        return message_json(message, self._guild, self.base_url, request[CALLER].id)
