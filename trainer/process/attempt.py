"""One process of a run, seen from inside: the lock it holds, the lines it says, the verdict it leaves.

Its folder is as protocol.folders has it. Whatever happens in here, exactly one `outcome.json` is left behind,
unless the process is killed: then the lock is free and there is none, which is how the bot sees it. On a disk
that has filled up meanwhile it takes the place of a file that was put there at the beginning.
"""

import errno
import faulthandler
import fcntl
import importlib.metadata
import logging
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from pydantic import ValidationError

from protocol.folders import AttemptFolder
from protocol.job import (
    EXIT_OF_FAILURE,
    Checked,
    ExitCode,
    Failed,
    FailureKind,
    Holder,
    Job,
    Outcome,
    read_job,
)
from protocol.progress import Began, Line
from trainer.process.misfit import in_one_line
from trainer.process.whole import FULL, replace_whole, write_over

FIRST_PHASE = {"probe": "probe", "check": "check", "convert": "convert", "train": "load"}
FIRST_PROMISE_S = {"probe": 120.0, "check": 600.0, "convert": 600.0, "train": 600.0}
"""Before its first count a check lists the set, and hashes its first file, perhaps from a slow disk."""
LOGGED = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")  # INFO as in protocol.folders
ROOM_BYTES = 4096
"""Every failure's verdict is shorter, and so is a training's."""
REPORTED_VERSIONS = ("lerobot", "torch", "torchvision", "numpy", "av", "h5py")


class JobError(Exception):
    """A job cannot come to its end. `message` is one line: the thing, the place, the next step."""

    def __init__(
        self, failure: FailureKind, message: str, epoch: int | None = None, fits_batch_size: int | None = None
    ) -> None:
        super().__init__(failure, message, epoch, fits_batch_size)  # or it could not come back from a worker
        self.failed = Failed(failure=failure, message=message, epoch=epoch, fits_batch_size=fits_batch_size)

    def __str__(self) -> str:
        return self.failed.message


@dataclass
class Stop:
    """Somebody asked us to leave. Long work looks at `asked` wherever it can be left in good order."""

    asked: bool = False

    def leave_if_asked(self) -> None:
        """Raises JobError("stopped")."""
        if self.asked:
            raise JobError("stopped", "stopped on request; start the job again to go on")


@dataclass
class Attempt:
    """What the work gets in hand: where it runs, whether it should leave, and a way to say how far it is."""

    folder: AttemptFolder
    stop: Stop = field(default_factory=Stop)
    _saying: Lock = field(default_factory=Lock, repr=False)

    def say(self, line: Line) -> None:
        """Append one fact to `events.jsonl`, from any thread. One write a line: no reader sees two mixed.

        Raises:
            OSError: the disk is full. No half of the line is left.
        """
        content = line.model_dump_json().encode() + b"\n"
        with self._saying, self.folder.events.open("ab", buffering=0) as events:
            before = events.tell()
            if events.write(content) != len(content):
                events.truncate(before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder.events))

    def end(self, outcome: Outcome) -> Outcome:
        """Leave the verdict, whole or not at all. What it is: on a full disk a long one has no room."""
        try:
            replace_whole(self.folder.outcome, _written(outcome))
        except OSError as error:
            if error.errno not in FULL or not _room(self.folder).exists():
                raise
            if len(_written(outcome)) > ROOM_BYTES:
                outcome = failed(error, self.folder.job)
            write_over(_room(self.folder), _written(outcome), self.folder.outcome)
        return outcome


type Work = Callable[[Job, Attempt], Outcome]

type Told = Callable[[int, int], None]
"""Hears how far something is: done, total."""


def hears_nothing(done: int, total: int) -> None:
    """Told, when nobody listens."""


def now() -> datetime:
    return datetime.now(UTC)


def run_attempt(
    job_path: Path, lock_fd: int | None, work: Work, taken: Callable[[], None] = lambda: None
) -> ExitCode:
    """Do the job in `job_path`, by `work`, under its folder's lock.

    `lock_fd` is a descriptor of the lock file on which the caller already holds the lock; without one the
    lock is taken here. `taken` hears when it is held. A folder that is locked or already has an outcome is
    left untouched (USAGE).
    """
    attempt = Attempt(AttemptFolder(job_path.absolute().parent))
    try:
        with (
            _locked(attempt.folder, lock_fd),
            _room_for_a_verdict(attempt.folder),
            _logging_to(attempt.folder.log),
            stoppable(attempt.stop),
        ):
            taken()
            outcome = attempt.end(_do(job_path, attempt, work))
    except JobError as refusal:
        print(refusal.failed.message, file=sys.stderr)
        return EXIT_OF_FAILURE[refusal.failed.failure]
    except OSError as error:  # the folder itself takes nothing, so no verdict either
        print(
            f"{error.filename or attempt.folder.path}: {error.strerror}; see to it, then start again",
            file=sys.stderr,
        )
        return ExitCode.NO_SPACE if error.errno in FULL else ExitCode.FAILED
    if isinstance(outcome, Failed):
        print(outcome.message, file=sys.stderr)
    return exit_code(outcome)


