"""What befalls the session: closes, cuts, silence, refusals, storms, events that should not be."""

import asyncio
from dataclasses import replace

from aiohttp import web

from bot.rehearsal.discord.gateway import HEARTBEAT_INTERVAL_MS
from bot.rehearsal.discord.wire import Json, message_json
from bot.rehearsal.troubles.answers import Inject, always, is_gateway, is_me, late, status, times
from bot.rehearsal.troubles.trial import IMPATIENT, ROSTER, Trial

QUICKLY_SILENT = replace(IMPATIENT, silence_s=1.0)
QUICKLY_GIVEN_UP = replace(IMPATIENT, down_for_good_s=0.5)


def closes(code: int) -> Inject:
    async def inject(trial: Trial) -> None:
        await trial.server.gateway.drop_connections(code)
        await trial.ask()

    return inject


def refuses(*answers: int | None) -> Inject:
    """The session cannot be resumed, and the next logins are answered like this."""

    async def inject(trial: Trial) -> None:
        trial.server.gateway.refusals.extend(answers)
        await trial.server.gateway.expel()
        await trial.ask()

    return inject


async def cable(trial: Trial) -> None:
    trial.server.gateway.cut_cables()
    await trial.ask()


async def op7(trial: Trial) -> None:
    await trial.server.gateway.ask_to_reconnect()
    await trial.ask()


async def op9_resumable(trial: Trial) -> None:
    await trial.server.gateway.invalidate(resumable=True)
    await trial.ask()


async def op9(trial: Trial) -> None:
    await trial.server.gateway.invalidate(resumable=False)
    await trial.ask()


async def deaf(trial: Trial) -> None:
    """Heartbeats go unanswered while events flow; only looking after the session shows it."""
    gateway = trial.server.gateway
    await _beat_every(trial, 200)
    gateway.heartbeat_interval_ms = HEARTBEAT_INTERVAL_MS
    gateway.acknowledges = False
    await trial.ask()
    while gateway.resumes == 1:
        await asyncio.sleep(0.05)
        await trial.house.gateway.look_after()
    gateway.acknowledges = True
    await trial.ask()


async def zombie(trial: Trial) -> None:
    """Nothing comes any more, no acknowledgement either, and the socket stays open."""
    await _beat_every(trial, 300)
    trial.server.gateway.fall_silent()
    await trial.ask()


async def _beat_every(trial: Trial, interval_ms: int) -> None:
    gateway = trial.server.gateway
    gateway.heartbeat_interval_ms = interval_ms
    await gateway.ask_to_reconnect()
    await gateway.until(lambda: gateway.resumes == 1)


async def storm(trial: Trial) -> None:
    trial.server.gateway.slams = 24
    await trial.server.gateway.drop_connections()
    await trial.ask()


async def malformed(trial: Trial) -> None:
    trial.server.gateway.dispatch("MESSAGE_CREATE", {"id": "1"})
    await trial.ask()


async def unknown_event(trial: Trial) -> None:
    trial.server.gateway.dispatch("NO_SUCH_EVENT", {"id": "1"})
    await trial.ask()


async def handler_fails(trial: Trial) -> None:
    """A message of a moment that no calendar knows: our own handler cannot make a letter of it."""
    trial.server.gateway.dispatch("MESSAGE_CREATE", {**_some_message(trial), "id": str(1 << 90)})
    await trial.ask()


async def redelivered(trial: Trial) -> None:
    for _ in range(3):
        await trial.ask()
        trial.server.gateway.redeliver()


async def early(trial: Trial) -> None:
    """Messages that come before the session is ready: READY is late, they are not."""
    trial.server.rest.interferences.append(times(1, is_gateway, late(0.3)))
    await trial.server.gateway.invalidate(resumable=False)
    await trial.ask(3)
    await trial.server.gateway.until_connected(ROSTER.training)
    await trial.ask(3)


async def first_connect(trial: Trial) -> None:
    await trial.crash()
    trial.server.rest.interferences.append(times(2, is_gateway, status(503)))
    await trial.start()
    await trial.ask()


async def away(trial: Trial) -> None:
    trial.server.rest.interferences.append(times(2, is_gateway, status(503)))
    trial.server.gateway.cut_cables()
    await trial.ask()


async def away_too_long(trial: Trial) -> None:
    """The library would wait ever longer between its tries; the client is given up, and a new one made."""
    logged_in_anew = asyncio.Event()

    async def note(_: web.Request) -> web.StreamResponse | None:
        logged_in_anew.set()
        return None

    trial.server.rest.interferences += (gone := [always(is_gateway, status(503)), times(1, is_me, note)])
    trial.server.gateway.cut_cables()
    await trial.ask()
    await logged_in_anew.wait()
    trial.server.rest.interferences.remove(gone[0])


def _some_message(trial: Trial) -> Json:
    newest = list(trial.server.guild.main_channel.messages.values())[-1]
    body = message_json(newest, trial.server.guild, trial.server.rest.base_url, ROSTER.training)
    return {**body, "guild_id": str(trial.server.guild.id)}
