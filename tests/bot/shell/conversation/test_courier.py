import asyncio
import contextlib
import math
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.shell.conversation.channel import Letter, Mark, SendRefused, Sent, id_at
from bot.shell.conversation.courier import Courier
from bot.shell.conversation.history import History
from bot.shell.deciding.lanes import Later
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Part
from bot.shell.remembering.store import Store

US = 1477243247956066414
OPERATOR = 9
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def part(ref: str, show: tuple[str, ...] = (), kind: str = "done", to: int = 7) -> Part:
    content = f"<@{to}> hi\n-# {ref}"
    return Part(ref=ref, part=1, parts=1, kind=kind, recipients=(to,), content=content, show=show, run="r")


@dataclass
class Room:
    """A channel in memory. The first `unheard` messages notify nobody; `before` and `after` are raised one
    after the other, before or after the message is there, `unread` instead of its history. Where it is
    `too_narrow` no file gets through.
    """

    said: list[Letter] = field(default_factory=list)
    enclosed: list[list[str]] = field(default_factory=list)
    before: list[Exception] = field(default_factory=list)
    after: list[Exception] = field(default_factory=list)
    unread: list[Exception] = field(default_factory=list)
    looked: int = 0
    looked_after: int = 0
    unheard: int = 0
    too_narrow: bool = False

    async def send(self, part: Part, files: Sequence[Path]) -> Sent:
        if self.before:
            raise self.before.pop(0)
        if self.too_narrow and files:
            raise Later("Discord does not answer in time")
        number = id_at(NOON) + len(self.said) + 1
        mentions = frozenset[int]() if self.unheard else frozenset(part.recipients)
        self.unheard = max(0, self.unheard - 1)
        letter = Letter(
            id=number, channel_id=1, author_id=US, content=part.content, at=NOON, mentions=mentions
        )
        self.said.append(letter)
        self.enclosed.append([path.name for path in files])
        if self.after:
            raise self.after.pop(0)
        return Sent(number, mentions)

    async def letters_after(self, message_id: int) -> AsyncIterator[Letter]:
        self.looked += 1
        self.looked_after = message_id
        for letter in self.said:
            if letter.id > message_id:
                yield letter

    async def latest(self) -> tuple[Letter, ...]:
        if self.unread:
            raise self.unread.pop(0)
        return tuple(self.said)

    def silent_s(self) -> float:
        return math.inf

    async def marks_on(self, message_id: int) -> tuple[Mark, ...]:  # noqa: ARG002  nobody reacts here
        return ()


@dataclass
class Desk:
    room: Room
    store: Store
    places: Places
    looked_at: list[int] = field(default_factory=list)

    async def _look(self, letter: Letter) -> None:
        self.looked_at.append(letter.id)

    async def say(self, *parts: Part) -> list[str]:
        """Owe these, let a courier carry what is owed, and answer what was said in all."""
        await self.store.ask(tables.owe_parts, parts, NOON)
        courier = Courier(
            self.room,
            self.store,
            self.places,
            US,
            history=History(self._look, now=lambda: NOON),
            people=(OPERATOR,),
            alert=lambda _: (part("alert-1"),),
            pause=lambda _: 0,
            now=lambda: NOON,
        )
        task = asyncio.create_task(courier.run())
        async with asyncio.timeout(10):
            await courier.emptied()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return [letter.content.rpartition("-# ")[2] for letter in self.room.said]


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def desk(room: Room, store: Store, tmp_path: Path) -> Desk:
    return Desk(room, store, Places(tmp_path))


async def test_parts_go_out_once_and_in_order(desk: Desk) -> None:
    assert await desk.say(part("1"), part("2")) == ["1", "2"]
    assert await desk.say() == ["1", "2"]
    assert desk.room.looked == 0


async def test_what_could_not_be_sent_is_sent_later(desk: Desk) -> None:
    desk.room.before = [Later("down"), Later("still down")]
    assert await desk.say(part("1"), part("2")) == ["1", "2"]


async def test_what_was_sent_though_nobody_said_so_is_not_sent_again(desk: Desk) -> None:
    desk.room.after = [Later("the answer was lost")]
    assert await desk.say(part("1"), part("2")) == ["1", "2"]
    assert desk.room.looked == 1


async def test_what_may_have_been_sent_is_looked_for_after_what_we_said_last(desk: Desk) -> None:
    await desk.say(part("1"))
    desk.room.after = [Later("the answer was lost")]
    await desk.say(part("2"))
    assert desk.room.looked_after == desk.room.said[0].id


async def test_after_a_crash_our_own_words_are_looked_for_first(desk: Desk, store: Store) -> None:
    await store.ask(tables.owe_parts, (part("1"),), NOON)
    await store.ask(tables.try_part, 1, None)
    await desk.room.send(part("1"), ())
    assert await desk.say() == ["1"]
    assert await store.ask(tables.ref_of, desk.room.said[0].id) == "1"


async def test_somebody_quoting_our_reference_is_not_us(desk: Desk, store: Store) -> None:
    await store.ask(tables.owe_parts, (part("1"),), NOON)
    await store.ask(tables.try_part, 1, None)
    quote = Letter(id=id_at(NOON) + 50, channel_id=1, author_id=8, content=part("1").content, at=NOON)
    desk.room.said.append(quote)
    assert await desk.say() == ["1", "1"]


async def test_a_message_discord_refuses_is_parked_and_the_rest_goes_on(desk: Desk, store: Store) -> None:
    desk.room.before = [SendRefused("too long")]
    assert await desk.say(part("1"), part("2")) == ["2", "alert-1"]
    assert (await store.ask(tables.backlog)).parked == 1


