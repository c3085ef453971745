"""The translator is a real process: what it is told, what it sees, and how it may misbehave."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.effects import TranslateLesson
from bot.core.events import LessonTranslated
from bot.core.state import State
from bot.shell import translating
from bot.shell.remembering import tables
from bot.shell.remembering.store import Store
from bot.shell.remembering.tables import Record
from bot.shell.translating import NoTranslation, Translator, fields, question, translated
from protocol.messages import Lesson
from protocol.training import TrainingConfig

from .diary import desk_with_diary

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXAMPLE = (sys.executable, str(Path(__file__).parents[3] / "examples" / "translator.py"))


def order(text: str) -> TranslateLesson:
    lesson = Lesson(category="학습", text=text)
    return TranslateLesson(cycle=1, entry=0, lesson=lesson, why="이해하지 못함", config=TrainingConfig())


def program(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def asked(command: tuple[str, ...], text: str = "x", allowed_s: float = 30) -> dict[str, object]:
    return await translated(command, question(order(text)), allowed_s)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("배치크기를 사십팔로", {"training.batch_size": 48}),
        ("please try a batch size of sixteen", {"training.batch_size": 16}),
        ("시드를 팔로", {"training.seed": 8}),
        ("알 수 없는 일이 있었음", {}),
    ],
)
async def test_the_example_reads_numbers_that_are_words(text: str, changes: dict[str, int]) -> None:
    assert await asked(EXAMPLE, text) == changes


def test_the_example_says_how_it_is_used_where_nothing_is_asked() -> None:
    told = subprocess.run(EXAMPLE, input=b"", capture_output=True, check=False)
    assert (told.returncode, told.stderr.startswith(b"usage: "), told.stderr.count(b"\n")) == (1, True, 1)


def test_it_is_told_every_field_with_its_bounds() -> None:
    told = question(order("x"))
    assert told["fields"]["training.save_checkpoint_every"]["maximum"] == 50
    assert {name.partition(".")[0] for name in fields()} == set(TrainingConfig.model_fields)
    assert told["config"]["training"]["batch_size"] == 64
    json.dumps(told)


async def test_it_sees_no_token_and_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISCORD_TOKEN", "CREDENTIALS_DIRECTORY", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.setenv(name, "secret")
    seen = await asked(program("import os, json; print(json.dumps(dict(os.environ)))"))
    assert set(seen) - {"LC_CTYPE"} <= set(translating.SEEN)  # Python adds LC_CTYPE to its own


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit(3)", "left with status 3"),
        ("print('I think 32')", "printed no JSON object"),
        ("print('[1, 2]')", "printed no JSON object"),
        ("print('x' * 100_000)", "printed more than 64 KB"),
        ("pass", "printed no JSON object"),
    ],
)
async def test_what_it_does_wrong_is_one_line(code: str, why: str) -> None:
    with pytest.raises(NoTranslation, match=why):
        await asked(program(code))


async def test_one_that_does_not_come_to_an_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)"
    )
    with pytest.raises(NoTranslation, match="took longer than"):
        await asked(program(code), allowed_s=3)
    for pid in map(int, note.read_text().split()):
        async with asyncio.timeout(30):
            while _runs(pid):  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("command", "why"), [((), "is not set any more"), (("/nowhere/translate",), "cannot be run")]
)
async def test_one_that_is_not_there_is_said(command: tuple[str, ...], why: str) -> None:
    with pytest.raises(NoTranslation, match=why):
        await asked(command)


class Study:
    """A desk that remembers what it was told, and a translator beside it."""

    def __init__(self, store: Store, command: tuple[str, ...]) -> None:
        self.store = store
        self.desk, self.events = desk_with_diary(store)
        self.translator = Translator(command, self.desk)


@pytest.fixture
async def study(store: Store) -> AsyncIterator[Study]:
    study = Study(store, EXAMPLE)
    task = asyncio.create_task(study.desk.run())
    yield study
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("text", "changes"), [("배치크기를 사십팔로", {"training.batch_size": 48}), ("무언가 이상함", {})]
)
async def test_an_order_comes_back_as_an_event_and_is_settled(
    study: Study, text: str, changes: dict[str, int]
) -> None:
    owed = order(text)
    await study.store.ask(tables.record, Record(at=NOON, state=State(), owed=(owed,)))
    await study.translator.carry(owed)
    (event,) = study.events
    assert isinstance(event, LessonTranslated)
    assert (event.cycle, event.entry, event.changes) == (1, 0, changes)
    assert not await study.store.ask(tables.owes, owed.key)


async def test_whatever_goes_wrong_ends_in_an_answer_that_is_none(study: Study) -> None:
    study.translator = Translator(program("raise SystemExit(1)"), study.desk)
    owed = order("x")
    await study.store.ask(tables.record, Record(at=NOON, state=State(), owed=(owed,)))
    await study.translator.carry(owed)
    (event,) = study.events
    assert isinstance(event, LessonTranslated)
    assert event.changes == {}


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
