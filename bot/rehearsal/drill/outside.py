"""Faults that befall the bot and what is around it. Each ends with the daemon in the channel again."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.core.showing import progress
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.drill.bot import Refused
from bot.rehearsal.drill.theatre import Theatre, TooLong, silence
from bot.rehearsal.players import script
from bot.rehearsal.processes import Daemon, plain_environment
from bot.shell.remembering.upkeep import back_up, is_whole

BACK_S = 90.0
"""So long after its return what was away may be missed."""
JUMP_S = (1800.0, 20_000.0)
SEEN_S = 10
"""The daemon sees a jump by so many seconds more or less."""
FULL_S = 12.0
NOTED_S = 2.0
"""So soon a refusal that came with the full disk stands in the state."""
TRAINING_CLAW = Path(sys.executable).with_name("training-claw")


@dataclass(frozen=True, slots=True)
class Suffered:
    """What became of one fault. `told` None: nobody had to be told. Steps are optimizer steps done again."""

    detail: str = ""
    told: bool | None = None
    steps_lost: int | None = None
    points_lost: int | None = None


type Fault = Callable[[Theatre], Awaitable[Suffered]]


async def kill_bot(theatre: Theatre) -> Suffered:
    since, open_cycle = theatre.now(), theatre.cycle() is not None
    await theatre.bot.kill()
    await theatre.bot.start()
    return Suffered(told=await _restart_told(theatre, since) if open_cycle else None)


async def sigterm_bot(theatre: Theatre) -> Suffered:
    since, open_cycle = theatre.now(), theatre.cycle() is not None
    await theatre.bot.stop()
    await theatre.bot.start()
    return Suffered(told=await _restart_told(theatre, since) if open_cycle else None)


async def second_daemon(theatre: Theatre) -> Suffered:
    """Started by mistake beside the first: it must leave at once, and say why."""
    other = Daemon(theatre.stage.env_file, theatre.stage.folder / "second.log")
    async with _undisturbed(theatre):
        await other.start()
        try:
            async with asyncio.timeout(60):
                status = await other.wait()
        except TimeoutError:
            status = None
        finally:
            await other.kill()
    if status != 2 or "another daemon" not in other.last_words():
        raise Refused(f"a second daemon was let in (status {status})")
    return Suffered(other.last_words()[:60])


async def discord_away(theatre: Theatre) -> Suffered:
    """No request is answered, no cable holds."""
    seconds = theatre.dice.uniform(*theatre.away_s)
    rest = theatre.discord.rest
    rest.interferences.append(silence)
    try:
        theatre.discord.gateway.cut_cables()
        await asyncio.sleep(seconds)
    finally:
        rest.interferences.remove(silence)
    return Suffered(f"{seconds:.0f} s, back after {await _passed(theatre.bot.in_the_channel()):.0f} s")


async def bucket_away(theatre: Theatre) -> Suffered:
    seconds = theatre.dice.uniform(*theatre.away_s)
    async with _undisturbed(theatre):
        how = theatre.vault.take_away()
        try:
            await asyncio.sleep(seconds)
        finally:
            theatre.vault.bring_back()
    owed = theatre.owed()
    if not owed:
        return Suffered(f"{how}, {seconds:.0f} s, nothing owed")
    passed = _passed(theatre.until(lambda: theatre.owed() < owed, "what the bucket is owed", BACK_S))
    return Suffered(f"{how}, {seconds:.0f} s, {owed} owed, one carried out after {await passed:.0f} s")


async def clock_jump(theatre: Theatre) -> Suffered:
    """There and back again. A daemon that was down meanwhile says that it is up again, and no more."""
    seconds = theatre.dice.uniform(*JUMP_S) * theatre.dice.choice((1, -1))
    told: bool | None = None
    for offset, by_s in ((seconds, seconds), (0.0, -seconds)):
        since, open_cycle = theatre.now(), theatre.cycle() is not None
        theatre.orders.clock.write_text(f"{offset}", encoding="ascii")
        if open_cycle and not theatre.over.is_set():
            heard = await theatre.told(since, partial(_speaks_of_a_jump, by_s), 60)
            if heard or not theatre.over.is_set():  # with its HANDOFF a cycle's last report was sent
                told = heard and told is not False
    return Suffered(f"{seconds:+.0f} s", told)


async def disk_full(theatre: Theatre) -> Suffered:
    """Under STATE_DIR, or under a bucket in a folder. Runs have a disk of their own."""
    where = theatre.dice.choice(("state",) if theatre.vault.address else ("state", "bucket"))
    since = theatre.now()
    disk = theatre.disks[where]
    disk.fill()
    try:
        if where == "state":
            await theatre.ask()  # something to be noted
        told = await theatre.told(since, _speaks_of_room, FULL_S)
    finally:
        disk.empty()
    helped = await _helped(theatre)
    # what fits into files that are there already needs no room
    return Suffered(f"{where}{helped}", told or None)


async def sqlite_damage(theatre: Theatre) -> Suffered:
    """A clear refusal, the repair command; and where that says that something is missing, the backup."""
    since, open_cycle = theatre.now(), theatre.cycle() is not None
    await theatre.bot.kill()
    database = theatre.places.database
    backup = theatre.stage.folder / "backup.sqlite3"
    backup.unlink(missing_ok=True)
    await asyncio.to_thread(back_up, database, backup)
    how = _damaged(database, theatre)
    said = await theatre.bot.refuses()
    if "state repair" not in said:
        raise Refused(f"the refusal names no remedy: {said}")
    mended = await _repaired(theatre, backup)
    await theatre.bot.start()
    return Suffered(f"{how}, {mended}", await _restart_told(theatre, since) if open_cycle else None)


OUTSIDE: dict[str, Fault] = {
    "kill bot": kill_bot,
    "SIGTERM bot": sigterm_bot,
    "second daemon": second_daemon,
    "Discord away": discord_away,
    "bucket away": bucket_away,
    "clock jump": clock_jump,
    "disk full": disk_full,
    "SQLite damage": sqlite_damage,
}


async def _passed(what: Awaitable[None]) -> float:
    """Wait for it. Returns how long that took, in seconds."""
    began = time.monotonic()
    await what
    return time.monotonic() - began


async def _restart_told(theatre: Theatre, since: int) -> bool:
    return await theatre.told(since, _tells_of_a_restart)


def _tells_of_a_restart(entry: Entry) -> bool:
    """Of the daemon's; the trainer has its own."""
    return script.has(entry, "REPORT", "재시작 알림.") and "Training 봇 재시작" in entry.content