async def test_a_picture_goes_along(desk: Desk) -> None:
    curve = desk.places.run("r").loss_curve
    curve.parent.mkdir(parents=True)
    curve.write_bytes(b"png")
    await desk.say(part("1", show=("loss_curve",)))
    assert desk.room.enclosed == [["loss_curve.png"]]


async def test_a_picture_of_a_finding_goes_along_with_it(desk: Desk) -> None:
    drawn = desk.places.run("r").findings / "episode_l1_high_episode_017.png"
    drawn.parent.mkdir(parents=True)
    drawn.touch()
    await desk.say(part("1", show=(f"findings/{drawn.name}",)))
    assert desk.room.enclosed == [[drawn.name]]


async def test_the_pictures_of_several_findings_go_along_as_far_as_discord_takes_them(desk: Desk) -> None:
    findings = desk.places.run("r").findings
    findings.mkdir(parents=True)
    names = [f"{number}.png" for number in range(12)]
    for name in names:
        (findings / name).touch()
    await desk.say(part("1", show=tuple(f"findings/{name}" for name in names)))
    assert desk.room.enclosed == [names[:10]]


async def test_a_report_goes_along_as_far_as_discord_takes_it(desk: Desk) -> None:
    report = desk.places.attempt("r", 3).report
    report.mkdir(parents=True)
    for name, size in (("report.json", 100), ("frames.png", 8 << 20), ("actions.png", 100), ("other", 1)):
        (report / name).write_bytes(bytes(size))
    await desk.say(part("1", show=("attempts/3/report",)))
    assert desk.room.enclosed == [["report.json", "actions.png"]]


@pytest.mark.parametrize("why", [SendRefused("too large"), Later("403: Missing Permissions", alarming=True)])
async def test_a_refused_picture_does_not_hold_back_its_text(desk: Desk, why: Exception) -> None:
    curve = desk.places.run("r").loss_curve
    curve.parent.mkdir(parents=True)
    curve.write_bytes(b"png")
    desk.room.before = [why]
    assert await desk.say(part("1", show=("loss_curve",))) == ["1"]
    assert desk.room.enclosed == [[]]


async def test_nor_does_one_whose_upload_breaks_off_each_time(desk: Desk) -> None:
    curve = desk.places.run("r").loss_curve
    curve.parent.mkdir(parents=True)
    curve.write_bytes(b"png")
    desk.room.too_narrow = True
    async with asyncio.timeout(5):
        assert await desk.say(part("1", show=("loss_curve",)), part("2")) == ["1", "2"]
    assert desk.room.enclosed == [[], []]


async def test_a_picture_goes_along_though_its_first_tries_failed(desk: Desk) -> None:
    curve = desk.places.run("r").loss_curve
    curve.parent.mkdir(parents=True)
    curve.write_bytes(b"png")
    desk.room.before = [Later("Discord answers 500") for _ in range(4)]
    assert await desk.say(part("1", show=("loss_curve",))) == ["1"]
    assert desk.room.enclosed == [["loss_curve.png"]]


async def test_a_missing_picture_does_not_either(desk: Desk) -> None:
    assert await desk.say(part("1", show=("loss_curve",))) == ["1"]


async def test_a_message_that_notified_nobody_is_said_once_more(desk: Desk, store: Store) -> None:
    desk.room.unheard = 1
    assert await desk.say(part("1")) == ["1", "1"]
    assert await store.ask(tables.discord_ids, ("1",)) == tuple(one.id for one in desk.room.said)


async def test_a_correction_that_notifies_nobody_either_is_told(desk: Desk) -> None:
    desk.room.unheard = 2
    assert await desk.say(part("1")) == ["1", "1", "alert-1"]


async def test_a_correction_is_not_taken_for_what_it_corrects(desk: Desk, store: Store) -> None:
    desk.room.unheard = 1
    desk.room.after = [Later("the answer was lost")]
    assert await desk.say(part("1")) == ["1", "1"]
    desk.room.unheard = 1
    desk.room.after = []
    await store.ask(tables.owe_parts, (part("2"),), NOON)
    assert (await desk.say())[2:] == ["2", "2"]


async def history_of(store: Store) -> dict[str, str | None]:
    def ask(db: sqlite3.Connection) -> dict[str, str | None]:
        return {row["ref"]: row["history_at"] for row in db.execute("SELECT ref, history_at FROM outbox")}

    return await store.ask(ask)


async def test_each_message_records_until_when_the_channel_was_known(desk: Desk, store: Store) -> None:
    await desk.say(part("1"))
    assert await history_of(store) == {"1": NOON.isoformat()}


async def test_the_channel_is_looked_at_before_the_first_word(desk: Desk) -> None:
    await desk.room.send(part("0"), ())
    await desk.say(part("1"))
    assert desk.looked_at == [desk.room.said[0].id]


async def test_while_the_history_cannot_be_read_only_operators_are_answered(desk: Desk, store: Store) -> None:
    desk.room.unread = [Later("503")]
    peers = part("1"), part("2", kind="answer")
    assert await desk.say(*peers, part("3", kind="answer", to=OPERATOR)) == ["3", "1", "2"]
    assert await history_of(store) == {"1": NOON.isoformat(), "2": NOON.isoformat(), "3": None}


async def test_an_operator_who_cannot_be_answered_either_is_answered_later(desk: Desk) -> None:
    desk.room.unread = [Later("503")]
    desk.room.before = [Later("503")]
    told = [part(ref, kind="answer", to=OPERATOR) for ref in ("2", "3")]
    assert await desk.say(part("1"), *told) == ["1", "2", "3"]
