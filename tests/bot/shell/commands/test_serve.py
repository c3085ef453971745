"""The daemon as it is started in production: a process of its own, on the embedded Discord."""

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.core.state import SCHEMA
from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.discord.server import DiscordServer
from bot.shell.remembering.store import make
from protocol.roster import Roster

ROSTER = Roster()
US, WATCHER = ROSTER.training, ROSTER.watcher
COMMAND = (str(Path(sys.executable).with_name("training-claw")), "serve")
IDLE_LIMIT_KB = 90_000


@pytest.fixture
def env(server: DiscordServer, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bucket").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "DISCORD_TOKEN": server.guild.people[US].token,
        "DISCORD_CHANNEL_ID": str(server.channel_id),
        "DISCORD_API_BASE": server.api_base,
        "DISCORD_GATEWAY_URL": server.gateway_url,
        "BUCKET": (tmp_path / "bucket").as_uri(),
        "STATE_DIR": str(tmp_path / "state"),
        "OPERATOR_IDS": str(OPERATOR_ID),
        "DEVICE": "cpu",
    }


@contextlib.asynccontextmanager
async def daemon(env: dict[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*COMMAND, env=env, stderr=output)
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def answered(server: DiscordServer, asked: str) -> str:
    """Ask as the operator until the daemon is there to answer; the answer's text."""
    question = await server.say(OPERATOR_ID, asked)
    answer = await server.record.until(
        lambda entry: entry.author_id == US and entry.id > question.id and "[ANSWER]" in entry.content
    )
    return answer.content


def resident_kb(pid: int) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0])


def said(server: DiscordServer, tag: str) -> list[str]:
    return [one.content for one in server.record.entries if one.author_id == US and tag in one.content]


