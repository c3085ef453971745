"""What goes wrong on Discord, fault by fault: how each is brought about on the embedded one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.rehearsal.discord_server import DiscordServer
from bot.rehearsal.gateway import HEARTBEAT_INTERVAL_MS
from bot.rehearsal.rest import Interference
from bot.rehearsal.trial import ROSTER, Trial
from bot.rehearsal.wire import Json

Inject = Callable[[Trial], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Trouble:
    """`inject` brings it about and asks in its midst. `fatal`: the daemon must end, and say this."""

    name: str
    inject: Inject
    fatal: str = ""


# --- the gateway --------------------------------------------------------------


def _closes(code: int) -> Inject:
    async def inject(trial: Trial) -> None:
        await trial.server.gateway.drop_connections(code)
        await trial.ask()

    return inject


def _refuses(*answers: int | None) -> Inject:
    """The session cannot be resumed, and the next logins are answered like this."""

    async def inject(trial: Trial) -> None:
        trial.server.gateway.refusals.extend(answers)
        await trial.server.gateway.expel()
        await trial.ask()

    return inject


async def _cable(trial: Trial) -> None:
    trial.server.gateway.cut_cables()
    await trial.ask()


async def _op7(trial: Trial) -> None:
    await trial.server.gateway.ask_to_reconnect()
    await trial.ask()


async def _op9_resumable(trial: Trial) -> None:
    await trial.server.gateway.invalidate(resumable=True)
    await trial.ask()


async def _op9(trial: Trial) -> None:
    await trial.server.gateway.invalidate(resumable=False)
    await trial.ask()


async def _deaf(trial: Trial) -> None:
    """Heartbeats go unanswered while events flow; only looking after the session shows it."""
    gateway = trial.server.gateway
    gateway.heartbeat_interval_ms = 200
    await gateway.ask_to_reconnect()
    await gateway.until(lambda: gateway.resumes == 1)
    gateway.heartbeat_interval_ms = HEARTBEAT_INTERVAL_MS
    gateway.acknowledges = False
    await trial.ask()
    while gateway.resumes == 1:
        await asyncio.sleep(0.05)
        await trial.house.gateway.look_after()
    gateway.acknowledges = True
    await trial.ask()


async def _storm(trial: Trial) -> None:
    trial.server.gateway.slams = 24
    await trial.server.gateway.drop_connections()
    await trial.ask()


async def _malformed(trial: Trial) -> None:
    trial.server.gateway.dispatch("MESSAGE_CREATE", {"id": "1"})
    await trial.ask()


async def _unknown_event(trial: Trial) -> None:
    trial.server.gateway.dispatch("NO_SUCH_EVENT", {"id": "1"})
    await trial.ask()


async def _redelivered(trial: Trial) -> None:
    for _ in range(3):
        await trial.ask()
        trial.server.gateway.redeliver()


async def _first_connect(trial: Trial) -> None:
    await trial.crash()
    trial.server.rest.interferences.append(_times(2, _is_gateway, _status(503)))
    await trial.start()
    await trial.ask()


async def _gateway_away(trial: Trial) -> None:
    trial.server.rest.interferences.append(_times(2, _is_gateway, _status(503)))
    trial.server.gateway.cut_cables()
    await trial.ask()


# --- requests -----------------------------------------------------------------


def _sends(times: int, answer: Interference) -> Inject:
    """So many sends are answered like this, and nothing is done."""

    async def inject(trial: Trial) -> None:
        trial.server.rest.interferences.append(_times(times, _is_send, answer))
        await trial.ask()

    return inject


def _sent_but(times: int, answer: Interference) -> Inject:
    """So many sends are done, and then answered like this."""

    async def inject(trial: Trial) -> None:
        trial.server.rest.lost_answers.append(_times(times, _is_send, answer))
        await trial.ask()

    return inject


async def _history_away(trial: Trial) -> None:
    trial.server.rest.interferences.append(_times(2, _is_history, _status(503)))
    await trial.server.gateway.invalidate(resumable=False)
    await trial.ask()


async def _login_away(trial: Trial) -> None:
    await trial.crash()
    trial.server.rest.interferences.append(_times(2, _is_me, _status(503)))
    await trial.start()
    await trial.ask()


async def _refused(trial: Trial) -> None:
    """One message is refused for good; operators are told, and the others go on."""
    answer = _json_answer(400, {"code": 50035, "message": "Invalid Form Body"})
    trial.server.rest.interferences.append(_times(1, _is_send, answer))
    await trial.server.say(ROSTER.watcher, f"<@{ROSTER.training}> 상태?")
    await trial.server.record.until(lambda entry: "[ALERT]" in entry.content)
    await trial.ask()


async def _unheard(trial: Trial) -> None:
    await trial.ask()
    trial.server.guild.deaf_ears = 1
    await trial.all_answered()


# --- crashes ------------------------------------------------------------------


async def _away(trial: Trial) -> None:
    await trial.crash()
    await trial.ask(60)
    await trial.start()
    await trial.ask()


async def _crash_while_quiet(trial: Trial) -> None:
    await trial.ask()
    await trial.crash()
    await trial.start()
    await trial.ask()


async def _crash_after_sending(trial: Trial) -> None:
    """Discord has the message, and the daemon dies before it can note that."""
    sent = asyncio.Event()

    async def hold(_: web.Request) -> web.StreamResponse | None:
        sent.set()
        await asyncio.sleep(0.3)
        return None

    trial.server.rest.lost_answers.append(_times(1, _is_send, hold))
    await trial.ask()
    await sent.wait()
    await trial.crash()
    await trial.start()


async def _as_a_file(trial: Trial) -> None:
    """A peer's long message comes as `message.txt`, which cannot be fetched at first."""
    trial.server.rest.interferences.append(_times(1, _is_attachment, _status(503)))
    await trial.ask_in_a_file()


