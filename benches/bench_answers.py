"""How soon the daemon answers while every core is busy and checkpoints of 700 MB go up.

    python -m benches.bench_answers
    python -m benches.bench_answers --seconds 120 --burners 4
    python -m benches.bench_answers --seconds 30 --burners 0 --checkpoints 0      # the same, undisturbed

The real daemon, a process of its own, between an embedded Discord (in this process) and a stand-in for
Google Cloud Storage (a process of its own). Beside them one busy process a core, as nice as trainers are
(--nice 0: as greedy as the daemon itself). An operator asks all the time, Watcher now and then. Shown: from
message to answer, for Watcher beyond the quiet time that it is given to finish; how late the daemon's event
loop was, by samples of 20 ms; how late this instrument itself was.

Exit code 1 if an answer took longer than 1 s, or the loop was later than 50 ms, in more than 1 of 100 cases.
"""

import asyncio
import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.core.effects import PublishCheckpoint
from bot.core.state import Awaited, Checkpoint, Cycle, Held, Shelf, State, Unread
from bot.rehearsal.cast import OPERATOR_ID, cast_of
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.processes import Daemon
from bot.rehearsal.soak.tally import MARK, Tally, at_share
from bot.rehearsal.soak.thermometer import LINE_S, lateness, read_readings
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store, open_to_read
from bot.shell.supervising.launch import NICE
from protocol.roster import Roster
from protocol.saved import MANIFEST, manifest_of
from protocol.training import TrainingConfig

ROSTER = Roster()
RUN = "cycle01-bench"
QUIET_S = 2.5
LATENCY_MS, LAG_MS = 1000.0, 50.0
LINGER_S = 15.0


@contextmanager
def busy(burners: int, nice: int) -> Iterator[None]:
    """So many processes that do nothing but compute, and are so much nicer than we are."""
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(burners)]
    for one in burning:
        os.setpriority(os.PRIO_PROCESS, one.pid, os.getpriority(os.PRIO_PROCESS, 0) + nice)
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()


