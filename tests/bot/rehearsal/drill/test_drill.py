"""The drill's short version: the real daemon under a few faults, with a trainer that learns nothing.

The long one is an operator's (`training-claw drill`); that a killed training comes to the same bits is seen
to by tests/trainer and by the rehearsal that is killed on its way.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("training-claw"))

Look = Callable[[Path], list[str]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def drill(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [PROGRAM, "drill", "--understudy", "--dir", str(folder), "--state", str(folder / "book.json")]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def test_every_play_comes_to_the_same_ending(tmp_path: Path, processes_that_name: Look) -> None:
    kinds = ("kill bot", "kill trainer", "kill both", "SQLite damage", "Discord away", "disk full")
    only = [word for kind in kinds for word in ("--only", kind)]
    ran = drill(tmp_path, "--kills", "9", "--epochs", "25", "--seed", "5", *only)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "lost 0, doubled 0, still owed 0" in ran.stdout
    book = json.loads((tmp_path / "book.json").read_text())
    befallen = [fault for play in book["evenings"] for fault in play["faults"]]
    died_at = [point for play in book["evenings"] for point in play["points"]]
    assert len(befallen) + len(died_at) >= 9
    assert died_at, "and ended at named points"
    assert processes_that_name(tmp_path) == []


def test_a_machine_lost_with_its_disk_is_replaced_by_another(tmp_path: Path) -> None:
    """Nothing but the bucket and the channel is left: Watcher is asked, and what was learned goes on."""
    ran = drill(tmp_path, "--kills", "1", "--epochs", "25", "--only", "machine lost", "--bucket", "gcs")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (play,) = json.loads((tmp_path / "book.json").read_text())["evenings"]
    (lost,) = play["faults"]
    assert lost["kind"] == "machine lost"
    assert (lost["told"], lost["points_lost"]) == (True, 0), lost


def test_another_seed_s_book_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "book.json").write_text('{"seed": 1, "epochs": 25}')
    ran = drill(tmp_path, "--kills", "1", "--seed", "2")
    assert ran.returncode == 1
    assert "was begun with --seed 1" in ran.stderr
    assert "Traceback" not in ran.stderr
