"""A job that a person starts by hand is a process of its own; its verdict and its exit code come back."""

from pathlib import Path

import pytest

from protocol.job import Checked, CheckJob, ExitCode, read_outcome
from protocol.training import TrainingConfig
from trainer.process.watched import run_watched


def job_in(folder: Path, data: Path, config: TrainingConfig) -> Path:
    path = folder / "attempts" / "1" / "job.json"
    path.parent.mkdir(parents=True)
    path.write_text(CheckJob(data=data, config=config).model_dump_json())
    return path


def test_the_verdict_is_printed_and_the_exit_code_is_the_job_s(
    simulated: Path, config: TrainingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_watched(job_in(tmp_path, simulated, config)) == ExitCode.DONE
    verdict = read_outcome(capsys.readouterr().out)
    assert isinstance(verdict, Checked)
    assert verdict.episodes == 4


def test_a_refusal_is_an_exit_code_of_its_own(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_watched(job_in(tmp_path, simulated, TrainingConfig())) == ExitCode.REFUSED
    assert "에피소드 수 부족" in capsys.readouterr().out


def test_an_attempt_that_has_ended_is_not_done_again(
    simulated: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    job = job_in(tmp_path, simulated, config)
    run_watched(job)
    before = job.with_name("outcome.json").stat().st_mtime_ns
    assert run_watched(job) == ExitCode.USAGE
    assert job.with_name("outcome.json").stat().st_mtime_ns == before
