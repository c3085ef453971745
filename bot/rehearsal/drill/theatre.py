"""One play's parts under one roof, and what a fault may ask of them."""

import asyncio
import random
import shutil
import signal
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web

from bot.core.policy import Policy
from bot.core.state import Cycle, State, expected_job
from bot.rehearsal.cast import OPERATOR_ID, cast_of
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.drill import vault as vaults
from bot.rehearsal.drill.bot import Bot
from bot.rehearsal.drill.disks import Disk
from bot.rehearsal.drill.vault import Vault, witness
from bot.rehearsal.players.script import Facts
from bot.rehearsal.processes import Daemon, end_jobs
from bot.rehearsal.soak.tally import MARK, Tally
from bot.rehearsal.stage import Address, Sizes, Stage, set_stage, write_env
from bot.shell.deciding.desk import utc_now
from bot.shell.machine.places import Places
from bot.shell.outlook.looking import look
from bot.shell.remembering.store import StoreUnusable
from bot.shell.stagehand import Orders
from protocol.folders import AttemptFolder
from protocol.roster import Roster

ROSTER = Roster()
GLANCE_S = 0.1
AWAY_S = (2.0, 8.0)
SIZES = Sizes(
    episodes=50,
    frames=8,
    lead_in=5,
    epochs=40,
    save_checkpoint_every=5,
    batch_size=64,
    report_every_s=20,
)
"""Three steps an epoch: what a killed trainer does again costs less than its start."""

PACE = {
    "QUIET_S": 0.3,
    "ANSWERS_A_MINUTE": 1_000_000,
    "BACKOFF_S": 1,
    "STALL_PATIENCE": 0.25,
    "STALL_FLOOR_S": 15,
}
"""The daemon's own pauses, shortened: the faults are the same, only nobody waits half a minute for one."""


@dataclass(frozen=True, slots=True)
class Programme:
    """What shall befall a play: at most so many faults, of these kinds; of none, it is an undisturbed one.

    `passed` are points at which a daemon of the drill was ended before. After `until`, by the monotonic clock
    nothing befalls the play any more, and it comes to its end. `away_s` is how long Discord or the bucket is
    away, at least and at most.
    """

    number: int
    seed: int
    folder: Path
    simulated: Path
    sizes: Sizes
    faults: int
    kinds: Collection[str]
    passed: Collection[str]
    understudy: bool
    disks: bool
    until: float = float("inf")
    bucket: vaults.Kind = "folder"
    away_s: tuple[float, float] = AWAY_S


UNDERSTUDY = "bot.rehearsal.drill.understudy"


class TooLong(Exception):
    """What had to come did not; the message says what."""


@dataclass
class Theatre:
    """`dice` decide; the same seed, the same faults. `disks` is empty where none could be mounted; `away_s`
    as in Programme.
    """

    stage: Stage
    discord: DiscordServer
    vault: Vault
    bot: Bot
    orders: Orders
    disks: dict[str, Disk]
    dice: random.Random
    tally: Tally
    lookout: "Lookout"
    troubles: list[str] = field(default_factory=list[str])
    away_s: tuple[float, float] = AWAY_S
    asked: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    at_the_bot: asyncio.Lock = field(default_factory=asyncio.Lock)
    at_the_trainer: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def places(self) -> Places:
        return Places(self.stage.state)

    @property
    def facts(self) -> Facts:
        return replace(self.stage.facts, bucket_url=self.vault.url)

    # --- asking and listening -------------------------------------------------

    async def ask(self) -> int:
        """The operator asks something that must be answered once, whatever happens; its number."""
        number = self.asked
        self.asked += 1
        self.tally.asked(number, OPERATOR_ID)
        await self.discord.say(OPERATOR_ID, "!" + MARK.format(number))
        return number

    async def order(self, verb: str) -> None:
        await self.discord.say(OPERATOR_ID, f"!{verb}")

    def now(self) -> int:
        """A place in the record, for `told`."""
        return len(self.discord.record.entries)

    async def told(self, since: int, wanted: Callable[[Entry], bool], within_s: float = 90.0) -> bool:
        """Has Training said something like that since then, or does it within that time?"""
        said = self.discord.record.until(lambda one: one.author_id == ROSTER.training and wanted(one), since)
        try:
            async with asyncio.timeout(within_s):
                await said
        except TimeoutError:
            return False
        return True

    # --- looking --------------------------------------------------------------

    def state(self) -> State | None:
        """None: it cannot be read just now."""
        seen = None
        with suppress(StoreUnusable, OSError):
            seen = look(self.places, Policy(), utc_now()).state
        return seen

    def owed(self) -> int:
        """How many orders are still to be carried out."""
        try:
            return look(self.places, Policy(), utc_now()).backlog.effects
        except (StoreUnusable, OSError):
            return 0

    def cycle(self) -> Cycle | None:
        state = self.state()
        return state.cycle if state else None

    def attempt(self) -> AttemptFolder | None:
        """Where the process works that should be running."""
        state = self.state()
        expected = expected_job(state) if state else None
        return self.places.attempt(*expected) if expected else None

    async def until(self, true: Callable[[], bool], what: str, within_s: float = 240.0) -> None:
        """Raises TooLong."""
        deadline = time.monotonic() + within_s
        while not true():
            if time.monotonic() > deadline:
                raise TooLong(f"not within {within_s:.0f} s: {what}")
            await asyncio.sleep(GLANCE_S)