# --- at any moment -------------------------------------------------------------


def brief_faults(server: DiscordServer) -> tuple[Callable[[], Awaitable[None]], ...]:
    """Faults that pass by themselves within seconds, for a daemon with its production limits."""

    def next_send(answer: Interference) -> Callable[[], Awaitable[None]]:
        async def befall() -> None:
            server.rest.interferences[:] = [_times(1, _is_send, answer)]

        return befall

    def next_answer(answer: Interference) -> Callable[[], Awaitable[None]]:
        async def befall() -> None:
            server.rest.lost_answers[:] = [_times(1, _is_send, answer)]

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
        next_send(_status(502)),
        next_send(_status(503)),
        next_send(_too_many(via=True)),
        next_send(_too_many(via=False)),
        next_send(_reset),
        next_answer(_status(502)),
        next_answer(_reset),
    )


# --- answers and requests ------------------------------------------------------


def _times(times: int, meant: Callable[[web.Request], bool], answer: Interference) -> Interference:
    """`answer` for the next so many requests that are meant."""
    left = times

    async def interfere(request: web.Request) -> web.StreamResponse | None:
        nonlocal left
        if not left or not meant(request):
            return None
        left -= 1
        return await answer(request)

    return interfere


def _json_answer(status: int, body: Json, headers: dict[str, str] | None = None) -> Interference:
    async def answer(_: web.Request) -> web.StreamResponse:
        response = web.json_response(body, status=status, headers=headers)
        response.headers["Content-Type"] = "application/json"
        return response

    return answer


def _status(status: int) -> Interference:
    return _json_answer(status, {"message": f"{status}", "code": 0})


def _too_many(*, via: bool) -> Interference:
    headers = {"Retry-After": "0.2", **({"Via": "1.1 google"} if via else {})}
    body: Json = {"message": "You are being rate limited.", "retry_after": 0.2, "global": False}
    return _json_answer(429, body, headers)


async def _reset(request: web.Request) -> web.StreamResponse | None:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _hang(_: web.Request) -> web.StreamResponse | None:
    await asyncio.sleep(2.5)  # longer than IMPATIENT waits
    return None


def _is_send(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/messages")


def _is_history(request: web.Request) -> bool:
    return request.method == "GET" and request.path.endswith("/messages")


def _is_gateway(request: web.Request) -> bool:
    return request.path == "/"


def _is_me(request: web.Request) -> bool:
    return request.path.endswith("/users/@me")


def _is_attachment(request: web.Request) -> bool:
    return request.path.startswith("/attachments/")


TROUBLES = (
    Trouble("nothing at all", Trial.ask),
    Trouble("cable cut", _cable),
    Trouble("op 7: reconnect", _op7),
    Trouble("op 9 true: resumable", _op9_resumable),
    Trouble("op 9 false: session gone", _op9),
    *(Trouble(f"close {code}", _closes(code)) for code in (1000, 1001, 1012, 4000, 4009)),
    Trouble("RESUME refused", _refuses()),
    Trouble("IDENTIFY refused ×8 (op 9 loop)", _refuses(*[None] * 8)),
    Trouble("close 4004: bad token", _refuses(4004), fatal="DISCORD_TOKEN"),
    Trouble("close 4013: bad intents", _refuses(4013), fatal="intents"),
    Trouble("close 4014: intent not enabled", _refuses(4014), fatal="Message Content Intent"),
    Trouble("heartbeats unanswered, events flow", _deaf),
    Trouble("accept, then close ×24 (storm)", _storm),
    Trouble("malformed event", _malformed),
    Trouble("unknown event", _unknown_event),
    Trouble("events delivered twice", _redelivered),
    Trouble("gateway refuses the first connect", _first_connect),
    Trouble("gateway away after a cut", _gateway_away),
    Trouble("REST away at login", _login_away),
    Trouble("history away at READY", _history_away),
    Trouble("429 with Via", _sends(2, _too_many(via=True))),
    Trouble("429 without Via", _sends(2, _too_many(via=False))),
    Trouble("502 before the commit ×2", _sends(2, _status(502))),
    Trouble("502 after the commit", _sent_but(1, _status(502))),
    Trouble("503", _sends(2, _status(503))),
    Trouble("403", _sends(1, _status(403))),
    Trouble("reset before the commit", _sends(2, _reset)),
    Trouble("reset after the commit", _sent_but(2, _reset)),
    Trouble("hang, then commit", _sends(1, _hang)),
    Trouble("commit, then hang", _sent_but(1, _hang)),
    Trouble("400: refused for good", _refused),
    Trouble("mention lost by the server", _unheard),
    Trouble("attachment not there at first", _as_a_file),
    Trouble("away for 120 messages", _away),
    Trouble("killed inside the quiet time", _crash_while_quiet),
    Trouble("killed between send and note", _crash_after_sending),
)
