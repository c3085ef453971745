"""The commands answer in one line a problem, one verdict, and the exit code that goes with it."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from protocol.job import ExitCode
from protocol.training import TrainingConfig
from trainer.__main__ import main
from trainer.config_file import read_config
from trainer.data.store import FrameStore
from trainer.process.attempt import JobError

from .desk import hash_folder

SMALL = "dataset:\n  min_episodes: 4\n  image_size: [48, 64]\n"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(SMALL)
    return path


def test_validate_prints_one_object_for_programs(simulated: Path, small: Path) -> None:
    result = call("validate", simulated, "--json", "--config", small)
    assert result.exit_code == ExitCode.DONE
    answer = json.loads(result.stdout)
    assert list(answer) == ["ok", "episodes", "frames", "hash", "problems"]
    assert (answer["ok"], answer["episodes"], answer["frames"], answer["problems"]) == (True, 4, 64, [])


def test_validate_names_each_problem_and_refuses(spoiled: Callable[[str], Path]) -> None:
    folder = spoiled("frame_count")
    result = call("validate", folder)
    assert result.exit_code == ExitCode.REFUSED
    assert result.stdout.splitlines() == [
        "refuse 에피소드 수 부족 (4개, 최소 50개)",
        "refuse episode_002: 프레임 수 불일치 (비디오 16프레임, 액션 14프레임)",
        "warn episode_002: metadata의 프레임 수가 다름 (metadata 16프레임, 액션 14프레임)",
        f"refused: {folder} (4 episodes, 62 frames, 2 problems)",
    ]
    problem = json.loads(call("validate", folder, "--json").stdout)["problems"][1]
    assert problem == {
        "severity": "refuse",
        "check": "frame_count",
        "message": "프레임 수 불일치 (비디오 16프레임, 액션 14프레임)",
        "episode": "episode_002",
        "frame": 14,
    }


def test_a_folder_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    assert call("validate", tmp_path / "nowhere").exit_code == ExitCode.USAGE


def test_convert_writes_what_was_admitted(simulated: Path, small: Path, tmp_path: Path) -> None:
    output = tmp_path / "data.h5"
    result = call("convert", simulated, output, "--config", small)
    assert (result.exit_code, result.stdout) == (ExitCode.DONE, f"4 episodes, 64 frames in {output}\n")
    assert len(FrameStore.open(output).certificate) == 64


def test_convert_writes_nothing_that_was_refused(
    spoiled: Callable[[str], Path], small: Path, tmp_path: Path
) -> None:
    result = call("convert", spoiled("no_success"), tmp_path / "data.h5", "--config", small)
    assert result.exit_code == ExitCode.REFUSED
    assert "episode_002: success_criteria 미충족" in result.stdout
    assert not (tmp_path / "data.h5").exists()


@pytest.mark.parametrize("form", ["hdf5", "lerobot"])
def test_a_device_is_not_replaced_nor_is_the_data_set_added_to(
    simulated: Path, small: Path, tmp_path: Path, form: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for output, why in ((pipe, "is no file but a device or a pipe"), (simulated / "out", "lies in")):
        result = call("convert", simulated, output, "--to", form, "--config", small)
        assert result.exit_code == ExitCode.USAGE
        assert (result.stderr.count("\n"), f"error: {output}: {why}" in result.stderr) == (1, True)
    assert pipe.is_fifo()
    assert not (simulated / "out").exists()


def test_a_full_disk_is_named_by_what_could_not_be_written(
    simulated: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("trainer.commands.admit.convert", full)
    result = call("convert", simulated, tmp_path / "data.h5", "--config", small)
    assert result.exit_code == ExitCode.NO_SPACE
    assert result.stderr == f"error: {tmp_path / 'data.h5'}: No space left on device\n"


def test_simulate_spoils_the_episode_it_is_told_to(tmp_path: Path) -> None:
    result = call("simulate", tmp_path, "--episodes", 2, "--frames", 4, "--fault", "missing_video:1")
    assert result.exit_code == ExitCode.DONE
    assert result.stdout == f"2 episodes of 4 frames in {tmp_path}\n"
    assert [(tmp_path / name / "ego.mp4").exists() for name in ("episode_000", "episode_001")] == [
        True,
        False,
    ]


@pytest.mark.parametrize("fault", ["nosuch", "nan:x", "nan:9"])
def test_a_fault_that_cannot_be_is_a_wrong_call(tmp_path: Path, fault: str) -> None:
    result = call("simulate", tmp_path, "--episodes", 1, "--frames", 4, "--fault", fault)
    assert result.exit_code == ExitCode.USAGE
    assert fault.partition(":")[2] in result.stderr


@pytest.mark.parametrize("command", ["simulate", "validate", "convert", "train", "evaluate"])
def test_every_command_shows_examples(command: str) -> None:
    assert f"Examples:\n  training-claw {command} " in call(command, "--help").stdout


def test_a_plan_s_blocks_are_read_and_others_passed_over(tmp_path: Path) -> None:
    plan = tmp_path / "PLAN.md"
    plan.write_text(f"# PLAN\n\n```yaml\ncluster: a100\n```\nwords\n```yaml\n{SMALL}```\n")
    expected = TrainingConfig().with_changes({"dataset.min_episodes": 4, "dataset.image_size": (48, 64)})
    assert read_config(plan) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("training:\n  batchsize: 3\n", r"training\.batchsize"),
        ("training: [\n", r"config\.yaml: "),
        ("cluster: a100\n", r"cluster: is not known"),
        ("# A plan without settings\n\nwords\n", r"config\.yaml: no settings in it; write some as "),
        ("- training\n", r"config\.yaml: no settings in it"),
        ("training: 3\n", r"training: names and values are expected$"),
        (b"training: {}  # \xc7\xd0", r"config\.yaml: is not UTF-8 \(byte 16\); save it as UTF-8"),
    ],
)
def test_a_config_that_cannot_be_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(JobError, match=said):
        read_config(path)


def test_a_place_that_cannot_be_written_is_named_before_the_work(simulated: Path, small: Path) -> None:
    result = call("convert", simulated, "/proc/nowhere/data.h5", "--config", small)
    assert result.exit_code == ExitCode.USAGE
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: /proc/nowhere: cannot be written to")


@pytest.mark.parametrize(
    "command", [("convert", "{0}", "{0}/data.h5"), ("validate", "{0}", "--report", "{0}/report")]
)
def test_what_is_written_lies_outside_of_the_data(
    folder: Path, small: Path, command: tuple[str, ...]
) -> None:
    before, inside = hash_folder(folder), command[-1].format(folder)
    told = call(*(each.format(folder) for each in command), "--config", small)
    assert told.exit_code == ExitCode.USAGE
    assert told.stderr == f"error: {inside}: lies in the data set {folder}; name a place outside of it\n"
    assert hash_folder(folder) == before
