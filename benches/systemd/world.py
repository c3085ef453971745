"""The machine, the channel and what can be seen of both, in the words of the cases."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from benches.systemd.ground import METADATA, Ground
from benches.systemd.machine import LOOK_EVERY_S, Machine
from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.discord.server import DiscordServer
from protocol.folders import AttemptFolder
from protocol.progress import Progress, Started, Stepped, read_line
from protocol.roster import Roster

ROSTER = Roster()
PATIENCE_S = 900.0
"""For what takes seconds on an idle machine: a busy one is not a broken one."""
DAEMON, TRAINER = "training-claw.service", "training-claw-trainer.service"


class Wrong(Exception):
    """A case did not come out as it should; the message says what was seen instead."""


def expect(seen: bool, otherwise: str) -> None:
    if not seen:
        raise Wrong(otherwise)


@dataclass(slots=True)
class World:
    """`alarms` are what the webhook was told, `asked` what was asked of the metadata server."""

    machine: Machine
    ground: Ground
    discord: DiscordServer
    alarms: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])

    # --- the channel --------------------------------------------------------

    async def say(self, author: int, text: str) -> int:
        return (await self.discord.say(author, f"<@{ROSTER.training}> {text}")).id

    async def heard(self, words: str, after: int = 0) -> str:
        """The first message of ours with these words after a message."""
        entry = await self.discord.record.until(
            lambda one: one.author_id == ROSTER.training and words in one.content and one.id > after
        )
        return entry.content

    async def status(self) -> str:
        """The answer to `!status`: a loop that turns."""
        question = await self.discord.say(OPERATOR_ID, "!status")
        return await self.heard("[ANSWER]", question.id)

    def count(self, words: str) -> int:
        entries = self.discord.record.entries
        return sum(one.author_id == ROSTER.training and words in one.content for one in entries)

    # --- the machine --------------------------------------------------------

    async def until[T](
        self,
        look: Callable[[], Awaitable[T]],
        good: Callable[[T], bool],
        what: str,
        limit_s: float = PATIENCE_S,
    ) -> T:
        seen: T | None = None
        try:
            async with asyncio.timeout(limit_s):
                while not good(seen := await look()):  # noqa: ASYNC110  systemd does not tell us
                    await asyncio.sleep(LOOK_EVERY_S)
                return seen
        except TimeoutError:
            raise Wrong(f"{what}: still {seen!r} after {limit_s:.0f} s") from None

    async def is_(self, unit: str, state: str, limit_s: float = PATIENCE_S) -> None:
        await self.until(
            lambda: self.machine.show(unit, "ActiveState"),
            lambda seen: seen == state,
            f"{unit} {state}",
            limit_s,
        )

    async def main_pid(self, unit: str) -> int:
        return int(await self.machine.show(unit, "MainPID") or 0)

    async def restarts(self) -> int:
        return int(await self.machine.show(DAEMON, "NRestarts") or 0)

    async def alarmed(self) -> int:
        return len(self.alarms)

    # --- the trainer --------------------------------------------------------

    def attempts(self) -> list[AttemptFolder]:
        """Of all runs, the oldest first."""
        runs = self.machine.file("/var/lib/training-claw/runs")
        numbered = ((int(path.name), path) for path in runs.glob("*/attempts/*"))
        return [AttemptFolder(path) for _, path in sorted(numbered)]

    async def counted(self) -> int:
        """Which attempt is the newest."""
        return int(self.attempts()[-1].path.name)

    def spoken(self) -> list[Progress]:
        """All that the newest attempt said."""
        folder = self.attempts()[-1]
        raw = folder.events.read_bytes().split(b"\n") if folder.events.exists() else []
        return [read_line(line) for line in raw[:-1]]

    def newest_step(self) -> int:
        return max((line.step for line in self.spoken() if isinstance(line, Stepped)), default=0)

    async def steps_beyond(self, step: int) -> int:
        """Training goes on: wait for a step after this one."""

        async def newest() -> int:
            return self.newest_step()

        return await self.until(newest, lambda seen: seen > step, f"a step after {step}")

    async def trains(self) -> int:
        """The pid of the trainer's unit, once its newest attempt trains."""

        async def started() -> bool:
            expect(not self.count("[BLOCKED]"), "a [BLOCKED]; see transcript.jsonl")
            return any(isinstance(line, Started) for line in self.spoken()) if self.attempts() else False

        await self.until(started, bool, "a training that has started")
        await self.steps_beyond(0)
        return await self.main_pid(TRAINER)

    # --- what listens beside it ---------------------------------------------

    async def listen(self) -> str:
        """A webhook and a metadata server; the webhook's URL."""
        app = web.Application()
        app.router.add_post("/webhook", self._alarmed)
        app.router.add_get("/computeMetadata/{rest:.*}", self._asked)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        hook = web.TCPSite(runner, "127.0.0.1", 0)
        await hook.start()
        await web.TCPSite(runner, METADATA, 80).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"

    async def _alarmed(self, request: web.Request) -> web.Response:
        self.alarms.append(json.loads(await request.text())["content"])
        return web.Response(status=204)

    async def _asked(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response({"access_token": "of the machine"})