def exit_code(outcome: Outcome) -> ExitCode:
    """The hint that goes with a verdict."""
    match outcome:
        case Failed():
            return EXIT_OF_FAILURE[outcome.failure]
        case Checked(ok=False):
            return ExitCode.REFUSED
        case _:
            return ExitCode.DONE


def _written(outcome: Outcome) -> bytes:
    return outcome.model_dump_json(indent=2).encode() + b"\n"


# --- the work and how it fails ----------------------------------------------


def _do(job_path: Path, attempt: Attempt, work: Work) -> Outcome:
    try:
        job = read_job(job_path.read_bytes())
        attempt.say(
            Began(
                at=now(),
                next_within_s=FIRST_PROMISE_S[job.kind],
                pid=os.getpid(),
                phase=FIRST_PHASE[job.kind],
                versions=installed_versions(),
            )
        )
        return work(job, attempt)
    except Exception as error:
        verdict = failed(error, job_path)
        if verdict.failure != "stopped":  # who asked for it need not be told where it happened
            # Whatever becomes of these words, it must not cost the verdict.
            with suppress(OSError), attempt.folder.log.open("a") as log:
                traceback.print_exc(file=log)
        return verdict


def failed(error: Exception, job_path: Path) -> Failed:
    """The verdict an exception amounts to."""
    log = AttemptFolder(job_path.parent).log
    match error:
        case JobError():
            return error.failed
        case ValidationError():
            return Failed(failure="bad_job", message=f"{job_path}: {in_one_line(error)}")
        case MemoryError():
            return Failed(failure="out_of_memory", message=f"out of memory; see {log}")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            where = error.filename or job_path.parent
            return Failed(
                failure="no_space", message=f"no space left writing {where}; make room, then start again"
            )
        case _:
            said = " ".join(str(error).split())[:300]
            return Failed(failure="error", message=f"{type(error).__name__}: {said}; see {log}")


def installed_versions() -> dict[str, str]:
    known = {name: importlib.metadata.version(name) for name in REPORTED_VERSIONS}
    return {"python": platform.python_version(), **known}


# --- the process ------------------------------------------------------------


@contextmanager
def _locked(folder: AttemptFolder, lock_fd: int | None) -> Iterator[None]:
    """Hold the folder's lock and write into it who does.

    The lock belongs to the open file, not to us: it is free once every copy of the descriptor is closed, so
    none may be inherited by a worker.
    """
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o644) if lock_fd is None else lock_fd
    os.set_inheritable(descriptor, False)
    try:
        _take(descriptor, folder)
        os.ftruncate(descriptor, os.pwrite(descriptor, _ourselves().model_dump_json().encode(), 0))
        yield
    finally:
        os.close(descriptor)


def _room(folder: AttemptFolder) -> Path:
    return folder.outcome.with_name(f".{folder.outcome.name}.room")


@contextmanager
def _room_for_a_verdict(folder: AttemptFolder) -> Iterator[None]:
    """Take what a verdict needs of the disk now, and see to it that no line follows half of one: a process
    that was killed here may have left that."""
    if folder.events.exists():
        os.truncate(folder.events, folder.events.read_bytes().rfind(b"\n") + 1)
    room = _room(folder)
    with room.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, ROOM_BYTES)
    try:
        yield
    finally:
        room.unlink(missing_ok=True)


def _ourselves() -> Holder:
    return Holder.of(os.getpid(), Path("/proc/self/stat").read_text())


def _take(descriptor: int, folder: AttemptFolder) -> None:
    if not folder.lock.exists() or not os.path.samestat(os.fstat(descriptor), folder.lock.stat()):
        raise JobError("bad_job", f"descriptor {descriptor} is not {folder.lock}; pass the lock's own")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise JobError("bad_job", f"{folder.path}: another process works here; leave it to it") from None
    if folder.outcome.exists():
        raise JobError("bad_job", f"{folder.path}: this attempt has ended; start the next one")


@contextmanager
def alone_with(lock: Path) -> Iterator[None]:
    """Be the only one who works in the folder that `lock` lies in.

    Raises:
        JobError("bad_job"): somebody else does.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            where = f"{lock.parent}: another attempt of this run is under way"
            raise JobError("bad_job", f"{where}; let it end or stop it, then start the next one") from None
        yield


@contextmanager
def _logging_to(log: Path) -> Iterator[None]:
    """Everything that is printed or logged from here on goes to `log`: ours, the libraries', an abort's last
    words. Of what is logged: all that we say, and the libraries' warnings."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    faulthandler.enable(file=descriptor, all_threads=True)
    handler = logging.FileHandler(log)
    handler.setFormatter(LOGGED)
    logging.getLogger().addHandler(handler)
    logging.getLogger("trainer").setLevel(logging.INFO)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        for last_words in (handler.close, sys.stdout.flush, sys.stderr.flush):
            with suppress(OSError):
                last_words()
        faulthandler.disable()
        for original, number in zip(kept, (1, 2), strict=True):
            os.dup2(original, number)
            os.close(original)
        os.close(descriptor)


@contextmanager
def stoppable(stop: Stop) -> Iterator[None]:
    """SIGTERM, or Ctrl-C at a terminal, asks the work to leave."""

    def ask(*_: object) -> None:
        stop.asked = True

    former = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
