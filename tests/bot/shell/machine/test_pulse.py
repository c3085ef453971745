import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.shell.machine.pulse import Pulse
from bot.shell.machine.supervisor import STATUS_S, Supervisor
from bot.shell.remembering.store import Store


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


@pytest.fixture
def supervisor(systemd: socket.socket) -> Supervisor:
    return Supervisor(address=systemd.getsockname(), timeout_s=0.03)


@asynccontextmanager
async def beating(supervisor: Supervisor, store: Store) -> AsyncIterator[Pulse]:
    pulse = Pulse(supervisor, store, lambda: "학습 중,\nepoch 3/500")
    task = asyncio.create_task(pulse.run())
    try:
        async with asyncio.timeout(20):
            yield pulse
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(systemd: socket.socket) -> str:
    return (await asyncio.get_running_loop().sock_recv(systemd, 4096)).decode()


async def test_it_is_ready_and_then_beats_with_a_status_of_one_line(
    systemd: socket.socket, supervisor: Supervisor, store: Store
) -> None:
    async with beating(supervisor, store) as pulse:
        assert await told(systemd) == "READY=1"
        for _ in range(3):
            status, beat = (await told(systemd)).splitlines()
            assert status == "STATUS=학습 중, epoch 3/500 (owed: 0 messages, 0 other)"
            assert beat == "WATCHDOG=1"
        pulse.stopping()
        while "STOPPING=1" not in await told(systemd):
            pass


async def test_a_store_that_does_not_answer_stops_the_heart(
    systemd: socket.socket, supervisor: Supervisor, store: Store
) -> None:
    stuck, free = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def block(_: Any) -> None:
        loop.call_soon_threadsafe(stuck.set)
        free.wait(20)

    blocking = asyncio.create_task(store.ask(block))
    await stuck.wait()
    async with beating(supervisor, store):
        assert await told(systemd) == "READY=1"
        await asyncio.wait({blocking}, timeout=3 * supervisor.beat_s)
        with pytest.raises(BlockingIOError):
            systemd.recv(4096)
        free.set()
        assert "WATCHDOG=1" in await told(systemd)
    await blocking


@pytest.mark.parametrize(
    ("environ", "beat_s"),
    [
        ({}, STATUS_S),
        ({"WATCHDOG_USEC": "60000000"}, 20),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 20),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, STATUS_S),
        ({"WATCHDOG_USEC": "soon"}, STATUS_S),
    ],
)
def test_it_beats_as_often_as_its_watchdog_wants(environ: dict[str, str], beat_s: float) -> None:
    assert Supervisor.of(environ).beat_s == pytest.approx(beat_s)


def test_without_a_supervisor_or_with_a_deaf_one_nothing_happens(tmp_path: Path) -> None:
    Supervisor().tell(READY="1")
    Supervisor(address=str(tmp_path / "nobody")).tell(READY="1")


def test_a_socket_without_a_file_is_found() -> None:
    """An address that begins with @ lies in the abstract namespace (unix(7))."""
    name = f"training-claw-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        Supervisor.of({"NOTIFY_SOCKET": f"@{name}"}).tell(STATUS="hello")
        assert listening.recv(99) == b"STATUS=hello"
