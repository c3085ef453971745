"""Work shared out to one process a core.

Processes are spawned, never forked: a forked one would inherit the attempt's lock and keep it when we die.
Each asks the kernel to be killed with us, so that nothing outlives a killed job.
"""

import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from trainer.process.attempt import JobError, Stop, Told

PR_SET_PDEATHSIG = 1
STOP_LOOKED_AT_EVERY_S = 0.5
ASKED_EVERY_S = 0.2
"""What has come since then begins so much later than it could."""
ITEMS_PER_WORKER = 4
"""Fewer are done sooner than another process is started."""


type Heard = Callable[[int], None]
"""Hears how many are done."""


class Crew:
    """Processes that work for us until the end of the `with` that hired them."""

    def __init__(self, executor: ProcessPoolExecutor, stop: Stop) -> None:
        self._executor = executor
        self.stop = stop

    def do[Item, Result](
        self, work: Callable[[Item], Result], items: Sequence[Item], *, told: Told
    ) -> list[Result]:
        """`[work(item) for item in items]`; `told` hears of each one done.

        Raises:
            JobError: "stopped" when asked to leave, "error" when a process died; what is under way is
                dropped. What `work` raises is raised here.
        """
        results: dict[int, Result] = {}
        with _deaf_to_ctrl_c():
            pending = {self._executor.submit(work, item): number for number, item in enumerate(items)}
        while pending:
            self.stop.leave_if_asked()
            done, _ = wait(pending, timeout=STOP_LOOKED_AT_EVERY_S, return_when=FIRST_COMPLETED)
            for future in done:
                results[pending.pop(future)] = _result_of(future)
                told(len(results), len(items))
        return [results[number] for number in range(len(items))]

    def keep_up[Item](
        self, work: Callable[[Item], object], more: Callable[[], Sequence[Item] | None], *, told: Heard
    ) -> None:
        """`work(item)` for all that `more()` has each time it is asked, until that is None.

        What is under way then is finished, what waits is let go. `told` hears how many are done, again and
        again, also while there is nothing to do. Raises what `do` raises.
        """
        done, pending = 0, set[Future[object]]()
        while (items := more()) is not None:
            self.stop.leave_if_asked()
            with _deaf_to_ctrl_c():
                pending |= {self._executor.submit(work, item) for item in items}
            finished, pending = wait(pending, timeout=ASKED_EVERY_S, return_when=FIRST_COMPLETED)
            done += len([_result_of(each) for each in finished])
            told(done)
            if not pending and not finished:
                time.sleep(ASKED_EVERY_S)
        self._finish([each for each in pending if not each.cancel()])

    def _finish(self, pending: Sequence[Future[object]]) -> None:
        left = set(pending)
        while left:
            self.stop.leave_if_asked()
            finished, left = wait(left, timeout=STOP_LOOKED_AT_EVERY_S, return_when=FIRST_COMPLETED)
            for each in finished:
                _result_of(each)


@contextmanager
def crew(items: int, stop: Stop) -> Iterator[Crew]:
    """Processes that share the work on so many items: one for every few, and no more than there are cores."""
    executor = ProcessPoolExecutor(
        max_workers=max(1, min(cores(), items // ITEMS_PER_WORKER)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(os.getpid(),),
    )
    with executor, _ended_on_error():
        yield Crew(executor, stop)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """What is started meanwhile never hears of Ctrl-C, not even while it is loaded. We do, afterwards."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def in_processes[Item, Result](
    work: Callable[[Item], Result], items: Sequence[Item], *, stop: Stop, told: Told
) -> list[Result]:
    """A crew's work for once; raises what `Crew.do` raises."""
    with crew(len(items), stop) as workers:
        return workers.do(work, items, told=told)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def _ended_on_error() -> Iterator[None]:
    """Whatever is still being worked on when an error leaves is of no use, and may never end by itself."""
    try:
        yield
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise


def _result_of[Result](future: Future[Result]) -> Result:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise JobError(
            "error", "a worker process was killed, for memory most likely; free some, then try again"
        ) from error


def _begin(parent: int) -> None:
    """In a new worker: die with the parent, leave Ctrl-C to it, and be one thread (libraries come later)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
