import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.core.effects import PublishBest
from bot.core.policy import Policy
from bot.core.state import Awaited, Cooling, Cycle, State, Training, Unread
from bot.shell.commands.status import status
from bot.shell.machine.places import Places
from bot.shell.outlook.looking import POLICY, is_locked, look
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Part
from bot.shell.remembering.store import Store
from bot.shell.remembering.tables import Record
from protocol.progress import Stepped
from protocol.training import TrainingConfig

NOW = datetime.now(UTC)
RUN = "cycle07-20260301T000000"
PART = Part(ref="h0-1", part=1, parts=1, kind="receipt", recipients=(7,), content="<@7> hi\n-# h0-1")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


@pytest.fixture
def remembered(places: Places) -> Callable[[State], None]:
    """Writes a state as the daemon would, with one message owed."""

    async def write(state: State) -> None:
        store = await Store.open(places.database)
        await store.ask(tables.record, Record(at=NOW, state=state, parts=(PART,)))
        await store.close()

    return lambda state: asyncio.run(write(state))


def training() -> State:
    config = TrainingConfig()
    data = Awaited(since=NOW)
    run = Training(attempt=2, tries=1, config=config, epoch=1, first_loss=None, last_loss=None, since=NOW)
    terms = Unread(heard=(), since=NOW)
    return State(
        house="h0", cycle=Cycle(number=7, opened_at=NOW, run_name=RUN, data=data, terms=terms, run=run)
    )


type Speak = Callable[[Places, datetime], Path]


@pytest.fixture
def speak(stepped: Callable[..., Stepped]) -> Speak:
    """The trainer has said a line and a half; where its lock is."""

    def said(places: Places, said_at: datetime) -> Path:
        folder = places.attempt(RUN, 2)
        folder.path.mkdir(parents=True)
        folder.lock.touch()
        line = stepped(said_at, epoch=42, loss=0.25)
        folder.events.write_text(line.model_dump_json() + '\n{"event": "half a li')
        return folder.lock

    return said


def shown(places: Places, *arguments: str) -> str:
    ran = CliRunner().invoke(status, ["--state-dir", str(places.path), *arguments])
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_an_idle_daemon_that_does_not_run(places: Places, remembered: Callable[[State], None]) -> None:
    remembered(State())
    told = shown(places)
    assert "대기 중" in told
    assert "daemon: does not run, trainer: none needed" in told
    assert "owed: 1 messages, 0 other" in told


def test_a_training_with_its_newest_step_for_programs(
    places: Places, remembered: Callable[[State], None], speak: Speak
) -> None:
    remembered(training())
    with speak(places, datetime.now(UTC)).open() as lock, places.lock.open("w") as daemon:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fcntl.flock(daemon, fcntl.LOCK_EX)
        told = json.loads(shown(places, "--json"))
    assert (told["daemon"], told["process"], told["headline"]) == ("runs", "alive", "학습 중, epoch 42/500")
    assert told["stepped"]["loss"] == 0.25
    assert told["cycle"]["phases"] == {"data": "awaited", "terms": "unread", "run": "training"}
    assert told["owed"].items() >= {"messages": 1, "effects": 0, "parked": 0, "upload_waits_s": 0}.items()


def test_the_trainer_is_seen_for_what_it_is(
    places: Places, remembered: Callable[[State], None], speak: Speak
) -> None:
    remembered(training())
    assert look(places, Policy(), NOW).process == "unknown", "there is no lock to ask"
    with speak(places, NOW).open() as lock:
        assert look(places, Policy(), NOW).process == "dead"
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert look(places, Policy(), NOW).process == "alive"
        assert look(places, Policy(), NOW + timedelta(hours=1)).process == "stalled"


def test_who_starts_again_after_a_pause_is_not_called_unneeded(
    places: Places, remembered: Callable[[State], None]
) -> None:
    before = training()
    assert before.cycle is not None
    until = datetime.now(UTC) + timedelta(seconds=90)
    cooling = Cooling(attempt=2, tries=1, config=TrainingConfig(), reached=1, until=until)
    remembered(before.model_copy(update={"cycle": before.cycle.model_copy(update={"run": cooling})}))
    assert re.search(r"trainer: starts again in \d+ s", shown(places))


