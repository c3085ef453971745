"""The units in deploy/systemd/ are what systemd takes them for, and no more exposed than they need to be."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
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
    for unit in UNITS.glob("*.service"):
        text = unit.read_text(encoding="utf-8")
        text = text.replace("/opt/training-claw/.venv/bin/training-claw", command)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return tmp_path


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
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
    assert [path for path in named if not (UNITS.parents[1] / path).exists()] == []


def test_the_daemon_waits_longer_before_each_start_and_forgets_after_an_hour(tmp_path: Path) -> None:
    def pause_s(now_s: int) -> int:
        command = [str(UNITS / "growing-pause"), str(tmp_path / "starts"), str(now_s)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert [pause_s(10_000 + n * 60) for n in range(9)] == [0, 5, 10, 20, 40, 80, 160, 300, 300]
    assert pause_s(100_000) == 0