@contextmanager
def stand_in(folder: Path) -> Iterator[str]:
    """Root URL of a Google Cloud Storage."""
    (folder / "objects").mkdir()
    command = [sys.executable, "-m", "benches.gcs_server", str(folder / "objects"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


async def prepare(folder: Path, checkpoints: int, megabytes: int) -> None:
    """A daemon's state: a run that is held, whose checkpoints are owed to the bucket."""
    places = Places(folder / "state")
    places.path.mkdir()
    now = datetime.now(UTC)
    epochs = [50 * number for number in range(1, checkpoints + 1)]
    _save(places, epochs, megabytes)
    shelf = tuple(Checkpoint(epoch=one, folder=_folder(one), status="saved") for one in epochs)
    cycle = Cycle(
        number=1,
        opened_at=now,
        run_name=RUN,
        data=Awaited(since=now),
        terms=Unread(heard=(), since=now),
        run=Held(cause="operator", why="bench", config=TrainingConfig(), since=now),
        shelf=Shelf(checkpoints=shelf),
        on_hold=("operator",),
    )
    owed = [PublishCheckpoint(cycle=1, run=RUN, epoch=one, folder=_folder(one), meta={}) for one in epochs]
    store = await Store.open(places.database)
    record = tables.Record(at=now, state=State(house="b0", cycle=cycle), owed=owed)
    await store.ask(tables.record, record)
    await store.close()


def _folder(epoch: int) -> str:
    return f"checkpoints/epoch_{epoch:03d}"


def _save(places: Places, epochs: list[int], megabytes: int) -> None:
    """One file under many names: on the disk it is there once, and is read and sent each time."""
    block = os.urandom(1 << 20)
    whole = places.path / "weights"
    with whole.open("wb") as file:
        for _ in range(megabytes if epochs else 0):
            file.write(block)
    for epoch in epochs:
        target = places.run(RUN).path / _folder(epoch) / "model.safetensors"
        target.parent.mkdir(parents=True)
        target.hardlink_to(whole)
        (target.parent / MANIFEST).write_bytes(manifest_of(target.parent))


def env_file(server: DiscordServer, folder: Path) -> Path:
    lines = {
        "DISCORD_TOKEN": server.guild.people[ROSTER.training].token,
        "DISCORD_CHANNEL_ID": server.channel_id,
        "DISCORD_API_BASE": server.api_base,
        "DISCORD_GATEWAY_URL": server.gateway_url,
        "BUCKET": "gs://bench",
        "STATE_DIR": folder / "state",
        "OPERATOR_IDS": OPERATOR_ID,
        "DEVICE": "cpu",
        "QUIET_S": QUIET_S,
        "ANSWERS_A_MINUTE": 1000,
    }
    path = folder / "bench.env"
    path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")
    return path


class Interview:
    """Questions at moments that nobody can foresee, and how late this process was meanwhile."""

    def __init__(self, server: DiscordServer, folder: Path, checkpoints: int) -> None:
        self.tally = Tally(ROSTER.training)
        self._checkpoints = checkpoints
        self.late_ms: list[float] = []
        self.uploaded_s = 0.0
        self.began_at = time.time()
        self._server = server
        self._places = Places(folder / "state")

    async def run(self, seconds: float) -> None:
        """Ask for so long; the first questions, before the daemon is warm, are not counted."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look_at_the_clock())]
        try:
            await self._ask(0, OPERATOR_ID)
            await self.tally.news.until(lambda: not self.tally.waiting())
            began, number = time.monotonic(), 1
            self.began_at, self.late_ms[:] = time.time(), []
            while (passed := time.monotonic() - began) < seconds:
                await self._ask(number, ROSTER.watcher if number % 10 == 0 else OPERATOR_ID)
                number += 1
                if self.published() < self._checkpoints:
                    self.uploaded_s = passed
                await asyncio.sleep(random.expovariate(5.0))
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await self.tally.news.until(lambda: not self.tally.waiting())
        finally:
            for task in tasks:
                task.cancel()

    def waits_ms(self, asker: int) -> list[float]:
        numbers = [one for one, by in self.tally.asker.items() if by == asker and one]
        beyond_ms = QUIET_S * 1000 if asker == ROSTER.watcher else 0.0
        return [wait - beyond_ms for wait in self.tally.waits_ms(numbers)]

    def published(self) -> int:
        """How many of the checkpoints stand in the bucket by now."""
        with closing(open_to_read(self._places.database)) as db:
            state = tables.load(db)
        assert state, "it was prepared"
        assert state.cycle, "it was prepared"
        return self._checkpoints - sum(one.status == "saved" for one in state.cycle.shelf.checkpoints)

    async def _ask(self, number: int, asker: int) -> None:
        mark = MARK.format(number)
        self.tally.asked(number, asker)
        peer = f"<@{ROSTER.training}> [LESSON]\n- [학습] 표시 {mark}"
        await self._server.say(asker, peer if asker == ROSTER.watcher else f"!{mark}")

    async def _listen(self) -> None:
        number = 0
        while True:
            self.tally.heard(await self._server.record.entry(number))
            number += 1

    async def _look_at_the_clock(self) -> None:
        async for _, late_ms in lateness():
            self.late_ms.append(late_ms)


@asynccontextmanager
async def interviewed(folder: Path, emulator: str, checkpoints: int) -> AsyncIterator[Interview]:
    async with DiscordServer(Guild(cast_of(ROSTER))) as server:
        program = (sys.executable, "-m", "bot.rehearsal.soak.thermometer", folder / "readings.jsonl")
        options = ("--emulator", emulator)
        daemon = Daemon(env_file(server, folder), folder / "daemon.log", (*program, *options))
        await daemon.start()
        with suppress(PermissionError):  # Discord is not on the daemon's machine, and has cores of its own
            os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) - 5)
        try:
            yield Interview(server, folder, checkpoints)
        finally:
            await daemon.stop()


def _spread(values_ms: list[float]) -> str:
    shares = ", ".join(f"{name} {at_share(values_ms, share):.0f} ms" for name, share in PARTS)
    return f"{shares} ({len(values_ms)})"


PARTS = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))


async def measure(
    folder: Path, seconds: float, burners: int, nice: int, checkpoints: int, megabytes: int
) -> bool:
    await prepare(folder, checkpoints, megabytes)
    gc.freeze()  # as the daemon does, or this instrument would be the late one
    with stand_in(folder) as emulator, busy(burners, nice):
        async with interviewed(folder, emulator, checkpoints) as interview:
            await interview.run(seconds)
            sent = interview.published()
    readings = read_readings(folder / "readings.jsonl")
    lags_ms = [lag for one in readings if one.at > interview.began_at + LINE_S for lag in one.lags_ms]
    operator, watcher = interview.waits_ms(OPERATOR_ID), interview.waits_ms(ROSTER.watcher)
    click.echo(
        f"cores {os.cpu_count()}, busy processes {burners} (nice {nice:+}), load {os.getloadavg()[0]:.1f}"
    )
    click.echo(f"sent up: {sent} × {megabytes} MB, during {interview.uploaded_s:.0f} of {seconds:.0f} s")
    click.echo(f"unanswered: {interview.tally.waiting()}")
    click.echo(f"operator's message to answer: {_spread(operator)}")
    click.echo(f"Watcher's, beyond the quiet {QUIET_S} s: {_spread(watcher)}")
    click.echo(f"daemon's event loop late: {_spread(lags_ms)}")
    click.echo(f"this instrument late: {_spread(interview.late_ms)}")
    in_time = at_share(operator, 0.99) <= LATENCY_MS and at_share(watcher, 0.99) <= LATENCY_MS
    return in_time and at_share(lags_ms, 0.99) <= LAG_MS and not interview.tally.waiting()


@click.command(help=__doc__)
@click.option("--seconds", type=click.FloatRange(5), default=60.0, show_default=True)
@click.option("--burners", type=click.IntRange(0), default=os.cpu_count() or 1, show_default=True)
@click.option("--nice", type=click.IntRange(0, 19), default=NICE, show_default=True)
@click.option("--checkpoints", type=click.IntRange(0), default=40, show_default=True)
@click.option("--megabytes", type=click.IntRange(1), default=700, show_default=True)
def main(seconds: float, burners: int, nice: int, checkpoints: int, megabytes: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-answers-") as folder:
        good = asyncio.run(measure(Path(folder), seconds, burners, nice, checkpoints, megabytes))
    sys.exit(not good)


if __name__ == "__main__":
    main()
