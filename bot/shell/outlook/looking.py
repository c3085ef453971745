"""A look into STATE_DIR from outside: nothing is changed and nobody is disturbed."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from bot.core.events import Gauges, PutOff
from bot.core.policy import Policy
from bot.core.showing import liveness
from bot.core.state import State, expected_job, is_spared
from bot.shell.deciding.troubles import named
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Backlog, Delay, Waits
from bot.shell.remembering.store import StoreUnusable, open_to_read
from bot.shell.supervising.tail import understood
from protocol.progress import Counted, Progress, Stepped

TAIL_BYTES = 1 << 17
LOCKS = Path("/proc/locks")
POLICY = "policy"
"""Under this name the daemon leaves the settings it works by, for whoever looks; none of them is secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is the case at `at`. `process`: the verdict on the trainer, None if none should run.

    `disk` are free and all bytes of the disk that STATE_DIR is on.
    """

    at: datetime
    daemon_runs: bool
    state: State
    gauges: Gauges
    backlog: Backlog
    waits: Waits
    disk: tuple[int, int]
    process: liveness.Verdict | None
    policy: Policy


def look(places: Places, policy: Policy | None, at: datetime) -> Look:
    """`policy` None: what the daemon that works there went by last.

    Raises:
        StoreUnusable: there is no database, or it cannot be read. One line.
    """
    with _reading(places) as db:
        state, backlog, waits = tables.load(db) or State(), tables.backlog(db), tables.waits(db)
        delays = tables.delays(db)
        policy = policy or _left_by_the_daemon(db)
    spoken, disk, runs = _last_spoken(places, state), places.disk(), is_locked(places.lock) is True
    return Look(
        at=at,
        daemon_runs=runs,
        state=state,
        gauges=replace(_gauges(spoken), disk=disk, put_off=tuple(_told(one, runs=runs) for one in delays)),
        backlog=backlog,
        waits=waits,
        disk=disk,
        process=_process(places, state, spoken, policy, at),
        policy=policy,
    )


def _told(delay: Delay, *, runs: bool) -> PutOff:
    return PutOff(what=named(delay.effect), why=delay.why, again_at=delay.again_at if runs else None)


def _left_by_the_daemon(db: sqlite3.Connection) -> Policy:
    """Of an older version or a newer one: the defaults are better than nothing."""
    try:
        return Policy.model_validate_json(tables.cursor(db, POLICY) or "{}")
    except ValidationError:
        return Policy()


def state_in(places: Places) -> State:
    """
    Raises:
        StoreUnusable: as `look`.
    """
    with _reading(places) as db:
        return tables.load(db) or State()


def is_locked(path: Path) -> bool | None:
    """Does a process hold a lock on the file? Asked of the kernel, not by trying: see proc(5) on /proc/locks.

    None: nobody can tell, because the file is not there or /proc is not.
    """
    try:
        file, locks = path.stat(), LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    name = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    return any(name in line.split() for line in locks)


@contextmanager
def _reading(places: Places) -> Generator[sqlite3.Connection]:
    if not places.database.is_file():
        raise StoreUnusable(f"{places.database} does not exist: name the daemon's folder by --state-dir")
    try:
        with closing(open_to_read(places.database)) as db:
            yield db
    except (sqlite3.Error, ValueError) as error:  # the latter: of what a row should say
        raise StoreUnusable(f"{places.database}: {error}; see `training-claw state --help`") from None


def _last_spoken(places: Places, state: State) -> list[Progress]:
    """The last lines of the process that should be running, the newest last."""
    expected = expected_job(state)
    if expected is None:
        return []
    try:
        with places.attempt(*expected).events.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            raw = file.read().split(b"\n")
    except OSError:
        return []
    return [line for one in raw if (line := understood(one)) is not None]


def _gauges(spoken: list[Progress]) -> Gauges:
    stepped = next((one for one in reversed(spoken) if isinstance(one, Stepped)), None)
    counted = next((one for one in reversed(spoken) if isinstance(one, Counted)), None)
    return Gauges(stepped=stepped, counted=(counted.done, counted.total, counted.unit) if counted else None)


def _process(
    places: Places, state: State, spoken: list[Progress], policy: Policy, at: datetime
) -> liveness.Verdict | None:
    expected = expected_job(state)
    if expected is None:
        return None
    folder = places.attempt(*expected)
    heard_at = spoken[-1].at if spoken else _modified(folder.lock, at)
    promised_s = spoken[-1].next_within_s if spoken else policy.stall_floor_s
    held = folder.request.exists() or is_locked(folder.lock)
    spared = state.cycle is not None and is_spared(state.cycle.run, heard_at)
    silent_s = (at - heard_at).total_seconds()
    return liveness.verdict(held, silent_s, promised_s, policy, "busy" if spared else "unknown")


def _modified(path: Path, at: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return at