def _speaks_of_a_jump(by_s: float, entry: Entry) -> bool:
    """Of this one: reports of the next while tell of a former one, too."""
    whither = "앞으로" if by_s > 0 else "뒤로"
    lengths = {progress.length(abs(by_s) + off_s) for off_s in range(-SEEN_S, SEEN_S + 1)}
    said = any(f"시계가 {length} {whither} 건너뜀" in entry.content for length in lengths)
    return said or _tells_of_a_restart(entry)


async def _helped(theatre: Theatre) -> str:
    """Who had no room for the data is BLOCKED, and told when there is some."""
    try:
        await theatre.until(lambda: _lacks_data(theatre), "a BLOCKED", NOTED_S)
    except TooLong:
        return ""
    await theatre.order("retry")
    await theatre.until(lambda: not _lacks_data(theatre), "the work goes on after !retry")
    return ", BLOCKED, !retry"


def _lacks_data(theatre: Theatre) -> bool:
    cycle = theatre.cycle()
    return cycle is not None and cycle.data.phase == "refused"


def _speaks_of_room(entry: Entry) -> bool:
    return "디스크" in entry.content or "no space" in entry.content.lower()


@asynccontextmanager
async def _undisturbed(theatre: Theatre) -> AsyncGenerator[None]:
    """Nobody dies at a point meanwhile: without its bucket the daemon refuses to start, and rightly."""
    armed = theatre.orders.deadly()
    theatre.orders.die_at.unlink(missing_ok=True)
    await asyncio.sleep(0.5)  # who is dying just now is dead by then
    await theatre.bot.in_the_channel()
    try:
        yield
    finally:
        theatre.orders.die_at.write_text("".join(f"{point}\n" for point in armed), encoding="utf-8")


def _damaged(database: Path, theatre: Theatre) -> str:
    """Spoil the file until that shows: a page, its head, or its end is gone. How it was done."""
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what the log still holds would hide the damage
        page = db.execute("PRAGMA page_size").fetchone()[0]
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    how = theatre.dice.choice(("page", "page", "head", "end"))
    while is_whole(database):
        with database.open("r+b") as file:
            match how:
                case "page":
                    file.seek(theatre.dice.randrange(1, pages) * page)
                    file.write(theatre.dice.randbytes(page))
                case "head":
                    file.write(theatre.dice.randbytes(page))
                case _:
                    file.truncate(pages // 2 * page)
    return f"{how} of {pages} pages"


async def _repaired(theatre: Theatre, backup: Path) -> str:
    """As docs/operating.md has it: repair; where that says that rows are missing, the backup."""
    status, said = await _claw("state", "repair", "--state-dir", str(theatre.stage.state))
    if status == 0 and "cut short" not in said:
        return "repaired"
    _put_back(backup, theatre.places.database)
    return "backup put in its place"


def _put_back(backup: Path, database: Path) -> None:
    for companion in ("-wal", "-shm"):
        database.with_name(database.name + companion).unlink(missing_ok=True)
    shutil.copyfile(backup, database)


async def _claw(*arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        TRAINING_CLAW,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=plain_environment(),
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")
