"""The seams between bot, trainer and bucket: names of files, lines and verdicts."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from protocol import paths
from protocol.folders import AttemptFolder, RunFolder, requested
from protocol.job import (
    EXIT_OF_FAILURE,
    Checked,
    CheckJob,
    ExitCode,
    Failed,
    Holder,
    read_job,
    read_outcome,
)
from protocol.progress import Began, read_line
from protocol.roster import Peer, Roster
from protocol.training import TrainingConfig


def test_a_job_and_its_outcome_are_read_back() -> None:
    job = CheckJob(data=Path("dataset"), config=TrainingConfig())
    assert read_job(job.model_dump_json()) == job
    for outcome in (
        Checked(ok=True, episodes=85, frames=1, hash="x"),
        Failed(failure="stopped", message="x"),
    ):
        assert read_outcome(outcome.model_dump_json()) == outcome
    with pytest.raises(ValidationError):
        read_job('{"kind": "dance"}')


def test_every_failure_has_an_exit_code_of_its_own() -> None:
    codes = list(EXIT_OF_FAILURE.values())
    assert len(set(codes)) == len(codes)
    assert ExitCode.DONE not in codes


def test_a_run_s_files_lie_where_the_docstring_says() -> None:
    run = RunFolder(Path("runs/c1"))
    assert run.attempt(2) == AttemptFolder(Path("runs/c1/attempts/2"))
    assert run.checkpoint(50) == Path("runs/c1/checkpoints/epoch_050")
    assert run.best_at(42) == Path("runs/c1/checkpoints/best/epoch_042")
    assert run.resume_at(7) == Path("runs/c1/checkpoints/resume/step_000000007")
    assert (run.data, run.loss_curve) == (Path("runs/c1/data.h5"), Path("runs/c1/loss_curve.png"))


def test_every_file_of_an_attempt_lies_in_its_folder_under_its_own_name() -> None:
    attempt = AttemptFolder(Path("runs/c1/attempts/1"))
    names = [name for name, value in vars(AttemptFolder).items() if isinstance(value, property)]
    files = {getattr(attempt, name) for name in names}
    assert len(files) == len(names) >= 5
    assert {file for file in files if file.parent != attempt.path} == {Path("runs/wanted/c1.1")}
    assert requested(attempt.request) == attempt


def test_a_process_is_known_by_when_it_began() -> None:
    fields = " ".join(map(str, range(4, 53)))
    assert Holder.of(1, f"1 (a) b) S {fields}\n") == Holder(pid=1, started_ticks=22)


def test_a_line_of_progress_is_read_back() -> None:
    line = Began.model_validate({"at": "2026-11-23T00:00:00Z", "pid": 1, "phase": "load"})
    assert read_line(line.model_dump_json()) == line
    with pytest.raises(ValidationError):
        read_line("[]")


def test_paths_in_the_bucket_are_the_card_s() -> None:
    assert paths.lessons(7) == "lessons/cycle07.md"
    assert paths.act_epoch(50) == "checkpoints/act_epoch_050/"
    assert paths.act_best(7) == "checkpoints/cycle07/act_best/"
    assert paths.loss_curve() == "checkpoints/loss_curve.png"


def test_a_roster_knows_ids_by_name_and_names_by_id() -> None:
    roster = Roster(watcher=200000000000000009)
    assert roster.mention(Peer.WATCHER) == "<@200000000000000009>"
    assert roster.peer_of(200000000000000009) is Peer.WATCHER
    assert roster.peer_of(1477205631927717900) is None
    with pytest.raises(ValidationError, match="not a Discord user id"):
        Roster(watcher=5)
