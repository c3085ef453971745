"""A trainer without learning keeps to the folder protocol, and to its chain, however often it is cut."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.shell.supervising import launch
from protocol.folders import AttemptFolder, RunFolder
from protocol.job import Failed, Job, Trained, TrainJob
from protocol.progress import Saved, Started, read_line
from protocol.training import TrainingConfig

UNDERSTUDY = launch.Process((sys.executable, "-m", "bot.rehearsal.drill.understudy"))
CONFIG = TrainingConfig().with_changes({"training.epochs": 4, "training.save_checkpoint_every": 2})


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def attempt(run: RunFolder, number: int, steps: int | None = None) -> AttemptFolder:
    """Let it play, to its end or until it has said so many lines of progress; then it is killed."""
    folder = run.attempt(number)
    job: Job = TrainJob(data=run.data, run=run.path, config=CONFIG, device="cpu")
    assert UNDERSTUDY.launch(folder, job)
    while launch.is_held(folder):
        if steps is not None and folder.events.exists():
            said = [
                line for line in folder.events.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")
            ]
            if sum(b'"stepped"' in line for line in said) >= steps:
                launch.signal_holder(folder, launch.signal.SIGKILL)
                steps = None
    who = launch.holder(folder)
    assert who is not None
    launch.reap(who.pid)
    return folder


def weights(run: RunFolder) -> dict[str, bytes]:
    return {
        path.relative_to(run.checkpoints).as_posix(): path.read_bytes()
        for path in run.checkpoints.glob("epoch_*/pretrained_model/*")
    }


def test_cut_anywhere_it_comes_to_the_same_bytes(tmp_path: Path, run: RunFolder) -> None:
    unbroken = RunFolder(tmp_path / "unbroken")
    assert isinstance(launch.outcome_of(attempt(unbroken, 1)), Trained)
    assert launch.outcome_of(attempt(run, 1, steps=8)) is None
    assert isinstance(launch.outcome_of(attempt(run, 2)), Trained)
    assert weights(run) == weights(unbroken)
    assert len(weights(run)) == 2
    said = [read_line(line) for line in run.attempt(2).events.read_bytes().splitlines()]
    started = next(line for line in said if isinstance(line, Started))
    assert started.resumed_from in {"epoch_002", "step_000000007"}
    announced = [
        line.folder
        for number in (1, 2)
        for line in map(read_line, run.attempt(number).events.read_bytes().splitlines())
        if isinstance(line, Saved)
    ]
    assert len(announced) == len(set(announced)), "each save is announced once a run"


def test_a_full_disk_has_its_name(tmp_path: Path, run: RunFolder) -> None:
    """RLIMIT_FSIZE would be another error: a device that is always full stands in for the disk."""
    folder = run.attempt(1)
    folder.path.mkdir(parents=True)
    folder.job.write_bytes(TrainJob(data=run.data, run=run.path, config=CONFIG).model_dump_json().encode())
    folder.events.symlink_to("/dev/full")
    lock = tmp_path / "lock"
    with lock.open("w") as held:
        command = [
            sys.executable,
            "-m",
            "bot.rehearsal.drill.understudy",
            "run",
            str(folder.job),
            "--lock-fd",
        ]
        subprocess.run([*command, str(held.fileno())], pass_fds=(held.fileno(),), check=True)
    outcome = launch.outcome_of(folder)
    assert isinstance(outcome, Failed)
    assert outcome.failure == "no_space"
