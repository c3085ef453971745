"""A soak goes leg by leg: each asks so many questions in the midst of faults and kills, and ends in calm."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.rehearsal.cast import OPERATOR_ID, cast_of
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.discord.throttle import Throttle
from bot.rehearsal.processes import Daemon
from bot.rehearsal.soak.tally import MARK, Leg, Tally
from bot.rehearsal.soak.thermometer import size_of
from bot.rehearsal.troubles import brief_faults
from bot.rehearsal.troubles.trial import QUIET_S, ROSTER

QUESTIONS_A_LEG = 250
KILLED_BEFORE = 0.6
"""All kills come in this first part of a soak: the last life of the daemon must be long enough to grow in."""
STUCK_S = 300.0
"""Whatever was not answered for so long is lost."""
PEERS_SHARE = 0.2

HANDOFF = (
    f"<@{ROSTER.training}> [HANDOFF] Cycle 7\n- [학습] batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생"
)
"""Opens a cycle whose proposal waits: any approval of another one is asked back, with its name."""


@dataclass(frozen=True, slots=True)
class Course:
    """How much is asked, and what goes wrong meanwhile. The same seed, the same faults."""

    messages: int
    throttled: int
    kills: int
    faults: float
    seed: int

    def legs(self) -> Iterator["Stretch"]:
        chosen = random.Random(self.seed)  # noqa: S311  repeatable, not secret
        early = range(1, max(2, int(self.messages * KILLED_BEFORE)))
        killed = set(chosen.sample(early, min(self.kills, len(early))))
        first, number = 0, 0
        for total, throttled in ((self.messages, False), (self.throttled, True)):
            end = first + total
            while first < end:
                questions = range(first, min(first + QUESTIONS_A_LEG, end))
                kills = killed.intersection(() if throttled else questions)
                yield Stretch(number, questions, frozenset(kills), throttled)
                first, number = questions.stop, number + 1


@dataclass(frozen=True, slots=True)
class Stretch:
    """One leg to be: its questions by number, and before which of them the daemon is killed."""

    number: int
    questions: range
    kills: frozenset[int]
    throttled: bool

    @property
    def in_flight(self) -> int:
        """So many questions may be open at once: the channel is talkative, not flooded."""
        return 4 if self.throttled else 40


class Runner:
    """A daemon in a process of its own, the channel around it, and the count."""

    def __init__(self, server: DiscordServer, daemon: Daemon, course: Course) -> None:
        self.tally = Tally(ROSTER.training)
        self._server = server
        self._daemon = daemon
        self._course = course
        self._troubles = brief_faults(server)

    async def listen(self) -> None:
        """Count what is said, until cancelled."""
        number = 0
        while True:
            self.tally.heard(await self._server.record.entry(number))
            number += 1

    async def open_cycle(self) -> None:
        await self._server.say(ROSTER.watcher, HANDOFF)
        await self._server.record.until(lambda entry: "설정 변경 승인 요청" in entry.content)

    async def run(self, stretch: Stretch, shown: Callable[[int], None]) -> Leg:
        """`shown` is told how many questions were asked so far."""
        began, dice = time.monotonic(), random.Random(f"{self._course.seed}/{stretch.number}")  # noqa: S311
        before = self.tally.doubled(), self.tally.out_of_order()
        throttle = self._server.rest.throttle = Throttle() if stretch.throttled else None
        faults = 0
        for number in stretch.questions:
            if not await self._until(lambda: self.tally.waiting() < stretch.in_flight):
                break
            await self._ask(number, dice)
            if number in stretch.kills:
                await self._daemon.kill()
                await self._daemon.start()
            elif dice.random() < self._course.faults:
                await dice.choice(self._troubles)()
                faults += 1
            shown(number + 1)
        await self._until(lambda: not self.tally.waiting())
        rss_kb, descriptors = size_of(self._daemon.pid)
        return Leg(
            number=stretch.number,
            throttled=stretch.throttled,
            asked=len(stretch.questions),
            lost=self.tally.lost(stretch.questions),
            doubled=self.tally.doubled() - before[0],
            out_of_order=self.tally.out_of_order() - before[1],
            kills=len(stretch.kills),
            faults=faults,
            refused=throttle.refused if throttle else 0,
            waits_ms=self.tally.waits_ms(stretch.questions),
            took_s=round(time.monotonic() - began, 1),
            pid=self._daemon.pid,
            rss_kb=rss_kb,
            descriptors=descriptors,
        )

    async def _ask(self, number: int, dice: random.Random) -> None:
        """An operator's command that does not exist, or Watcher's word on a proposal that does not."""
        mark, peer = MARK.format(number), dice.random() < PEERS_SHARE
        asker = ROSTER.watcher if peer else OPERATOR_ID
        self.tally.asked(number, asker)
        await self._server.say(asker, f"<@{ROSTER.training}> [APPROVE] {mark}" if peer else f"!{mark}")

    async def _until(self, true: Callable[[], bool]) -> bool:
        """Until it is true; False once nothing was answered for so long that nothing will be."""
        while not true():
            answered = len(self.tally.answered_at)
            try:
                async with asyncio.timeout(STUCK_S):
                    await self.tally.news.until(
                        lambda answered=answered: true() or len(self.tally.answered_at) > answered
                    )
            except TimeoutError:
                return False
        return True


@asynccontextmanager
async def runner(folder: Path, course: Course) -> AsyncGenerator[Runner]:
    """A daemon at work in `folder`, which may have been at work there before."""
    fresh = not (folder / "state").exists()
    async with DiscordServer(Guild(cast_of(ROSTER))) as server:
        program = (sys.executable, "-m", "bot.rehearsal.soak.thermometer", folder / "readings.jsonl")
        daemon = Daemon(_env_file(server, folder), folder / "daemon.log", program)
        one = Runner(server, daemon, course)
        await daemon.start()
        listening = asyncio.create_task(one.listen(), name="listening")
        try:
            if fresh:
                await one.open_cycle()
            yield one
        finally:
            listening.cancel()
            await daemon.stop()


def _env_file(server: DiscordServer, folder: Path) -> Path:
    (folder / "bucket").mkdir(exist_ok=True)
    lines = {
        "DISCORD_TOKEN": server.guild.people[ROSTER.training].token,
        "DISCORD_CHANNEL_ID": server.channel_id,
        "DISCORD_API_BASE": server.api_base,
        "DISCORD_GATEWAY_URL": server.gateway_url,
        "BUCKET": (folder / "bucket").as_uri(),
        "STATE_DIR": folder / "state",
        "OPERATOR_IDS": OPERATOR_ID,
        "DEVICE": "cpu",
        "QUIET_S": QUIET_S,
        "ANSWERS_A_MINUTE": 1_000_000,
    }
    env_file = folder / "soak.env"
    env_file.touch(mode=0o600)
    env_file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")
    return env_file
