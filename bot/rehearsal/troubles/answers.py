"""How Discord answers on a bad day, and which requests are meant."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.rehearsal.discord.bodies import refused_for_now
from bot.rehearsal.discord.rest import Interference
from bot.rehearsal.discord.wire import Json
from bot.rehearsal.troubles.trial import Trial

Inject = Callable[[Trial], Awaitable[None]]


def times(count: int, meant: Callable[[web.Request], bool], answer: Interference) -> Interference:
    """`answer` for the next so many requests that are meant."""
    left = count

    async def interfere(request: web.Request) -> web.StreamResponse | None:
        nonlocal left
        if not left or not meant(request):
            return None
        left -= 1
        return await answer(request)

    return interfere


def always(meant: Callable[[web.Request], bool], answer: Interference) -> Interference:
    return times(1 << 30, meant, answer)


def json_answer(status_code: int, body: Json) -> Interference:
    async def answer(_: web.Request) -> web.StreamResponse:
        response = web.json_response(body, status=status_code)
        response.headers["Content-Type"] = "application/json"
        return response

    return answer


def status(code: int) -> Interference:
    return json_answer(code, {"message": f"{code}", "code": 0})


def too_many(*, via: bool = True, retry_after_s: float = 0.2, everywhere: bool = False) -> Interference:
    async def answer(_: web.Request) -> web.StreamResponse:
        return refused_for_now(retry_after_s, via=via, everywhere=everywhere)

    return answer


async def turned_away_by_the_proxy(_: web.Request) -> web.StreamResponse:
    """429 as Cloudflare says it: a page for people."""
    return web.Response(text="<html>Error 1015: You are being rate limited</html>", status=429)


async def reset(request: web.Request) -> web.StreamResponse | None:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def late(delay_s: float) -> Interference:
    async def answer(_: web.Request) -> web.StreamResponse | None:
        await asyncio.sleep(delay_s)
        return None

    return answer


hang = late(2.5)
"""Longer than IMPATIENT waits."""


def is_history(request: web.Request) -> bool:
    return request.method == "GET" and request.path.endswith("/messages")


def is_gateway(request: web.Request) -> bool:
    return request.path == "/"


def is_me(request: web.Request) -> bool:
    return request.path.endswith("/users/@me")


def is_attachment(request: web.Request) -> bool:
    return request.path.startswith("/attachments/")


def is_anything(_: web.Request) -> bool:
    return True
