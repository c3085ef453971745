"""The second witness of a silence, asked by the way it is really asked: a program on the PATH."""

import asyncio
import doctest
import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.shell.supervising import gpu

from .conftest import Smi

US = os.getpid()
AT_WORK, AT_REST = "echo 'GPU-b, 0'; echo 'GPU-a, 93'", "echo 'GPU-a, 0'; echo 'GPU-b, 93'"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "APART_S", 0.01)


async def test_the_device_our_process_is_on_is_at_work(nvidia_smi: Smi) -> None:
    nvidia_smi(f"echo '1, GPU-b'; echo '{US}, GPU-a'", AT_WORK)
    assert await gpu.testimony(US) == "busy"


async def test_that_another_device_works_is_nothing_to_us(nvidia_smi: Smi) -> None:
    nvidia_smi(f"echo '1, GPU-b'; echo '{US}, GPU-a'", AT_REST)
    assert await gpu.testimony(US) == "idle"


async def test_a_worker_of_ours_counts_as_we_do(nvidia_smi: Smi) -> None:
    worker = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE)
    nvidia_smi(f"echo '{worker.pid}, GPU-a'", AT_WORK)
    assert await gpu.testimony(US) == "busy"
    assert await gpu.testimony(worker.pid) == "busy"
    nvidia_smi(f"echo '{US}, GPU-a'", AT_WORK)
    assert await gpu.testimony(worker.pid) == "unknown", "whose device it is nobody said"
    await worker.communicate()


async def test_one_look_that_finds_it_at_rest_is_not_believed(nvidia_smi: Smi, tmp_path) -> None:
    seen = tmp_path / "seen"
    nvidia_smi(f"echo '{US}, GPU-a'", f"if [ -e {seen} ]; then {AT_WORK}; else touch {seen}; {AT_REST}; fi")
    assert await gpu.testimony(US) == "busy"


@pytest.mark.parametrize(
    ("apps", "use"),
    [
        ("exit 9", "exit 9"),
        ("echo 'NVIDIA-SMI has failed: it could not talk to the driver'; exit 9", AT_WORK),
        (f"echo '{US}, GPU-a'", "echo 'GPU-a, [N/A]'"),
        (f"echo '{US}, GPU-a'", "echo 'GPU-b, 93'"),
        ("true", AT_WORK),
        ("echo 'No devices were found'", "echo 'No devices were found'"),
    ],
    ids=["no driver", "half a driver", "MIG", "another device", "nobody computes", "no device"],
)
async def test_where_it_does_not_tell_nobody_knows(nvidia_smi: Smi, apps: str, use: str) -> None:
    nvidia_smi(apps, use)
    assert await gpu.testimony(US) == "unknown"


async def test_without_the_program_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert await gpu.testimony(US) == "unknown"


async def test_a_driver_that_hangs_is_not_waited_for(
    nvidia_smi: Smi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "PATIENCE_S", 0.2)
    nvidia_smi("exec sleep 60", "exec sleep 60")
    assert await gpu.testimony(US) == "unknown"


@given(apps=st.text(), use=st.text())
def test_whatever_it_prints_there_is_an_answer(apps: str, use: str) -> None:
    assert gpu.read(apps, use, lambda _: True) in {"busy", "idle", "unknown"}


def test_its_examples_are_true() -> None:
    assert doctest.testmod(gpu).failed == 0


def test_who_descends_from_whom() -> None:
    assert gpu.descends(US, US)
    assert gpu.descends(US, os.getppid())
    assert not gpu.descends(os.getppid(), US)
    assert not gpu.descends(2**22, US), "no such process"
