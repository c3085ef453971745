"""Seen from outside: /healthz for who asks whether we live, /metrics for Prometheus; on the loopback alone.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from bot.core.policy import Policy
from bot.core.showing import liveness
from bot.shell.deciding.desk import utc_now
from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places
from bot.shell.outlook.facts import Facts, at, facts
from bot.shell.outlook.looking import look
from bot.shell.remembering.store import StoreUnusable

LOOPBACK = "127.0.0.1"
LOOK_S = 10.0
VERDICTS: tuple[liveness.Verdict, ...] = ("alive", "stalled", "dead", "unknown")

NUMBERS = {
    "cycle": ("cycle.number", "Number of the open cycle."),
    "queue": ("queue", "Cycles that wait."),
    "epoch": ("stepped.epoch", "Finished epochs of the run."),
    "epochs": ("stepped.epochs", "Epochs asked for."),
    "loss": ("stepped.loss", "Mean of LeRobot's total loss over the running epoch."),
    "last_loss": ("stepped.last_loss", "Mean of the last finished epoch."),
    "samples_per_second": ("stepped.samples_per_s", "Training speed."),
    "eta_seconds": ("stepped.eta_s", "Until the run's end, by the trainer's own reckoning."),
    "step_age_seconds": ("stepped_ago_s", "Age of the trainer's newest word on its steps."),
    "gpu_used_bytes": ("stepped.gpu.used_bytes", "Memory in use on the GPU."),
    "gpu_busy_ratio": ("stepped.gpu.busy_share", "How much of the last moments the GPU computed."),
    "gpu_total_bytes": ("stepped.gpu.total_bytes", "Memory of the GPU."),
    "disk_free_bytes": ("disk.free_bytes", "Free on STATE_DIR's disk."),
    "disk_total_bytes": ("disk.total_bytes", "Size of STATE_DIR's disk."),
    "owed_messages": ("owed.messages", "Messages not sent yet."),
    "owed_effects": ("owed.effects", "Other orders not carried out yet."),
    "parked_messages": ("owed.parked", "Messages that Discord refused."),
    "message_lag_seconds": ("owed.message_waits_s", "How long the oldest unsent message has waited."),
    "upload_lag_seconds": ("owed.upload_waits_s", "How long the oldest upload has waited."),
}
"""Gauges by name: where the number is in the facts, and what it says. What is not known is not shown."""


class Window:
    """`silent_s` says how long Discord was not heard, `cramped_since` since when nothing can be saved."""

    def __init__(
        self,
        places: Places,
        policy: Policy,
        port: int,
        silent_s: Callable[[], float],
        cramped_since: Callable[[], datetime | None],
    ) -> None:
        self._places = places
        self._policy = policy
        self._port = port
        self._silent_s = silent_s
        self._cramped_since = cramped_since
        self._address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def opened(self) -> str:
        """Its address, once it answers."""
        return await asyncio.shield(self._address)

    async def run(self) -> None:
        """Answer until cancelled.

        Raises:
            Fatal: the port is another's.
        """
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, self._port).start()
            self._address.set_result(f"http://{LOOPBACK}:{runner.addresses[0][1]}")
            await asyncio.Future[None]()
        except OSError as error:
            raise Fatal(f"METRICS_PORT {self._port}: {error.strerror}; choose another") from None
        finally:
            await runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        """200 as long as the daemon works. Troubles of the trainer and of Discord are told, and not ours."""
        told, since = await self._told(), self._cramped_since()
        heard = "connected" if self._silent_s() == 0 else "away"
        status = "ok" if told else "the database does not answer"
        if since is not None:
            status = f"disk full: nothing can be saved, waiting since {since.isoformat(timespec='seconds')}"
        brief = {"status": status, "discord": heard} | {
            name: told[name] for name in ("process", "headline") if told
        }
        return web.json_response(
            brief,
            status=200 if status == "ok" else 503,
            dumps=lambda one: json.dumps(one, ensure_ascii=False),
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        told = await self._told()
        if told is None:
            return web.Response(status=503, text="the database does not answer\n")
        body = exposed(told, connected=self._silent_s() == 0, cramped=self._cramped_since() is not None)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _told(self) -> Facts | None:
        try:
            async with asyncio.timeout(LOOK_S):
                return await asyncio.to_thread(_facts, self._places, self._policy, utc_now())
        except (StoreUnusable, TimeoutError, OSError):
            return None


def exposed(told: Facts, *, connected: bool, cramped: bool) -> bytes:
    """The facts in Prometheus's text format."""
    registry = CollectorRegistry()

    def gauge(name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"training_claw_{name}", says, labels, registry=registry)

    gauge("discord_connected", "1 while Discord answers.").set(connected)
    gauge("disk_full", "1 while nothing can be saved for want of room.").set(cramped)
    for name, (path, says) in NUMBERS.items():
        number = at(told, path)
        if number is not None:
            gauge(name, says).set(number)
    trainer = gauge("trainer", "1 for what is believed of the trainer's process.", "verdict")
    for verdict in VERDICTS:
        trainer.labels(verdict).set(told["process"] == verdict)
    phase = gauge("phase", "1 for the phase that a track of the cycle is in.", "track", "phase")
    phases: dict[str, str] = at(told, "cycle.phases") or {}
    for track, name in phases.items():
        phase.labels(track, name).set(1)
    return generate_latest(registry)


def _facts(places: Places, policy: Policy, now: datetime) -> Facts:
    return facts(look(places, policy, now))