async def silence(request: web.Request) -> web.StreamResponse | None:
    """Nobody answers: the line is cut."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def opened(programme: Programme, dice: random.Random) -> AsyncGenerator[Theatre]:
    """A theatre whose daemon runs. At the end neither it nor a trainer nor a mounted disk is left."""
    stage = Stage(programme.folder, programme.sizes)
    mounted = _mounted(stage) if programme.disks else dict[str, Disk]()
    try:
        _furnish(stage, programme.simulated)
        async with AsyncExitStack() as stack:
            vault = await stack.enter_async_context(vaults.opened(programme.bucket, stage, dice))
            lookout = Lookout(vault)
            server = DiscordServer(Guild(cast_of(ROSTER)), witness=lookout.witness)
            discord = await stack.enter_async_context(server)
            theatre = _theatre(stage, discord, vault, mounted, dice, lookout)
            theatre.away_s = programme.away_s
            if programme.understudy:
                theatre.orders.trainer.write_text(UNDERSTUDY, encoding="utf-8")
            discord.guild.subscribe(lambda _: theatre.tally.heard(discord.record.entries[-1]))
            try:
                await theatre.bot.start()
                yield theatre
            finally:
                await theatre.bot.stop()
                await end_jobs(stage.runs)
                discord.record.save(stage.transcript)
    finally:
        for disk in reversed(mounted.values()):
            disk.leave()


def _theatre(
    stage: Stage,
    discord: DiscordServer,
    vault: Vault,
    disks: dict[str, Disk],
    dice: random.Random,
    lookout: "Lookout",
) -> Theatre:
    orders, troubles = Orders(stage.folder / "orders"), list[str]()
    orders.folder.mkdir()
    orders.gcs.write_text(vault.address, encoding="utf-8")
    _write_settings(stage, discord, vault, orders)
    daemon = Daemon(stage.env_file, stage.daemon_log)

    def fell(status: int) -> None:
        if status != -signal.SIGKILL:
            troubles.append(f"the daemon left with status {status}: {daemon.last_words()}")

    bot = Bot(daemon, discord, fell)
    return Theatre(stage, discord, vault, bot, orders, disks, dice, Tally(ROSTER.training), lookout, troubles)


def _write_settings(stage: Stage, discord: DiscordServer, vault: Vault, orders: Orders) -> None:
    token = discord.guild.people[ROSTER.training].token
    write_env(stage, token, Address(discord.channel_id, discord.api_base, discord.gateway_url))
    with stage.env_file.open("a", encoding="utf-8") as env:
        env.writelines(f"{name}={value}\n" for name, value in PACE.items())
        env.write(f"REHEARSAL_DIR={orders.folder}\nBUCKET={vault.url}\n")


def _mounted(stage: Stage) -> dict[str, Disk]:
    places = {"state": stage.state, "runs": stage.runs, "bucket": stage.folder / "disk"}
    return {name: Disk.mount(place) for name, place in places.items()}


def _furnish(stage: Stage, simulated: Path) -> None:
    """The bucket is a link, so that what it leads to can be taken away and brought back."""
    bucket = stage.folder / "disk" / "bucket"
    bucket.mkdir(parents=True)
    stage.bucket.symlink_to(bucket)
    set_stage(stage)
    shutil.copytree(simulated, stage.dataset)


class Lookout:
    """Remembers which checkpoints were ever there: a message that was held up may name one that has gone."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: set[str] = set()

    def look(self) -> None:
        epochs = (name for name in self._vault.names() if name.startswith("checkpoints/act_epoch_"))
        self._known |= {name.split("/")[1] for name in epochs}

    async def watch(self) -> None:
        """Look on, until cancelled: in a play one may be there for half a second, between two messages."""
        while True:
            self.look()
            await asyncio.sleep(GLANCE_S)

    def witness(self, text: str) -> Mapping[str, bool]:
        """What a message names is looked for whether the bucket can be reached or not."""
        self.look()
        return {
            url: there or url.rstrip("/").rpartition("/")[2] in self._known
            for url, there in witness(self._vault, text).items()
        }
