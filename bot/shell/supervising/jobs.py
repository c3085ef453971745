"""The trainer processes: started, listened to until their lock is free, told to stop.

They live in folders of their own (protocol.folders) and outlive the daemon; watching one again after a
restart is the same as watching one that was just started.
"""

import asyncio
import contextlib
import errno
import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import structlog

from bot.core.effects import KillJob, StartJob, StopJob, TellArrived
from bot.core.events import JobEnded, JobFellSilent, JobSpoke, Witness
from bot.core.policy import Policy
from bot.core.state import Here, expected_job
from bot.shell.deciding.desk import STAMPED, Desk, Note
from bot.shell.deciding.lanes import Later
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store
from bot.shell.supervising import gpu, launch
from bot.shell.supervising.exits import Exit
from bot.shell.supervising.silence import BEGIN_S, FIRST_PROMISE_S, Silence
from bot.shell.supervising.tail import Listener, TailLine, newest_before, read_lines
from protocol.folders import AttemptFolder
from protocol.job import CheckJob, ConvertJob, Failed, Job, ProbeJob, TrainJob
from protocol.progress import Counted, Stepped

log = structlog.stdlib.get_logger("jobs")

POLL_S = 0.5
EXIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Attempt:
    run: str
    number: int

    @property
    def cursor(self) -> str:
        return f"events/{self.run}/{self.number}"

    def __str__(self) -> str:
        return f"{self.run}/{self.number}"


