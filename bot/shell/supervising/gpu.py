"""Does a GPU work for a process? Asked of nvidia-smi, which sees the device from outside.

A program of its own and not NVML in ours: where a process has fallen silent the driver may hang, too, and
what asks it must be left behind then. Whatever goes wrong, the answer is that nobody can tell.
"""

import asyncio
import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import structlog

from bot.core.events import Witness
from bot.shell.supervising.launch import trainer_environment

log = structlog.stdlib.get_logger("gpu")

SMI = "nvidia-smi"
APPS = ("--query-compute-apps=pid,gpu_uuid", "--format=csv,noheader")
USE = ("--query-gpu=uuid,utilization.gpu", "--format=csv,noheader,nounits")

PATIENCE_S = 30.0
"""For all looks together: a driver that is asked for the first time takes seconds to wake up."""
LOOKS = 5
APART_S = 1.0
"""One look tells of the last second at most, and a device that works may rest for so long."""

DIES_S = 1.0

PROC = Path("/proc")


async def testimony(pid: int) -> Witness:
    """What the GPU shows of the process and its descendants, over a few seconds."""
    seen: Witness = "unknown"
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            for look in range(LOOKS):
                await asyncio.sleep(APART_S if look else 0)
                seen = read(await _asked(*APPS), await _asked(*USE), lambda one: descends(one, pid))
                if seen != "idle":
                    break
    return seen


def read(apps: str, use: str, ours: Callable[[int], bool]) -> Witness:
    """What nvidia-smi's two tables say: who computes on which device, and how busy each is.

    >>> read("77, GPU-a", "GPU-a, 93", ours=lambda pid: pid == 77)
    'busy'
    >>> read("77, GPU-a", "GPU-a, 0", ours=lambda pid: pid == 77)
    'idle'
    >>> read("77, GPU-a", "GPU-a, [N/A]", ours=lambda pid: pid == 77)
    'unknown'
    """
    devices = {device for pid, device in _rows(apps) if pid.isdecimal() and ours(int(pid))}
    shown = {device: percent for device, percent in _rows(use) if percent.isdecimal()}
    if any(int(percent) > 0 for device, percent in shown.items() if device in devices):
        return "busy"
    return "idle" if devices and devices <= shown.keys() else "unknown"


def descends(pid: int, ancestor: int) -> bool:
    """Is it that process, or was it started by it or by one that was?"""
    while pid > 1 and pid != ancestor:
        try:
            stat = (PROC / str(pid) / "stat").read_text()
        except OSError:
            return False
        pid = int(stat.rpartition(")")[2].split()[1])
    return pid == ancestor


def _rows(table: str) -> Collection[tuple[str, str]]:
    pairs = (line.split(",") for line in table.splitlines())
    return [(pair[0].strip(), pair[1].strip()) for pair in pairs if len(pair) == 2]


async def _asked(*question: str) -> str:
    """What it prints; nothing if it cannot be asked."""
    try:
        process = await asyncio.create_subprocess_exec(
            SMI,
            *question,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=trainer_environment(os.environ),
        )
    except OSError:
        return ""
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            await _left_behind(process)
    if process.returncode != 0:
        log.info("nvidia-smi does not tell", status=process.returncode)
        return ""
    return said.decode(errors="replace")


async def _left_behind(process: asyncio.subprocess.Process) -> None:
    """Killed, and not waited for: what hangs in the driver does not even die."""
    process.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(DIES_S):
            await process.wait()
