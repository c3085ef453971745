"""A job that a person starts by hand is a process of its own; its verdict and its exit code come back."""

import re
from pathlib import Path

import pytest

from protocol.job import Checked, CheckJob, ExitCode, Failed, read_outcome
from protocol.progress import Counted
from protocol.training import TrainingConfig
from trainer.process.attempt import JobError, now
from trainer.process.watched import _lines, next_attempt, run_watched


def job_in(folder: Path, data: Path, config: TrainingConfig) -> Path:
    return written(folder, CheckJob(data=data, config=config).model_dump_json())


def written(folder: Path, text: str) -> Path:
    path = folder / "attempts" / "1" / "job.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
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


def test_a_line_that_is_none_of_ours_is_passed_over(tmp_path: Path) -> None:
    events, counted = tmp_path / "events.jsonl", Counted(at=now(), done=3, total=4, unit="episode")
    events.write_text('{"event":"coun{"event":"counted"}\n' + counted.model_dump_json() + "\n")
    assert next(_lines(events)) == ("episodes", 3, 4)


def test_an_attempt_that_has_ended_is_not_done_again(
    simulated: Path, config: TrainingConfig, tmp_path: Path
) -> None:
    job = job_in(tmp_path, simulated, config)
    run_watched(job)
    before = job.with_name("outcome.json").stat().st_mtime_ns
    with pytest.raises(JobError, match=r"has ended well \(checked\); the next one: mkdir "):
        run_watched(job)
    assert job.with_name("outcome.json").stat().st_mtime_ns == before


def test_a_slip_of_the_pen_does_not_use_an_attempt_up(tmp_path: Path) -> None:
    job = written(tmp_path, '{"kind": "train", "data": "data.h5", "run": ".", "device": "tpu", "config": {}}')
    with pytest.raises(JobError, match=r"attempts/1/job\.json: train\.device: .*; put it right"):
        run_watched(job)
    assert [*job.parent.iterdir()] == [job]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "job.json: not JSON: EOF"),
        ("[]", "job.json: names and values are expected, in braces"),
        ("{}", "job.json: kind: is missing; say one of check, convert, train"),
        ('{"kind": "fly"}', "job.json: kind: 'fly' is not known"),
        ('{"kind": "check", "data": "data"}', "job.json: check.config: is missing"),
        ('{"kind": "check", "data": "data", "config": 3}', "check.config: names and values are expected"),
    ],
)
def test_what_is_wrong_with_a_job_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(JobError, match=re.escape(said)):
        run_watched(written(tmp_path, text))


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Failed(failure="bad_data", message="data.h5 is not there").model_dump_json(), "not there"),
        ("half", "outcome.json cannot be read"),
    ],
)
def test_how_an_attempt_failed_is_said_in_words_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str, said: str
) -> None:
    job = written(tmp_path, "{}")
    job.with_name("outcome.json").write_text(outcome)
    (tmp_path / "attempts" / "2").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JobError) as refused:
        run_watched(job, ["--reference"])
    words, _, typed = str(refused.value).partition("; the next one: ")
    assert words.startswith("attempts/1: this attempt has ")
    assert said in words
    assert typed == (
        "mkdir attempts/3 && cp attempts/1/job.json attempts/3/job.json"
        " && training-claw train attempts/3/job.json --reference"
    )


def test_a_folder_without_a_number_is_followed_by_a_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert next_attempt(Path("mine/job.json")).startswith("mkdir mine-2 && ")
