"""A job leaves exactly one verdict, says how far it is, and shares its folder with nobody."""

import errno
import fcntl
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from select import poll
from subprocess import DEVNULL, PIPE, Popen, run

import pytest

from protocol.folders import ROUTINE, AttemptFolder
from protocol.job import (
    Checked,
    CheckJob,
    ExitCode,
    Failed,
    Holder,
    Job,
    Outcome,
    read_outcome,
)
from protocol.progress import Began, Counted, read_line
from protocol.training import TrainingConfig
from trainer.process import attempt as process
from trainer.process.attempt import Attempt, JobError, now, run_attempt

ADMITTED = Checked(ok=True, episodes=50, frames=500, hash="abc")


@pytest.fixture
def folder(tmp_path: Path) -> AttemptFolder:
    job = CheckJob(data=tmp_path / "data", config=TrainingConfig())
    (tmp_path / "job.json").write_text(job.model_dump_json())
    return AttemptFolder(tmp_path)


def admits(job: Job, attempt: Attempt) -> Outcome:
    attempt.say(Counted(at=now(), done=1, total=1, unit="episode"))
    return ADMITTED


def outcome_of(folder: AttemptFolder) -> Outcome:
    return read_outcome(folder.outcome.read_text())


def test_a_job_says_lines_and_leaves_a_verdict(folder: AttemptFolder) -> None:
    assert run_attempt(folder.job, None, admits) is ExitCode.DONE
    began, counted = [read_line(line) for line in folder.events.read_text().splitlines()]
    assert isinstance(began, Began)
    assert (began.phase, began.pid) == ("check", os.getpid())
    assert began.versions.keys() >= {"python", "lerobot", "torch"}
    assert isinstance(counted, Counted)
    assert outcome_of(folder) == ADMITTED


def test_a_refusal_has_its_own_exit_code(folder: AttemptFolder) -> None:
    refused = ADMITTED.model_copy(update={"ok": False})
    assert run_attempt(folder.job, None, lambda *_: refused) is ExitCode.REFUSED


def fails_with(error: Exception) -> Callable[[Job, Attempt], Outcome]:
    def work(job: Job, attempt: Attempt) -> Outcome:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "failure", "code"),
    [
        (RuntimeError("two\nlines"), "error", ExitCode.FAILED),
        (MemoryError(), "out_of_memory", ExitCode.OUT_OF_MEMORY),
        (OSError(errno.ENOSPC, "No space left", "data.h5"), "no_space", ExitCode.NO_SPACE),
        (JobError("diverged", "loss is NaN", 7), "diverged", ExitCode.DIVERGED),
        (JobError("no_device", "no GPU"), "no_device", ExitCode.NO_DEVICE),
    ],
    ids=str,
)
def test_a_failure_is_one_line_with_its_kind(
    folder: AttemptFolder, error: Exception, failure: str, code: ExitCode
) -> None:
    assert run_attempt(folder.job, None, fails_with(error)) is code
    outcome = outcome_of(folder)
    assert isinstance(outcome, Failed)
    assert outcome.failure == failure
    assert "\n" not in outcome.message


def test_the_traceback_is_for_the_log_alone(folder: AttemptFolder, capfd: pytest.CaptureFixture[str]) -> None:
    run_attempt(folder.job, None, fails_with(RuntimeError("two\nlines")))
    assert "Traceback" in folder.log.read_text()
    shown = capfd.readouterr()
    assert "Traceback" not in shown.err
    assert shown.err.startswith("RuntimeError: two lines; see ")


def test_who_leaves_as_asked_leaves_no_traceback(folder: AttemptFolder) -> None:
    assert run_attempt(folder.job, None, fails_with(JobError("stopped", "as asked"))) is ExitCode.STOPPED
    assert "Traceback" not in folder.log.read_text()


