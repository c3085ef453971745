"""The daemon itself on an embedded Discord, in one process: whatever happens, it answers everything once.

Questions carry a mark of their own, and so does each answer: an operator asks for a command that does not
exist, Watcher tells of a lesson. An answer counts only if it notifies who asked.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.rehearsal.cast import OPERATOR_ID, cast_of
from bot.rehearsal.discord.guild import File, Guild
from bot.rehearsal.discord.server import DiscordServer
from bot.settings import Settings
from bot.shell.bucket import open_bucket
from bot.shell.daemon import live
from bot.shell.deciding.desk import utc_now
from bot.shell.discord.lifeline import Limits
from bot.shell.machine.places import Places
from bot.shell.remembering.store import Store
from bot.shell.stagehand import Orders
from bot.shell.wiring import House, furnish
from protocol.roster import Roster

ROSTER = Roster()
IMPATIENT = Limits(
    ready_s=0.05,
    request_s=1.0,
    identify_pause_s=0.05,
    first_pause_s=0.05,
    longest_pause_s=0.5,
)
"""The daemon's own limits, shortened: the faults are the same, only nobody waits half a minute for one."""
QUIET_S = 0.05
ANSWERING = ("[RECEIPT]", "[ANSWER]")
"""A lesson's words come again where it is judged; that is no second answer."""


class Wrong(Exception):
    """What the daemon did is not well; one line says why."""


@dataclass(frozen=True, slots=True)
class SharedClock:
    """Discord's clock and the daemon's, which may be put forward together."""

    orders: Orders

    def now(self) -> datetime:
        return utc_now() + self.orders.offset()

    def forward(self, by: timedelta) -> None:
        self.orders.clock.write_text(str((self.orders.offset() + by).total_seconds()))


@dataclass(frozen=True, slots=True)
class Asked:
    mark: str
    author_id: int


class Trial:
    """`house` is the daemon while it runs. `server` is where faults are injected."""

    def __init__(
        self,
        server: DiscordServer,
        folder: Path,
        limits: Limits = IMPATIENT,
        *,
        clock: SharedClock,
        quiet_s: float = QUIET_S,
    ) -> None:
        self.server = server
        self.clock = clock
        self.asked: list[Asked] = []
        self._quiet_s = quiet_s
        self._folder = folder
        self._limits = limits
        self._house: House | None = None
        self._running: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()

    @property
    def house(self) -> House:
        assert self._house is not None, "the daemon was started"
        return self._house

    async def start(self) -> None:
        bucket = self._folder / "bucket"
        bucket.mkdir(parents=True, exist_ok=True)
        settings = settings_for(self.server, self._folder, self._quiet_s)
        places = Places(settings.state_dir)
        places.path.mkdir(exist_ok=True)
        store = await Store.open(places.database)
        self._stack.push_async_callback(store.close)
        shelf = open_bucket(settings.bucket)
        self._stack.push_async_callback(shelf.close)
        self._house = await furnish(settings, places, store, shelf, self._limits)
        self._stop = asyncio.Event()
        self._running = asyncio.create_task(live(self._house, self._stop), name="daemon")

    async def crash(self) -> None:
        """Every part of it ends where it stands; nothing is said or saved any more."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        await self._stack.aclose()

    async def stop(self) -> None:
        """SIGTERM: it says goodbye as in production."""
        assert self._running is not None, "the daemon was started"
        self._stop.set()
        await self._running
        await self._stack.aclose()

    async def ended(self) -> BaseException | None:
        """Waits until the daemon ends by itself; why."""
        assert self._running is not None, "the daemon was started"
        await asyncio.wait([self._running])
        return self._running.exception()

    async def ask(self, times: int = 1) -> None:
        """So many questions of an operator, and as many lessons of Watcher's."""
        for _ in range(times):
            await self._ask(OPERATOR_ID, "!{}")
            await self._ask(ROSTER.watcher, f"<@{ROSTER.training}> [LESSON]\n- [학습] 표시 {{}}")

    async def ask_in_a_file(self) -> None:
        """A lesson as peers send long ones: the mention, and `message.txt`."""
        await self._ask(ROSTER.watcher, f"<@{ROSTER.training}>", "[LESSON]\n- [학습] 표시 {}")

    async def open_cycle(self, *, with_proposal: bool = False) -> int:
        """Watcher's HANDOFF of cycle 7; the id of our receipt, or of our proposal."""
        lesson = "\n- [학습] batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생" if with_proposal else ""
        await self.server.say(ROSTER.watcher, f"<@{ROSTER.training}> [HANDOFF] Cycle 7{lesson}")
        wanted = "설정 변경 승인 요청" if with_proposal else "HANDOFF 접수"
        return (await self.server.record.until(lambda entry: wanted in entry.content)).id

    def curve(self) -> Path:
        """Where the open cycle's run keeps its picture."""
        cycle = self.house.desk.state.cycle
        assert cycle is not None, "a cycle is open"
        return Places(self._folder / "state").run(cycle.run_name).loss_curve

    def mark(self, author_id: int) -> str:
        """Of a question that is asked by other words; whoever uses it asks."""
        mark = f"q{len(self.asked):05d}"
        self.asked.append(Asked(mark, author_id))
        return mark

    async def all_answered(self) -> None:
        for one in self.asked:
            await self.server.record.until(lambda entry, one=one: self._answers(entry.id, one))
        await self.house.courier.emptied()

    def lost(self) -> list[str]:
        return [one.mark for one in self.asked if not self._answer_ids(one)]

    def doubled(self) -> list[str]:
        return [one.mark for one in self.asked if len(self._answer_ids(one)) > 1]

    async def _ask(self, author_id: int, words: str, in_file: str = "") -> None:
        mark = self.mark(author_id)
        file = File("message.txt", in_file.format(mark).encode(), "text/plain")
        await self.server.say(author_id, words.format(mark), attachments=(file,) if in_file else ())

    def _answers(self, message_id: int, asked: Asked) -> bool:
        return message_id in self._answer_ids(asked)

    def _answer_ids(self, asked: Asked) -> set[int]:
        return {
            entry.id
            for entry in self.server.record.entries
            if entry.author_id == ROSTER.training
            and asked.mark in entry.content
            and any(tag in entry.content for tag in ANSWERING)
            and asked.author_id in entry.mentions
        }


@asynccontextmanager
async def trial(
    folder: Path, limits: Limits = IMPATIENT, *, quiet_s: float = QUIET_S
) -> AsyncGenerator[Trial]:
    """A running daemon that has answered its first questions."""
    clock = SharedClock(Orders(folder / "orders"))
    clock.orders.folder.mkdir(parents=True, exist_ok=True)
    async with DiscordServer(Guild(cast_of(ROSTER), now=clock.now)) as server:
        one = Trial(server, folder, limits, clock=clock, quiet_s=quiet_s)
        await one.start()
        try:
            await one.ask()
            await one.all_answered()
            yield one
        finally:
            with contextlib.suppress(Exception):
                await one.crash()


def settings_for(server: DiscordServer, folder: Path, quiet_s: float = QUIET_S) -> Settings:
    return Settings.model_validate(
        {
            "discord_token": server.guild.people[ROSTER.training].token,
            "discord_channel_id": server.channel_id,
            "discord_api_base": server.api_base,
            "discord_gateway_url": server.gateway_url,
            "bucket": (folder / "bucket").as_uri(),
            "state_dir": folder / "state",
            "operator_ids": (OPERATOR_ID,),
            "device": "cpu",
            "quiet_s": quiet_s,
            "rehearsal_dir": folder / "orders",
            "answers_a_minute": 1_000_000,
        }
    )