class Jobs:
    """Every process of ours. `run` must be running for any to be listened to."""

    def __init__(
        self,
        places: Places,
        policy: Policy,
        store: Store,
        desk: Desk,
        *,
        launcher: launch.Launcher,
        poll_s: float = POLL_S,
    ) -> None:
        self._places = places
        self._policy = policy
        self._store = store
        self._desk = desk
        self._launcher = launcher
        self._poll_s = poll_s
        self._wanted: asyncio.Queue[Attempt] = asyncio.Queue()
        self._watched: set[Attempt] = set()

    async def run(self) -> None:
        """Listen to every process there is, until cancelled. The processes do not notice."""
        async with asyncio.TaskGroup() as watches:
            while True:
                attempt = await self._wanted.get()
                if attempt not in self._watched:
                    self._watched.add(attempt)
                    watches.create_task(self._watch(attempt), name=f"watch {attempt}")

    async def start(self, order: StartJob) -> None:
        """Start it, unless it was started before; either way listen to it."""
        attempt, job = Attempt(order.run, order.attempt), self._job_of(order)
        if job is None:
            log.info("no longer wanted", attempt=str(attempt))
            await self._store.ask(tables.settle, order.key)
            return
        try:
            begun = await asyncio.to_thread(self._launcher.launch, self._folder(attempt), job)
        except OSError as error:
            await self._desk.tell(Note(event=_unstarted(attempt, error), settles=order.key))
            return
        if begun:
            log.info("started", attempt=str(attempt), work=order.work)
        await self._store.ask(tables.settle, order.key)
        self._wanted.put_nowait(attempt)

    async def tell_arrived(self, order: TellArrived) -> None:
        """One that has left meanwhile does not mind, nor one that never came.

        Raises:
            Later: there is no room for an empty file.
        """
        arrived = self._places.attempt(order.run, order.attempt).arrived
        try:
            with contextlib.suppress(FileNotFoundError):
                arrived.touch()
        except OSError as error:
            raise _unwritten(arrived, error) from error
        await self._store.ask(tables.settle, order.key)

    async def stop(self, order: StopJob | KillJob) -> None:
        """SIGTERM or SIGKILL to it, and to nobody else.

        Raises:
            Later: it has not yet said which process it is; or there is no room to withdraw what was asked.
        """
        number = signal.SIGKILL if isinstance(order, KillJob) else signal.SIGTERM
        folder = self._places.attempt(order.run, order.attempt)
        try:
            signalled = launch.signal_holder(folder, number)
        except OSError as error:
            raise _unwritten(folder.path, error) from error
        if not signalled:
            raise Later(f"runs/{order.run}/attempts/{order.attempt}/lock does not name its process yet")
        await self._store.ask(tables.settle, order.key)

    def adopt(self, run: str, number: int, *, start_owed: bool) -> Literal["alive", "dead", "unknown"]:
        """Listen again to the process that should be running; answer what its lock says."""
        attempt = Attempt(run, number)
        started = self._folder(attempt).lock.exists()
        if started or not start_owed:
            self._wanted.put_nowait(attempt)
        if not started:
            return "unknown"
        return "alive" if launch.is_alive(self._folder(attempt)) else "dead"

    def expected(self) -> Literal["alive", "dead", "unknown", "absent"]:
        """What the lock says now of the process that should be running; none should be: absent."""
        named = expected_job(self._desk.state)
        if named is None:
            return "absent"
        folder = self._places.attempt(*named)
        if not folder.lock.exists():
            return "unknown"
        return "alive" if launch.is_alive(folder) else "dead"

    # --- one process --------------------------------------------------------

    async def _watch(self, attempt: Attempt) -> None:
        folder, listener = self._folder(attempt), Listener()
        asked = folder.request.exists()
        silence = self._silence(BEGIN_S) if asked else self._silence()
        self._desk.gauges = replace(self._desk.gauges, stepped=None, counted=None)
        offset = int(await self._store.ask(tables.cursor, attempt.cursor) or 0)
        if last := newest_before(folder.events, offset):
            silence.heard(last, self._desk.now())
        with Exit(folder) as gone:
            held = True
            while held:
                held = launch.is_alive(folder)  # before reading: what it said before it left is read, too
                gone.look()
                if asked and not folder.request.exists():
                    asked, silence = False, self._silence()
                while lines := read_lines(folder.events, offset):
                    for line in lines:
                        if line.said:
                            silence.heard(line.said, self._desk.now())
                        await self._pass_on(attempt, line, listener)
                    offset = lines[-1].end
                # a full disk holds up who passes lines on: whoever is gone by now has not fallen silent
                if held and silence.is_too_long() and launch.is_alive(folder):
                    witness = await self._testimony(folder)
                    if not read_lines(folder.events, offset):  # it may have spoken meanwhile
                        await self._complain(attempt, silence, witness)
                if held:
                    await self._nap(gone)
            await self._end(attempt, gone)

    async def _pass_on(self, attempt: Attempt, line: TailLine, listener: Listener) -> None:
        match line.said:
            case None:
                log.warning("a line is not ours", attempt=str(attempt), end=line.end)
                return
            case Stepped() as said:
                self._desk.gauges = replace(self._desk.gauges, stepped=said)
            case Counted(done=done, total=total, unit=unit):
                self._desk.gauges = replace(self._desk.gauges, counted=(done, total, unit))
            case _:
                pass
        fact = listener.matters(line.said)
        if fact is not None:
            spoke = JobSpoke(at=STAMPED, run=attempt.run, attempt=attempt.number, line=fact)
            await self._desk.tell(Note(event=spoke, cursors={attempt.cursor: str(line.end)}))

    async def _testimony(self, folder: AttemptFolder) -> Witness:
        """The second witness. A rehearsal on a processor has none."""
        who = launch.holder(folder)
        return await gpu.testimony(who.pid) if who and self._policy.device == "cuda" else "unknown"

    async def _complain(self, attempt: Attempt, silence: Silence, witness: Witness) -> None:
        log.warning(
            "silent",
            attempt=str(attempt),
            heard_at=silence.heard_at,
            promised_s=silence.promised_s,
            gpu=witness,
        )
        silent = JobFellSilent(
            at=STAMPED,
            run=attempt.run,
            attempt=attempt.number,
            heard_at=silence.heard_at,
            promised_s=silence.promised_s,
            gpu=witness,
        )
        await self._desk.tell(Note(event=silent))

    def _silence(self, promised_s: float = FIRST_PROMISE_S) -> Silence:
        return Silence(self._policy.patience_s, self._desk.now(), promised_s=promised_s)

    async def _nap(self, gone: Exit) -> None:
        """Until it is time to look again, or the process ends."""
        if gone.happened.is_set():  # and yet somebody holds the lock: nothing will wake us
            await asyncio.sleep(self._poll_s)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gone.happened.wait(), self._poll_s)

    async def _end(self, attempt: Attempt, gone: Exit) -> None:
        outcome = launch.outcome_of(self._folder(attempt))
        detail = "" if outcome else await self._last_words(attempt, gone)
        told = log.info if outcome else log.warning
        told("ended", attempt=str(attempt), outcome=outcome.kind if outcome else "none", detail=detail)
        ended = JobEnded(at=STAMPED, run=attempt.run, attempt=attempt.number, outcome=outcome, detail=detail)
        await self._desk.tell(Note(event=ended))
        await self._reaped(attempt, gone)

    async def _last_words(self, attempt: Attempt, gone: Exit) -> str:
        """What is known of a process that left no verdict: the signal that killed it, its log's last line."""
        code = await self._reaped(attempt, gone) or 0
        killed = signal.Signals(-code).name if code < 0 else ""
        return ": ".join(part for part in (killed, launch.last_words(self._folder(attempt))) if part)

    async def _reaped(self, attempt: Attempt, gone: Exit) -> int | None:
        """The lock is free a moment before the process is gone."""
        who = launch.holder(self._folder(attempt))
        if who is None:
            return None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gone.happened.wait(), EXIT_S)
        return launch.reap(who.pid)

    def _folder(self, attempt: Attempt) -> AttemptFolder:
        return self._places.attempt(attempt.run, attempt.number)

    def _job_of(self, order: StartJob) -> Job | None:
        """What the process is told; None if the cycle that ordered it is over."""
        cycle, run = self._desk.state.cycle, self._places.run(order.run)
        if cycle is None or cycle.run_name != order.run:
            return None
        dataset = self._places.dataset(order.source)
        match order.work:
            case "probe":
                return ProbeJob(device=self._policy.device)
            case "check":
                return CheckJob(
                    data=dataset,
                    config=order.config,
                    output=run.data,
                    surveys=run.surveys,
                    earlier=self._places.earlier(order.run),
                    coming_bytes=order.coming_bytes,
                )
            case "convert":
                return ConvertJob(
                    data=dataset,
                    output=run.data,
                    config=order.config,
                    certificate=order.certificate,
                    earlier=self._places.earlier(order.run),
                )
            case "train":
                starts_from = order.config.training.start_from
                return TrainJob(
                    data=run.data,
                    run=run.path,
                    config=order.config,
                    device=self._policy.device,
                    certificate=order.certificate,
                    left=run.left if isinstance(cycle.left, Here) else None,
                    journal=order.journal,
                    initial_weights=self._places.initial_weights(order.run) if starts_from else None,
                )


def _unwritten(path: Path, error: OSError) -> Later:
    remedy = f"{path.parent}에 쓸 수 있게 공간이나 권한 확보 (`training-claw doctor`)"
    return Later(f"{path}: {error.strerror}", alarming=True, remedy=remedy)


def _unstarted(attempt: Attempt, error: OSError) -> JobEnded:
    failure = "no_space" if error.errno == errno.ENOSPC else "error"
    told = f"{error.filename or 'trainer'}: {os.strerror(error.errno or 0)}"
    failed = Failed(failure=failure, message=told)
    return JobEnded(at=STAMPED, run=attempt.run, attempt=attempt.number, outcome=failed)
