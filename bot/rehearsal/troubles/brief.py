"""Faults that pass by themselves, for whoever goes on talking meanwhile."""

from collections.abc import Awaitable, Callable

from bot.rehearsal.discord.bodies import is_send
from bot.rehearsal.discord.rest import Interference
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.troubles.answers import reset, status, times, too_many


def brief_faults(server: DiscordServer) -> tuple[Callable[[], Awaitable[None]], ...]:
    """Faults that pass by themselves within seconds, for a daemon with its production limits."""

    def next_send(answer: Interference) -> Callable[[], Awaitable[None]]:
        async def befall() -> None:
            server.rest.interferences[:] = [times(1, is_send, answer)]

        return befall

    def next_answer(answer: Interference) -> Callable[[], Awaitable[None]]:
        async def befall() -> None:
            server.rest.lost_answers[:] = [times(1, is_send, answer)]

        return befall

    async def cut() -> None:
        server.gateway.cut_cables()

    async def deliver_again() -> None:
        server.gateway.redeliver()

    return (
        cut,
        deliver_again,
        server.gateway.ask_to_reconnect,
        server.gateway.drop_connections,
        lambda: server.gateway.invalidate(resumable=True),
        next_send(status(502)),
        next_send(status(503)),
        next_send(too_many(via=True)),
        next_send(too_many(via=False)),
        next_send(reset),
        next_answer(status(502)),
        next_answer(reset),
    )