@pytest.mark.slow
async def test_it_answers_stays_small_and_leaves_when_told(
    server: DiscordServer, env: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    systemd.bind(str(tmp_path / "notify"))
    env |= {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    async with daemon(env, log) as process:
        assert "대기 중" in await answered(server, "!status")
        assert resident_kb(process.pid) < IDLE_LIMIT_KB
        second = await asyncio.create_subprocess_exec(*COMMAND, env=env, stderr=subprocess.PIPE)
        _, told = await second.communicate()
        assert second.returncode == 2
        assert told.decode().count("\n") == 1
        assert "another daemon works in STATE_DIR" in told.decode()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert env["DISCORD_TOKEN"] not in log.read_text()
    with systemd:
        assert systemd.recv(99) == b"READY=1"
        assert systemd.recv(999).decode().startswith("STATUS=대기 중")


@pytest.mark.slow
async def test_a_killed_daemon_goes_on_where_it_was(
    server: DiscordServer, env: dict[str, str], tmp_path: Path
) -> None:
    handoff = f"<@{US}> [HANDOFF] Cycle 3 시작.\n데이터: {env['BUCKET']}/dataset/"
    async with daemon(env, tmp_path / "log") as process:
        await answered(server, "!status")
        await server.say(WATCHER, handoff)
        await server.record.until(lambda entry: "[BLOCKED]" in entry.content)
        process.kill()
        await process.wait()
    await server.say(WATCHER, f"<@{US}> 상태 알려줘")
    async with daemon(env, tmp_path / "log"):
        await server.record.until(lambda entry: "Cycle 3" in entry.content and "[ANSWER]" in entry.content)
        await server.record.until(lambda entry: "재시작 알림" in entry.content)
    assert len(said(server, "[BLOCKED]")) == 1
    assert len(said(server, "HANDOFF 접수")) == 1


ON_A_FULL_DISK = """
import subprocess, sys
from pathlib import Path
from bot.rehearsal.drill.disks import Disk, NoDisks, set_apart

place = Path(sys.argv[1])
try:
    set_apart()
    disk = Disk.mount(place)
except NoDisks as error:
    sys.exit(f"SKIP {error}")
disk.fill()
daemon = subprocess.Popen(sys.argv[2:])
print(daemon.pid, flush=True)
for line in sys.stdin:
    disk.empty()
sys.exit(daemon.wait())
"""


@contextlib.asynccontextmanager
async def on_a_full_disk(
    env: dict[str, str], log: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """The daemon on a disk of its own without a free page, and its pid. A line to the process makes room."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", ON_A_FULL_DISK, env["STATE_DIR"], *COMMAND),
            env=env,
            stderr=output,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    assert process.stdout is not None
    first = (await process.stdout.readline()).decode()
    if not first:
        pytest.skip(log.read_text().strip())  # noqa: ASYNC240
    try:
        async with asyncio.timeout(60):
            yield process, int(first)
    finally:
        if process.returncode is None:
            os.kill(int(first), signal.SIGKILL)
        await process.communicate()


@pytest.mark.slow
class TestAFullDiskAtTheStart:
    """Nothing can be remembered. It says so to everybody, goes on by itself when there is room, and obeys."""

    async def test_people_systemd_and_health_hear_of_it_and_then_it_works(
        self, server: DiscordServer, env: dict[str, str], tmp_path: Path
    ) -> None:
        with socket.socket() as free, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            systemd.bind(str(tmp_path / "notify"))
            free.close()
            env |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "METRICS_PORT": str(port)}
            async with on_a_full_disk(env, tmp_path / "log") as (process, _):
                for tag in ("[BLOCKED]", "[ALERT]"):
                    told = await server.record.until(
                        lambda entry, tag=tag: entry.author_id == US and tag in entry.content
                    )
                    assert "디스크 공간 부족" in told.content
                url = f"http://127.0.0.1:{port}/healthz"
                async with aiohttp.ClientSession() as session, session.get(url) as answer:
                    assert answer.status == 503
                    assert (await answer.json())["status"].startswith("disk full")
                assert systemd.recv(99) == b"READY=1"
                assert "the disk is full, waiting for room" in systemd.recv(999).decode()
                question = await server.say(OPERATOR_ID, "!status")
                process.stdin.write(b"room\n")  # pyright: ignore[reportOptionalMemberAccess]
                await server.record.until(
                    lambda entry: entry.id > question.id and "[ANSWER]" in entry.content
                )

    async def test_sigterm_is_obeyed_at_once(
        self, server: DiscordServer, env: dict[str, str], tmp_path: Path
    ) -> None:
        async with on_a_full_disk(env, tmp_path / "log") as (process, pid):
            await server.record.until(lambda entry: entry.author_id == US and "[BLOCKED]" in entry.content)
            os.kill(pid, signal.SIGTERM)
            process.stdin.close()  # pyright: ignore[reportOptionalMemberAccess]
            async with asyncio.timeout(5):
                assert await process.wait() == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"DISCORD_TOKEN": ""}, "DISCORD_TOKEN is not set"),
        ({"BUCKET": "file:///nowhere/at/all"}, "BUCKET: /nowhere/at/all is no folder"),
        ({"STATE_DIR": "/proc/claw"}, "STATE_DIR /proc/claw cannot be used"),
        ({"DISCORD_TOKEN": "rehearsal.Watcher-Claw.token"}, "is the token of Watcher-Claw"),
    ],
    ids=["no token", "no bucket", "no state", "another bot's token"],
)
@pytest.mark.slow
async def test_what_a_person_must_put_right_is_one_line_and_exit_2(
    env: dict[str, str], change: dict[str, str], told: str
) -> None:
    process = await asyncio.create_subprocess_exec(*COMMAND, env={**env, **change}, stderr=subprocess.PIPE)
    _, errors = await process.communicate()
    complaint = [line for line in errors.decode().splitlines() if not line.startswith("{")]
    assert process.returncode == 2
    assert len(complaint) == 1
    assert told in complaint[0]


@pytest.mark.slow
async def test_a_newer_state_is_left_alone(env: dict[str, str], newer: Path) -> None:
    before = newer.read_bytes()  # noqa: ASYNC240  a few kilobytes
    process = await asyncio.create_subprocess_exec(*COMMAND, env=env, stderr=subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert "newer version" in errors.decode()
    assert errors.decode().count("\n") == 1
    assert newer.read_bytes() == before  # noqa: ASYNC240


@pytest.mark.slow
async def test_a_state_that_does_not_fit_is_one_line_and_exit_2(env: dict[str, str], tmp_path: Path) -> None:
    database = tmp_path / "state" / "training-claw.sqlite3"
    database.parent.mkdir()
    with contextlib.closing(make(database)) as db:
        db.execute("INSERT INTO state VALUES (1, ?, ?)", (SCHEMA, '{"to_come": 1}'))
    process = await asyncio.create_subprocess_exec(*COMMAND, env=env, stderr=subprocess.PIPE)
    _, errors = await process.communicate()
    complaint = [line for line in errors.decode().splitlines() if not line.startswith("{")]
    assert (process.returncode, len(complaint)) == (2, 1)
    assert "the saved state does not fit this version (to_come: " in complaint[0]


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A database of a version to come, in the daemon's state folder."""
    path = tmp_path / "state" / "training-claw.sqlite3"
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    return path
