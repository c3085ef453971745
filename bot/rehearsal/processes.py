"""Processes of a rehearsal: started in groups of their own, and none left behind.

The daemon and short helpers are our children. A trainer is the daemon's and outlives it on purpose; it is
found by the lock of its attempt, which it holds open for as long as it lives.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PATIENCE_S = 15.0
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "TORCH_HOME", "HF_HOME")


class CommandFailed(Exception):
    """A helper came to a bad end; the message is its last line."""


class Daemon:
    """`training-claw serve`, started as in production, or another `program` that takes its options."""

    def __init__(self, env_file: Path, log: Path, program: Sequence[str | Path] = ()) -> None:
        self._env_file = env_file
        self._log = log
        self._program = program or (Path(sys.executable).with_name("training-claw"), "serve")
        self._process: asyncio.subprocess.Process | None = None
        self.starts = 0

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._program,
                "--env-file",
                self._env_file,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=plain_environment(),
                process_group=0,
            )
        self.starts += 1

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was started"
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        assert self._process is not None, "it was started"
        return self._process.returncode

    async def wait(self) -> int:
        """Until it ends; its exit status."""
        assert self._process is not None, "it was started"
        return await self._process.wait()

    def last_words(self) -> str:
        """The last line it logged."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    async def kill(self) -> None:
        """kill -9, as a machine in trouble would."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, patience, SIGKILL."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()


async def run_trainer(arguments: Sequence[str]) -> str:
    """`python -m trainer …` to its end; its standard output. Killed when we are cancelled.

    Raises:
        CommandFailed: it exited with another status than 0.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "trainer", *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=plain_environment(),
        process_group=0,
    )
    try:
        out, err = await process.communicate()
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode != 0:
        lines = (err or out).decode(errors="replace").strip().splitlines() or ["no output"]
        raise CommandFailed(f"trainer {arguments[0]} ended with status {process.returncode}: {lines[-1]}")
    return out.decode()


def plain_environment() -> dict[str, str]:
    """Ours, without what could override the env file or reach the daemon as a secret."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


async def end_jobs(runs: Path) -> int:
    """End every trainer that works under `runs`: SIGTERM, patience, SIGKILL. How many there were."""
    pids = live_jobs(runs)
    await asyncio.gather(*(_end(pid) for pid in pids))
    return len(pids)


def live_jobs(runs: Path) -> set[int]:
    """Pids of the trainers at work: whoever has the lock of an attempt open."""
    return {
        int(descriptor.parts[2])
        for descriptor in Path("/proc").glob("[0-9]*/fd/*")
        if _is_a_lock(descriptor, runs)
    }


def _is_a_lock(descriptor: Path, runs: Path) -> bool:
    try:
        target = descriptor.readlink()
    except OSError:
        return False  # closed meanwhile, or another user's
    return target.name == "lock" and target.is_relative_to(runs.resolve())


async def _end(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
            if await _gone(descriptor):
                return
    finally:
        os.close(descriptor)


async def _gone(descriptor: int) -> bool:
    """Wait a while for the process behind a pidfd to end; it need not be our child."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
    return True
