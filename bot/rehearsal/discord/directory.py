"""Who and what there is, as the embedded Discord's REST API tells it: users, application, guild, channel."""

from aiohttp import web

from bot.rehearsal.cast import Person
from bot.rehearsal.discord.bodies import id_in, json_answer
from bot.rehearsal.discord.guild import Guild, RequestError
from bot.rehearsal.discord.wire import application_json, channel_json, member_json, server_json, user_json

CALLER = web.RequestKey("caller", Person)
"""Whose token a request came with."""


class Directory:
    def __init__(self, guild: Guild) -> None:
        self._guild = guild

    def routes(self, prefix: str) -> list[web.RouteDef]:
        return [
            web.get(prefix + "/users/@me", self._me),
            web.get(prefix + "/users/{user}", self._user),
            web.get(prefix + "/applications/@me", self._application),
            web.get(prefix + "/oauth2/applications/@me", self._application),
            web.get(prefix + "/guilds/{guild}", self._server),
            web.get(prefix + "/guilds/{guild}/members/{user}", self._member),
            web.get(prefix + "/channels/{channel}", self._channel),
        ]

    async def _me(self, request: web.Request) -> web.Response:
        return json_answer(user_json(request[CALLER]))

    async def _user(self, request: web.Request) -> web.Response:
        person = self._guild.people.get(id_in(request, "user"))
        if person is None:
            raise RequestError(404, 10013, "Unknown User")
        return json_answer(user_json(person))

    async def _application(self, request: web.Request) -> web.Response:
        return json_answer(application_json(request[CALLER]))

    async def _server(self, request: web.Request) -> web.Response:
        self._must_be_ours(request)
        return json_answer(server_json(self._guild))

    async def _member(self, request: web.Request) -> web.Response:
        self._must_be_ours(request)
        person = self._guild.people.get(id_in(request, "user"))
        if person is None:
            raise RequestError(404, 10007, "Unknown Member")
        return json_answer(member_json(person))

    async def _channel(self, request: web.Request) -> web.Response:
        return json_answer(channel_json(self._guild.channel(id_in(request, "channel")), self._guild))

    def _must_be_ours(self, request: web.Request) -> None:
        if id_in(request, "guild") != self._guild.id:
            raise RequestError(404, 10004, "Unknown Guild")
