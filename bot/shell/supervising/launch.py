"""Starting a trainer process and finding it again: the bot's side of the lock in an attempt's folder.

The process outlives the bot. Who starts it is a Launcher's matter: we ourselves (Process), or systemd, in a
unit that has neither our network nor our credentials (Unit). From then on a free lock means that it is gone.
"""

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from protocol.folders import ROUTINE, AttemptFolder
from protocol.job import Failed, Holder, Job, Outcome, read_outcome

TRAINER = (str(Path(sys.prefix).resolve() / "bin" / "python"), "-m", "trainer")
"""By its real path: an upgrade turns a link to another folder, and a trainer keeps the one it began in."""

ALLOWED_ENV = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TERM|LANG|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|XDG_CACHE_HOME|TORCH_.*|CUDA_.*"
    r"|NVIDIA_.*|NCCL_.*|PYTORCH_.*|OMP_.*|MKL_.*|HF_HOME|HF_LEROBOT_HOME|PYTHON(HASHSEED|FAULTHANDLER)"
)
"""What of the bot's environment a trainer gets to see: nothing that could be a credential."""

OFFLINE = {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}

NICE = 5
"""A trainer takes every core it can get; who asks the bot is answered within a second all the same."""

LAST_LINE_BYTES = 4096

NOT_BEGUN = "systemd has not started it; look at `systemctl status training-claw-trainer.path`"


def trainer_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if ALLOWED_ENV.fullmatch(name)} | OFFLINE


class Launcher(Protocol):
    def launch(self, folder: AttemptFolder, job: Job) -> bool:
        """Have the job in `folder` started. False if it was before, by us or a former daemon.

        Raises:
            OSError: the folder cannot be written, or the process cannot be started.
        """
        ...


@dataclass(frozen=True, slots=True)
class Process:
    """Starts the process itself: a child, until we end."""

    trainer: Sequence[str] = TRAINER

    def launch(self, folder: AttemptFolder, job: Job) -> bool:
        """The lock belongs to the open file that the process inherits; our own copy is closed at once."""
        lock = _new_lock(folder, job)
        if lock is None:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            pid = _start([*self.trainer, "run", str(folder.job), "--lock-fd", str(lock)], lock, folder)
            with contextlib.suppress(OSError):  # gone already: its lock will tell
                os.pwrite(lock, holder_of(pid).model_dump_json().encode(), 0)
                os.setpriority(os.PRIO_PROCESS, pid, max(NICE, os.getpriority(os.PRIO_PROCESS, pid)))
        finally:
            os.close(lock)
        return True


@dataclass(frozen=True, slots=True)
class Unit:
    """Asks systemd: its path unit looks at `runs/wanted/` and starts the trainer's unit, one job at a time.

    The process takes the lock, and only then removes the request: there is always one of the two.
    """

    def launch(self, folder: AttemptFolder, job: Job) -> bool:
        lock = _new_lock(folder, job)
        if lock is None:
            return False
        os.close(lock)
        folder.request.parent.mkdir(exist_ok=True)
        folder.request.touch()
        return True


def is_alive(folder: AttemptFolder) -> bool:
    """Is there a process, or will there be one? The request is looked for first, for it goes last."""
    return folder.request.exists() or is_held(folder)


def is_held(folder: AttemptFolder) -> bool:
    """Does a process hold the folder's lock? False also when there is none."""
    try:
        lock = os.open(folder.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def holder(folder: AttemptFolder) -> Holder | None:
    """Who wrote itself into the lock; None if nobody could, yet."""
    try:
        return Holder.model_validate_json(folder.lock.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def holder_of(pid: int) -> Holder:
    """Raises OSError if there is no such process."""
    return Holder.of(pid, Path(f"/proc/{pid}/stat").read_text())


def open_process(who: Holder) -> int | None:
    """A pidfd of exactly that process, to be closed by the caller; None if it is gone and its number free
    or another's."""
    try:
        process = os.pidfd_open(who.pid)
    except ProcessLookupError:
        return None
    try:
        if holder_of(who.pid) == who:
            return process
    except OSError:
        pass
    os.close(process)
    return None


def signal_holder(folder: AttemptFolder, number: signal.Signals) -> bool:
    """Send `number` to the process that holds the lock. False: it is held, but nobody knows yet by whom.

    A process that was only asked for is not started any more.
    """
    if folder.request.exists():
        _withdraw(folder)
    if not is_held(folder):
        return True
    who = holder(folder)
    process = open_process(who) if who else None
    if process is None:
        return False
    try:
        signal.pidfd_send_signal(process, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(process)
    return True


def reap(pid: int) -> int | None:
    """The exit code of an ended child, negative for a signal; None for a process of a former daemon."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if ended else None


def outcome_of(folder: AttemptFolder) -> Outcome | None:
    """The verdict, if the job came to one."""
    try:
        return read_outcome(folder.outcome.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def last_words(folder: AttemptFolder) -> str:
    """The last line of the job's log that says anything of how it went."""
    try:
        with folder.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_LINE_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip() and ROUTINE not in line), "")


def replace_whole(path: Path, content: bytes) -> None:
    """A reader finds all of it or nothing, even after a power cut.

    As in `trainer/process/whole.py`: bot and trainer share nothing but a language that touches no file.
    """
    unfinished = path.with_name(f".{path.name}.tmp")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)  # the name, too
    finally:
        os.close(descriptor)


def _new_lock(folder: AttemptFolder, job: Job) -> int | None:
    """Tell the job what to do and make its lock, as a descriptor; None if there is one."""
    folder.path.mkdir(parents=True, exist_ok=True)
    if folder.lock.exists():
        return None
    replace_whole(folder.job, job.model_dump_json(indent=2).encode() + b"\n")
    return os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)


def _withdraw(folder: AttemptFolder) -> None:
    """The verdict first: who finds one does not begin. Whoever has begun will leave another."""
    verdict = Failed(failure="error", message=NOT_BEGUN)
    replace_whole(folder.outcome, verdict.model_dump_json(indent=2).encode() + b"\n")
    folder.request.unlink(missing_ok=True)


def _start(command: Sequence[str], lock: int, folder: AttemptFolder) -> int:
    with folder.log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            start_new_session=True,
            env=trainer_environment(os.environ),
        )
    process.returncode = 0  # it may outlive us, and `reap` waits for it: nothing here for Popen to mind
    return process.pid