def test_the_log_has_all_we_say_and_the_libraries_warnings(folder: AttemptFolder) -> None:
    def work(job: Job, attempt: Attempt) -> Outcome:
        for logger in ("trainer.learning.tuning", "lerobot.somewhere"):
            logging.getLogger(logger).info("%s: routine", logger)
            logging.getLogger(logger).warning("%s: trouble", logger)
        return admits(job, attempt)

    run_attempt(folder.job, None, work)
    routine, *troubles = folder.log.read_text().splitlines()
    assert f"{ROUTINE}trainer.learning.tuning: trainer.learning.tuning: routine" in routine
    assert [line.partition(" WARNING ")[2] for line in troubles] == [
        "trainer.learning.tuning: trainer.learning.tuning: trouble",
        "lerobot.somewhere: lerobot.somewhere: trouble",
    ]


def test_a_job_that_cannot_be_read_is_named(folder: AttemptFolder) -> None:
    folder.job.write_text('{"kind": "check"}')
    assert run_attempt(folder.job, None, admits) is ExitCode.USAGE
    outcome = outcome_of(folder)
    assert isinstance(outcome, Failed)
    assert outcome.failure == "bad_job"
    assert "data" in outcome.message


def test_a_stop_is_not_a_failure(folder: AttemptFolder) -> None:
    def work(job: Job, attempt: Attempt) -> Outcome:
        os.kill(os.getpid(), signal.SIGTERM)
        attempt.stop.leave_if_asked()
        return ADMITTED

    assert run_attempt(folder.job, None, work) is ExitCode.STOPPED
    outcome = outcome_of(folder)
    assert isinstance(outcome, Failed)
    assert outcome.failure == "stopped"


def test_while_a_job_runs_nobody_else_can(folder: AttemptFolder) -> None:
    def work(job: Job, attempt: Attempt) -> Outcome:
        assert run_attempt(folder.job, None, admits) is ExitCode.USAGE
        assert not folder.outcome.exists()
        return ADMITTED

    assert run_attempt(folder.job, None, work) is ExitCode.DONE


def test_an_attempt_that_ended_is_not_begun_again(folder: AttemptFolder) -> None:
    run_attempt(folder.job, None, admits)
    before = folder.events.read_text()
    assert run_attempt(folder.job, None, admits) is ExitCode.USAGE
    assert folder.events.read_text() == before


def test_the_lock_says_who_holds_it_and_is_free_afterwards(folder: AttemptFolder) -> None:
    run_attempt(folder.job, None, admits)
    holder = Holder.model_validate_json(folder.lock.read_bytes())
    ourselves = Path("/proc/self/stat").read_text()
    assert holder == Holder.of(os.getpid(), ourselves)
    with folder.lock.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_descriptor_of_another_file_is_refused(folder: AttemptFolder) -> None:
    other = os.open(folder.path / "other", os.O_RDWR | os.O_CREAT)
    assert run_attempt(folder.job, other, admits) is ExitCode.USAGE
    assert not folder.outcome.exists()


def test_no_line_follows_half_of_one(folder: AttemptFolder) -> None:
    folder.events.write_bytes(b'{"event":"counted"}\n{"event":"saved","folder":"checkp')
    run_attempt(folder.job, None, admits)
    first, began, counted = folder.events.read_bytes().splitlines()
    assert first == b'{"event":"counted"}'
    assert (type(read_line(began)), type(read_line(counted))) == (Began, Counted)


def test_a_line_that_does_not_fit_on_the_disk_leaves_no_half(
    folder: AttemptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(job: Job, attempt: Attempt) -> Outcome:
        before = folder.events.stat().st_size
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (before + 20, limits[1])
        )  # writes less, as a full disk does
        try:
            with pytest.raises(OSError, match="No space left"):
                admits(job, attempt)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert folder.events.stat().st_size == before
        return admits(job, attempt)

    assert run_attempt(folder.job, None, work) is ExitCode.DONE
    assert len([read_line(line) for line in folder.events.read_bytes().splitlines()]) == 2


