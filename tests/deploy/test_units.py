"""The units in deploy/systemd/ are what systemd takes them for, and no more exposed than they need to be."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.shell.machine.places import Places
from bot.shell.supervising.launch import NICE, OFFLINE
from protocol.job import ExitCode

HOUSE = Path(__file__).parents[2]
UNITS = HOUSE / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
STARTED_BY = sorted(path.name for path in UNITS.iterdir() if path.suffix in {".path", ".timer"})
MOST_EXPOSED = 2.0

SYSTEMD_ANALYZE = shutil.which("systemd-analyze") or ""

needs_systemd = pytest.mark.skipif(not SYSTEMD_ANALYZE, reason="systemd-analyze is not installed here")


def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SYSTEMD_ANALYZE, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as if installed: their programs and pages are this checkout's."""
    command = str(Path(sys.executable).with_name("training-claw"))
    for unit in (*SERVICES, *STARTED_BY):
        text = (UNITS / unit).read_text(encoding="utf-8")
        text = text.replace("/opt/training-claw/.venv/bin/training-claw", command)
        (tmp_path / unit).write_text(text, encoding="utf-8")
    return tmp_path


def section(unit: str) -> dict[str, list[str]]:
    """What a unit's lines say, by their names, in order."""
    said: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text(encoding="utf-8").splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            said.setdefault(name, []).append(value)
    return said


@needs_systemd
@pytest.mark.parametrize("service", [*SERVICES, *STARTED_BY])
def test_systemd_has_nothing_to_say_about_a_unit(installed: Path, service: str) -> None:
    said = analyzed("verify", "--man=no", str(installed / service))
    assert (said.returncode, said.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_hardly_exposed(service: str) -> None:
    said = analyzed("security", "--offline=yes", str(UNITS / service)).stdout
    (score,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(score) <= MOST_EXPOSED, said


def test_every_program_a_unit_names_is_in_the_checkout() -> None:
    named = {
        path
        for service in SERVICES
        for path in re.findall(
            r"/opt/training-claw/((?:deploy|docs)/[\w./-]+)", (UNITS / service).read_text()
        )
    }
    assert named >= {"deploy/systemd/growing-pause"}
    assert [path for path in named if not (HOUSE / path).exists()] == []


def test_a_trainer_is_as_nice_as_one_that_the_daemon_starts_itself() -> None:
    assert section("training-claw-trainer.service")["Nice"] == [str(NICE)]


def test_the_daemon_waits_longer_before_each_start_and_forgets_after_an_hour(tmp_path: Path) -> None:
    def pause_s(now_s: int) -> int:
        command = [str(UNITS / "growing-pause"), str(tmp_path / "starts"), str(now_s)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert [pause_s(10_000 + n * 60) for n in range(9)] == [0, 5, 10, 20, 40, 80, 160, 300, 300]
    assert pause_s(100_000) == 0


@pytest.mark.parametrize("unit", ["training-claw.service", "training-claw-alarm@.service"])
def test_the_env_file_is_read_by_us_so_that_a_mistake_is_named_with_its_line(unit: str) -> None:
    said = section(unit)
    assert "EnvironmentFile" not in said
    assert "--env-file /etc/training-claw/training-claw.env" in said["ExecStart"][0]


# --- the trainer's unit -----------------------------------------------------

TRAINER = section("training-claw-trainer.service")
HIDDEN = {"training-claw.sqlite3", "daemon.lock"}
"""What of STATE_DIR is the daemon's own."""


def test_a_trainer_has_no_network_and_nothing_secret() -> None:
    assert TRAINER["PrivateNetwork"] == ["yes"]
    told = " ".join(TRAINER["Environment"]).split()
    assert {f"{name}={value}" for name, value in OFFLINE.items()} <= set(told)
    assert not TRAINER.keys() & {"LoadCredential", "SetCredential", "PassEnvironment", "ImportCredential"}
    assert TRAINER["EnvironmentFile"] == ["-/etc/training-claw/trainer.env"]
    assert "-/etc/training-claw" in TRAINER["InaccessiblePaths"]


def test_a_trainer_sees_every_folder_that_a_job_can_name_and_not_the_database() -> None:
    seen = " ".join(TRAINER["BindPaths"] + TRAINER["BindReadOnlyPaths"])
    source = (HOUSE / "bot" / "shell" / "machine" / "places.py").read_text(encoding="utf-8")
    folders = set(re.findall(r'self\.path / "([^"]+)"', source)) - HIDDEN
    assert folders >= {"runs", "dataset"}
    assert [name for name in folders if f"/var/lib/training-claw/{name}" not in seen] == []
    assert [name for name in HIDDEN if name in seen] == []


def test_no_verdict_of_a_trainer_is_a_failed_unit() -> None:
    (told,) = TRAINER["SuccessExitStatus"]
    assert [int(code) for code in told.split()] == sorted(set(ExitCode) - {ExitCode.DONE})


def test_the_path_unit_looks_where_the_daemon_leaves_its_requests() -> None:
    runs = Places(Path("/var/lib/training-claw")).run("cycle07-ab")
    (looked_at,) = section("training-claw-trainer.path")["DirectoryNotEmpty"]
    assert looked_at == str(runs.attempt(1).request.parent)
    assert str(runs.path.parent) in TRAINER["ExecStart"][0]


def test_the_daemon_asks_systemd_for_its_trainers() -> None:
    daemon = section("training-claw.service")
    assert "LAUNCH=unit" in daemon["Environment"]
    assert "training-claw-trainer.path" in daemon["Wants"]