def test_it_goes_by_the_daemon_s_own_settings(
    places: Places, remembered: Callable[[State], None], speak: Speak
) -> None:
    """A bucket and a patience that are not the defaults, and nothing of them in our environment."""
    remembered(training())
    theirs = Policy(bucket="file:///srv/bucket", stall_floor_s=7200)

    async def leave(text: str) -> None:
        store = await Store.open(places.database)
        await store.ask(tables.move_cursor, POLICY, text)
        await store.close()

    asyncio.run(leave(theirs.model_dump_json()))
    with speak(places, NOW).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        seen = look(places, None, NOW + timedelta(hours=1))
        assert (seen.policy, seen.process) == (theirs, "alive")
        asyncio.run(leave('{"bucket": 7}'))
        assert look(places, None, NOW).policy == Policy()


def test_an_upload_that_does_not_work_says_why_and_when_it_is_tried_again(
    places: Places, remembered: Callable[[State], None]
) -> None:
    remembered(training())
    order = PublishBest(cycle=7, run=RUN, epoch=50, folder="checkpoints/best/epoch_050", meta={})
    again_at = datetime.now(UTC) + timedelta(seconds=50)

    async def fail() -> None:
        store = await Store.open(places.database)
        await store.ask(tables.record, Record(at=NOW, state=training(), owed=(order,)))
        await store.ask(tables.put_off, order.key, "/x holds no files", again_at)
        await store.close()

    asyncio.run(fail())
    line = r"미룬 작업: best 업로드 \(cycle 7, epoch 50\), {}\. 이유: /x holds no files\n"
    assert re.search(line.format("데몬이 다시 실행되면 재시도"), shown(places))
    with places.lock.open("w") as daemon:
        fcntl.flock(daemon, fcntl.LOCK_EX)
        assert re.search(line.format(r"\d+초 후 재시도"), shown(places))
        (told,) = json.loads(shown(places, "--json"))["owed"]["put_off"]
    assert told == {
        "what": "best 업로드 (cycle 7, epoch 50)",
        "why": "/x holds no files",
        "again_at": again_at.isoformat(),
    }


def test_a_database_of_an_older_version_is_looked_at_all_the_same(
    places: Places, remembered: Callable[[State], None]
) -> None:
    """As before the new daemon is started: nobody has brought its tables up to date."""
    remembered(State())
    with closing(sqlite3.connect(places.database)) as db:
        db.executescript("ALTER TABLE owed DROP COLUMN why; ALTER TABLE owed DROP COLUMN again_at;")
        db.execute("PRAGMA user_version = 2")
    assert "대기 중" in shown(places)


def test_looking_changes_nothing(places: Places, remembered: Callable[[State], None]) -> None:
    remembered(training())
    before = places.database.read_bytes()
    shown(places)
    assert places.database.read_bytes() == before


def test_a_folder_without_a_database_is_one_line(tmp_path: Path) -> None:
    ran = CliRunner().invoke(status, ["--state-dir", str(tmp_path)])
    assert ran.exit_code == 1
    assert ran.output.count("\n") == 1
    assert "--state-dir" in ran.output


def test_a_file_that_is_not_there_is_not_called_free(tmp_path: Path) -> None:
    assert is_locked(tmp_path / "nothing") is None


@contextmanager
def heeding_ctrl_c() -> Iterator[None]:
    """What is started in the background ignores SIGINT, and so would what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_at_a_terminal_it_is_watched_in_one_place_until_ctrl_c(
    places: Places, remembered: Callable[[State], None]
) -> None:
    remembered(training())
    mine, its = pty.openpty()
    command = [sys.executable, "-c", "from bot.cli import main; main()", "status", "--watch"]
    with (
        heeding_ctrl_c(),
        subprocess.Popen([*command, "--state-dir", str(places.path)], stdout=its) as watching,
    ):
        os.close(its)
        seen = b""
        while b"Ctrl-C" not in seen:
            seen += os.read(mine, 4096)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0
    os.close(mine)
    assert "Cycle 7" in seen.decode(errors="replace")
