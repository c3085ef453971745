"""A job that a supervisor is asked for is taken once, by a process that then holds its lock."""

from pathlib import Path

from protocol.folders import RunFolder
from protocol.job import Checked, CheckJob, ExitCode, Job, Outcome
from protocol.training import TrainingConfig
from trainer.process.attempt import Attempt, run_attempt
from trainer.process.take import take

ADMITTED = Checked(ok=True, episodes=50, frames=500, hash="abc")


def admits(job: Job, attempt: Attempt) -> Outcome:
    return ADMITTED


def never(job: Job, attempt: Attempt) -> Outcome:
    raise AssertionError("nothing is to be done")


def asked_for(runs: Path, run: str, number: int = 1) -> Path:
    """What the bot leaves behind; the request."""
    folder = RunFolder(runs / run).attempt(number)
    folder.path.mkdir(parents=True)
    folder.job.write_text(CheckJob(data=runs / "data", config=TrainingConfig()).model_dump_json())
    folder.lock.touch()
    folder.request.parent.mkdir(exist_ok=True)
    folder.request.touch()
    return folder.request


def test_the_oldest_request_is_done_and_the_others_wait(tmp_path: Path) -> None:
    first, second = asked_for(tmp_path, "cycle07-aa"), asked_for(tmp_path, "cycle08-bb", 12)
    done: list[Path] = []

    def looks(job: Job, attempt: Attempt) -> Outcome:
        assert not first.exists(), "it is held by now"
        with attempt.folder.lock.open() as lock:
            assert "pid" in lock.read()
        done.append(attempt.folder.path)
        return ADMITTED

    assert take(tmp_path, looks) is ExitCode.DONE
    assert done == [tmp_path / "cycle07-aa" / "attempts" / "1"]
    assert second.exists()
    assert take(tmp_path, admits) is ExitCode.DONE
    assert not second.exists()
    assert (tmp_path / "cycle08-bb" / "attempts" / "12" / "outcome.json").exists()


def test_with_nothing_asked_for_nothing_is_done(tmp_path: Path) -> None:
    assert take(tmp_path, never) is ExitCode.DONE


def test_a_request_that_names_no_attempt_goes(tmp_path: Path) -> None:
    stray = tmp_path / "wanted" / "stray"
    stray.parent.mkdir()
    stray.touch()
    assert take(tmp_path, never) is ExitCode.USAGE
    assert not stray.exists()


def test_an_attempt_that_is_over_is_not_begun_and_not_asked_for_again(tmp_path: Path) -> None:
    request = asked_for(tmp_path, "cycle07-aa")
    job = RunFolder(tmp_path / "cycle07-aa").attempt(1).job
    run_attempt(job, None, admits)
    assert take(tmp_path, never) is ExitCode.USAGE
    assert not request.exists()
