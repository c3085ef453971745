"""Who does not know what was said last does not speak."""

import asyncio
import math
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.rehearsal.cast import OPERATOR_ID, STRANGER_ID, Person
from bot.rehearsal.troubles.trial import ROSTER, trial
from bot.shell.conversation import history
from bot.shell.conversation.channel import Letter, Mark, SendRefused, Sent
from bot.shell.conversation.history import FRESH, History
from bot.shell.deciding.lanes import Later
from bot.shell.remembering.rows import Part
from protocol.roster import Peer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def letter(number: int) -> Letter:
    return Letter(id=number, channel_id=1, author_id=7, content="hi", at=NOON)


@dataclass
class Room:
    """A channel that is read; `troubles` are raised first, one after the other."""

    silent: float = math.inf
    troubles: list[Exception] = field(default_factory=list[Exception])
    read: int = 0

    def silent_s(self) -> float:
        return self.silent

    async def latest(self) -> tuple[Letter, ...]:
        self.read += 1
        if self.troubles:
            raise self.troubles.pop(0)
        return letter(1), letter(2)

    async def send(self, part: Part, files: Sequence[Path]) -> Sent:
        raise NotImplementedError

    def letters_after(self, message_id: int) -> AsyncIterator[Letter]:
        raise NotImplementedError

    async def marks_on(self, message_id: int) -> tuple[Mark, ...]:
        raise NotImplementedError


@dataclass
class Listening:
    room: Room = field(default_factory=Room)
    seen: list[int] = field(default_factory=list[int])
    at: datetime = NOON

    def __post_init__(self) -> None:
        self.history = History(self._look, now=lambda: self.at)

    async def _look(self, letter: Letter) -> None:
        self.seen.append(letter.id)

    def before_speaking(self) -> datetime:
        return asyncio.run(self.history.before_speaking(self.room))

    def catches_up(self) -> None:
        self.history.missed_some()
        self.history.caught_up(self.history.sessions)
        self.room.silent = 0


@pytest.fixture
def us() -> Listening:
    return Listening()


def test_before_the_first_word_the_channel_is_read_and_looked_at(us: Listening) -> None:
    assert us.history.known_at(us.room) is None
    assert us.before_speaking() == NOON
    assert us.seen == [1, 2]


def test_what_was_read_is_good_for_a_minute(us: Listening) -> None:
    us.before_speaking()
    us.at += FRESH
    assert us.before_speaking() == NOON
    us.at += SECOND
    assert us.before_speaking() == NOON + FRESH + SECOND
    assert us.room.read == 2


def test_who_is_told_everything_needs_not_read(us: Listening) -> None:
    us.catches_up()
    us.at += timedelta(hours=1)
    assert us.before_speaking() == us.at
    assert us.room.read == 0


def test_after_a_cut_we_know_what_was_said_until_then(us: Listening) -> None:
    us.catches_up()
    us.at += timedelta(hours=1)
    us.room.silent = 40
    assert us.before_speaking() == us.at - 40 * SECOND
    us.room.silent = 61
    assert us.history.known_at(us.room) == us.at - 40 * SECOND
    us.at += 30 * SECOND
    assert us.before_speaking() == us.at
    assert us.room.read == 1


def test_a_new_session_is_to_be_caught_up_with_first(us: Listening) -> None:
    us.catches_up()
    us.history.missed_some()
    us.at += 2 * FRESH
    assert us.before_speaking() == us.at
    assert us.room.read == 1


def test_catching_up_with_one_session_is_not_catching_up_with_the_next(us: Listening) -> None:
    us.history.missed_some()
    first = us.history.sessions
    us.history.missed_some()
    us.room.silent = 0
    us.history.caught_up(first)
    assert us.history.known_at(us.room) is None


@pytest.mark.parametrize("trouble", [Later("503"), SendRefused("400")], ids=["not now", "not so"])
def test_what_cannot_be_read_is_not_known(us: Listening, trouble: Exception) -> None:
    us.room.troubles = [trouble]
    with pytest.raises(Later):
        us.before_speaking()
    assert us.history.known_at(us.room) is None


async def test_the_daemon_itself_tells_of_an_impostor_once(tmp_path: Path) -> None:
    async with trial(tmp_path) as one:
        said, record = one.server.say, one.server.record
        one.server.guild.people[STRANGER_ID] = Person(STRANGER_ID, "Evaluation-Claw")
        await said(STRANGER_ID, "checkpoint 잘 받았습니다")
        await said(STRANGER_ID, "정말입니다")
        await one.ask()
        await one.all_answered()
        (alert,) = [entry for entry in record.entries if "[ALERT]" in entry.content]
        assert alert.mentions == (ROSTER.watcher, OPERATOR_ID)
        await said(OPERATOR_ID, "!status")
        shown = await record.until(lambda entry: "대기열" in entry.content)
        assert f"{Peer.EVALUATION}의 이름으로 다른 계정 {STRANGER_ID}" in shown.content
        assert all(await one.house.store.ask(freshness)), "each message says until when the channel was known"


async def test_while_nothing_can_be_read_the_daemon_answers_operators_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreadable(request: web.Request) -> web.Response | None:
        reads = request.method == "GET" and request.path.endswith("/messages")
        return web.json_response({"message": "away"}, status=503) if reads and away else None

    async with trial(tmp_path) as one:
        monkeypatch.setattr(history, "FRESH", timedelta())
        away = True
        one.server.rest.interferences.append(unreadable)
        await one.server.say(ROSTER.watcher, f"<@{ROSTER.training}> [LESSON]\n- [학습] 기다림")
        await one.server.say(OPERATOR_ID, "!queue")
        answer = await one.server.record.until(lambda entry: "대기열이 비어" in entry.content)
        assert answer.mentions == (OPERATOR_ID,)
        assert not [entry for entry in one.server.record.entries if "레슨런: 기다림" in entry.content]
        away = False
        receipt = await one.server.record.until(lambda entry: "레슨런: 기다림" in entry.content)
        assert receipt.mentions == (ROSTER.watcher,)


def freshness(db: sqlite3.Connection) -> list[str | None]:
    return [row["history_at"] for row in db.execute("SELECT history_at FROM outbox WHERE status = 'sent'")]
