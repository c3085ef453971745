"""The whole cycle with the real daemon, trainer and learning: killed on the way, and interrupted."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.judging.judge import Play, judge
from protocol.roster import Roster

PROGRAM = str(Path(sys.executable).with_name("training-claw"))

Look = Callable[[Path], list[str]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_daemon_killed_in_mid_training_comes_to_the_same_ending_once(
    tmp_path: Path, processes_that_name: Look, read_transcript: Callable[[Path], list[Entry]]
) -> None:
    stage, transcript = tmp_path / "stage", tmp_path / "talk.jsonl"
    options = ["--fast", "--kill-bot-at-epoch", "2", "--dir", str(stage), "--transcript", str(transcript)]
    ran = subprocess.run([PROGRAM, "rehearse", *options], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "killed" in ran.stdout
    acts = judge(Play(read_transcript(transcript), Roster(), (OPERATOR_ID,)))
    assert [act for act in acts if not act.passed] == []
    assert (stage / "loss_curve.png").read_bytes().startswith(b"\x89PNG")
    kept = sorted(path.name for path in (stage / "bucket" / "checkpoints").glob("act_epoch_*"))
    assert len(kept) in (3, 4), "the last three, and the best where it is another"
    assert processes_that_name(stage) == []


def test_ctrl_c_in_mid_training_leaves_no_process(tmp_path: Path, processes_that_name: Look) -> None:
    command = [PROGRAM, "rehearse", "--fast", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = next((line for line in process.stdout if "[REPORT] 학습 시작." in line), None)
        assert seen is not None, "training began"
        assert any("trainer" in line for line in processes_that_name(tmp_path))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130, said
    assert processes_that_name(tmp_path) == []