@pytest.mark.parametrize(
    ("error", "failure"), [(None, None), (RuntimeError("why"), "error")], ids=["done", "failed"]
)
def test_a_disk_that_filled_up_meanwhile_has_room_for_the_verdict(
    folder: AttemptFolder, monkeypatch: pytest.MonkeyPatch, error: Exception | None, failure: str | None
) -> None:
    def work(job: Job, attempt: Attempt) -> Outcome:
        monkeypatch.setattr(process, "replace_whole", full)
        folder.log.unlink()
        folder.log.mkdir()  # no traceback can be written
        if error:
            raise error
        return ADMITTED

    run_attempt(folder.job, None, work)
    outcome = outcome_of(folder)
    assert (outcome.failure if isinstance(outcome, Failed) else None) == failure
    assert not [path for path in folder.path.iterdir() if path.name.startswith(".")]


def test_a_verdict_longer_than_its_room_becomes_no_space(
    folder: AttemptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "replace_whole", full)
    long = ADMITTED.model_copy(update={"hash": "a" * 5000})
    assert run_attempt(folder.job, None, lambda *_: long) is ExitCode.NO_SPACE
    outcome = outcome_of(folder)
    assert isinstance(outcome, Failed)
    assert outcome.message == f"no space left writing {folder.outcome}; make room, then start again"


def full(path: Path, content: bytes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_folder_that_takes_nothing_is_one_line(
    folder: AttemptFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def no_room(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    assert run_attempt(folder.job, None, admits) is ExitCode.NO_SPACE
    assert capfd.readouterr().err == f"{folder.path}: No space left on device; see to it, then start again\n"
    assert not folder.outcome.exists()


# --- as a process, with the lock handed over --------------------------------


ENDLESS = """
import sys
from pathlib import Path
from trainer.process.attempt import run_attempt
from trainer.process.workers import in_processes

def work(job, attempt):
    in_processes(Path.read_bytes, [job.data], stop=attempt.stop, told=print)

if __name__ == "__main__":
    sys.exit(run_attempt(Path(sys.argv[1]), int(sys.argv[2]), work))
"""


@pytest.fixture
def running(folder: AttemptFolder) -> Iterator[Popen[bytes]]:
    """A job that is under way and will never end: its worker reads a pipe nobody writes to."""
    endless = folder.path / "data"
    os.mkfifo(endless)
    script = folder.path / "endless.py"
    script.write_text(ENDLESS)
    lock = os.open(folder.lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    command = [sys.executable, script, folder.job, str(lock)]
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with Popen(command, pass_fds=[lock], stdout=DEVNULL, stderr=PIPE, env=where) as process:
        os.close(lock)
        writer = os.open(endless, os.O_WRONLY)  # returns once a worker has opened the other end
        try:
            yield process
        finally:
            process.kill()
            os.close(writer)


@pytest.mark.slow
def test_sigterm_ends_a_job_in_good_order(folder: AttemptFolder, running: Popen[bytes]) -> None:
    running.terminate()
    assert running.wait(60) == ExitCode.STOPPED
    outcome = outcome_of(folder)
    assert isinstance(outcome, Failed)
    assert outcome.failure == "stopped"


@pytest.mark.slow
def test_a_second_process_leaves_a_running_attempt_alone(
    folder: AttemptFolder, running: Popen[bytes]
) -> None:
    command = [sys.executable, "-m", "trainer", "run", folder.job]
    second = run(command, capture_output=True, text=True, check=False)
    assert second.returncode == ExitCode.USAGE
    assert second.stderr == f"{folder.path}: another process works here; leave it to it\n"
    assert running.poll() is None


@pytest.mark.slow
def test_a_killed_job_leaves_a_free_lock_no_verdict_and_no_worker(
    folder: AttemptFolder, running: Popen[bytes]
) -> None:
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    workers = [os.pidfd_open(int(child)) for child in children]
    running.kill()
    running.wait()
    for worker in workers:
        gone = poll()
        gone.register(worker)
        assert gone.poll(30_000), "a worker outlived the job"
        os.close(worker)
    assert not folder.outcome.exists()
    with folder.lock.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
