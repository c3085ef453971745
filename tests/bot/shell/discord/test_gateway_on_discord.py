"""The real client library against the embedded Discord, over real sockets."""

import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.core.effects import Effect
from bot.core.events import Event, Garbled, Reacted, Spoke, StrangerCommanded
from bot.core.policy import Policy
from bot.core.state import ActedOn, Awaited, Cycle, Proposal, State, Unread, Uttered
from bot.rehearsal.cast import OPERATOR_ID, STRANGER_ID
from bot.rehearsal.discord.guild import EVERYTHING_NEEDED, File, May
from bot.rehearsal.discord.rest import Interference
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.discord.wire import guild_json, message_json
from bot.rehearsal.troubles.answers import always, is_attachment, is_history, late, status
from bot.settings import Settings
from bot.shell.conversation.channel import HistoryClosed, Letter
from bot.shell.conversation.door import Door
from bot.shell.conversation.history import History
from bot.shell.conversation.intake import CURSOR, Intake
from bot.shell.deciding.desk import Desk, utc_now
from bot.shell.deciding.lanes import Later
from bot.shell.discord.gateway import Gateway
from bot.shell.discord.lifeline import Limits
from bot.shell.machine.fatal import Fatal
from bot.shell.remembering import tables
from bot.shell.remembering.rows import Part
from bot.shell.remembering.store import Store
from protocol.roster import Roster

ROSTER = Roster()
US, WATCHER = ROSTER.training, ROSTER.watcher
LIMITS = Limits(ready_s=0.1)


def settings(server: DiscordServer, **other: Any) -> Settings:
    given = {
        "discord_token": server.guild.people[US].token,
        "discord_channel_id": server.channel_id,
        "discord_api_base": server.api_base,
        "discord_gateway_url": server.gateway_url,
        "operator_ids": (OPERATOR_ID,),
    }
    return Settings(**{**given, **other})


@dataclass
class Bot:
    """The listening half of the daemon, with a core that only remembers."""

    server: DiscordServer
    store: Store
    state: State = field(default_factory=State)
    start_after: int = 0
    limits: Limits = LIMITS
    warned: list[str] = field(default_factory=list)
    heard: list[Event] = field(default_factory=list)
    seen: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.desk = Desk(
            self.store,
            self.state,
            Policy(),
            step=self._remember,
            speak=lambda _: (),
            alert=lambda _: (),
            headline=lambda *_: "",
            committed=self.changed.set,
        )
        door = Door(self.server.channel_id, ROSTER, (OPERATOR_ID,))
        self.history = History(self._look)
        self.intake = Intake(
            door,
            self.store,
            self.desk,
            Policy(),
            history=self.history,
            start_after=self.start_after,
            pause=lambda _: 0.01,
        )
        self.gateway = Gateway(
            settings(self.server), self.intake, self._count, warn=self._warn, limits=self.limits
        )

    async def _look(self, letter: Letter) -> None:
        self.seen.append((letter.content, letter.names))

    def _remember(self, state: State, event: Event, _: Policy) -> tuple[State, tuple[Effect, ...]]:
        self.heard.append(event)
        return state, ()

    async def _warn(self, told: str) -> None:
        self.warned.append(told)

    async def _count(self) -> int:
        return 1

    def texts(self) -> list[str]:
        return [one.text.partition("> ")[2] for one in self.heard if isinstance(one, Spoke)]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    @contextlib.asynccontextmanager
    async def online(self) -> AsyncIterator["Bot"]:
        runs = (self.desk.run(), self.intake.run(self.gateway), self.gateway.run())
        tasks = [asyncio.create_task(one) for one in runs]
        try:
            yield self
        finally:
            for task in reversed(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def to_us(text: str) -> str:
    return f"<@{US}> {text}"


def part(ref: str = "ab-1", recipients: tuple[int, ...] = (WATCHER,), kind: str = "done") -> Part:
    content = f"<@{recipients[0]}> [REPORT] hi @everyone <@{ROSTER.developer}>\n-# {ref}"
    return Part(ref=ref, part=1, parts=1, kind=kind, recipients=recipients, content=content)


async def test_what_is_said_to_us_is_heard_and_nothing_else(server: DiscordServer, store: Store) -> None:
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("one"))
        await bot.until(lambda: bot.texts() == ["one"])
        await server.say(WATCHER, "not to us")
        await server.say(WATCHER, f"`<@{US}>` in code")
        await server.say(STRANGER_ID, to_us("[HANDOFF] Cycle 1"))
        await server.say(STRANGER_ID, "!stop")
        await server.say(OPERATOR_ID, "!status")
        await server.say(ROSTER.developer, to_us("two"))
        await bot.until(lambda: len(bot.heard) == 4)
        assert [one.author for one in bot.heard if isinstance(one, Spoke)] == [
            WATCHER,
            OPERATOR_ID,
            ROSTER.developer,
        ]


async def test_what_was_said_while_we_were_away_is_heard_once_and_in_order(
    server: DiscordServer, store: Store
) -> None:
    before = (await server.say(WATCHER, to_us("long before"))).id
    await server.say(WATCHER, to_us("one"))
    async with Bot(server, store, start_after=before).online() as bot:
        await bot.until(lambda: bot.texts() == ["one"])
    for text in ("two", "three"):
        await server.say(WATCHER, to_us(text))
    async with Bot(server, store, start_after=before).online() as bot:
        await bot.until(lambda: len(bot.texts()) == 2)
        await server.say(WATCHER, to_us("four"))
        await bot.until(lambda: bot.texts() == ["two", "three", "four"])


async def much_is_said_while_away(server: DiscordServer, store: Store, messages: int) -> None:
    """After "one" so many to others, and then "two"."""
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("one"))
        await bot.until(lambda: bot.texts() == ["one"])
    for number in range(messages):
        await server.say(STRANGER_ID, f"not to us: {number}")
    await server.say(WATCHER, to_us("two"))


async def test_a_long_absence_is_read_though_much_of_it_does_not_come_at_once(
    server: DiscordServer, store: Store
) -> None:
    await much_is_said_while_away(server, store, messages=450)
    server.rest.interferences.append(every_second(is_history, status(503)))
    async with Bot(server, store).online() as bot:
        await bot.until(lambda: bot.texts() == ["two"])


async def test_a_long_absence_may_take_any_time_to_read(server: DiscordServer, store: Store) -> None:
    await much_is_said_while_away(server, store, messages=2500)
    server.rest.interferences.append(always(is_history, late(0.1)))
    async with Bot(server, store, limits=Limits(ready_s=0.1, request_s=0.2)).online() as bot:
        await bot.until(lambda: bot.texts() == ["two"])


def every_second(meant: Callable[[web.Request], bool], answer: Interference) -> Interference:
    numbers = itertools.count(1)
    return always(lambda request: meant(request) and next(numbers) % 2 == 0, answer)


async def test_a_dropped_connection_loses_nothing(server: DiscordServer, store: Store) -> None:
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("one"))
        await bot.until(lambda: bot.texts() == ["one"])
        await server.gateway.drop_connections()
        await server.say(WATCHER, to_us("two"))
        await bot.until(lambda: bot.texts() == ["one", "two"])


async def test_a_long_message_comes_as_a_file(server: DiscordServer, store: Store) -> None:
    file = File("message.txt", "Cycle 7 데이터".encode(), "text/plain")
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("see file"), attachments=(file,))
        await bot.until(lambda: bool(bot.texts()))
        assert bot.texts() == ["see file\nCycle 7 데이터"]


async def test_a_file_that_cannot_be_fetched_is_asked_for_and_keeps_nobody_waiting(
    server: DiscordServer, store: Store
) -> None:
    server.rest.interferences.append(always(is_attachment, status(500)))
    file = File("message.txt", "Cycle 7 데이터".encode(), "text/plain")
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("see file"), attachments=(file,))
        await server.say(OPERATOR_ID, "!stop")
        await bot.until(lambda: len(bot.heard) == 2)
    asked, stop = bot.heard
    assert isinstance(asked, Garbled)
    assert asked.author == WATCHER
    assert "message.txt" in asked.what
    assert isinstance(stop, Spoke)


async def test_a_file_can_be_fetched_when_the_session_that_told_of_it_is_over(
    server: DiscordServer, store: Store
) -> None:
    file = File("message.txt", "Cycle 7 데이터".encode(), "text/plain")
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, "not to us", attachments=(file,))
        await server.gateway.until_connected(US)
        (letter,) = await bot.gateway.latest()
    assert await letter.attachments[0].read() == file.content


async def test_a_file_whose_edit_cannot_be_fetched_is_asked_for(server: DiscordServer, store: Store) -> None:
    file = File("message.txt", "Cycle 7 데이터".encode(), "text/plain")
    said = await server.say(WATCHER, to_us("see file"), attachments=(file,))
    state = State(
        acted_on=(
            ActedOn(
                author=WATCHER,
                prints={said.id: ""},
                meaning="",
                last=Uttered(id=said.id, text="", said_at=utc_now()),
            ),
        )
    )
    async with Bot(server, store, state).online() as bot:
        await server.gateway.until_connected(US)
        server.rest.interferences.append(always(is_attachment, status(500)))
        await server.edit(said, to_us("see that file"))
        await bot.until(lambda: any(isinstance(one, Garbled) for one in bot.heard))


async def test_a_message_is_sent_once_and_notifies_its_recipient_alone(
    server: DiscordServer, store: Store, tmp_path: Path
) -> None:
    picture = tmp_path / "loss_curve.png"
    picture.write_bytes(b"png")
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("are you there"))
        await bot.until(lambda: bool(bot.texts()))
        first = await bot.gateway.send(part(), [picture])
        assert await bot.gateway.send(part(), [picture]) == first
    said = [one for one in server.record.entries if one.author_id == US]
    assert len(said) == 1
    assert said[0].mentions == (WATCHER,)
    assert len(said[0].attachments) == 1


async def test_a_reply_to_what_awaits_an_answer_needs_no_mention(server: DiscordServer, store: Store) -> None:
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("first"))
        await bot.until(lambda: bool(bot.texts()))
        await store.ask(tables.owe_parts, (part("ab-9", kind="proposal"), part("ab-10")), utc_now())
        for seq, one in enumerate((part("ab-9", kind="proposal"), part("ab-10")), start=1):
            await store.ask(tables.sent_part, seq, (await bot.gateway.send(one, ())).id, utc_now())
        proposal, done = await store.ask(tables.discord_ids, ("ab-9", "ab-10"))
        await server.say(WATCHER, "고마워요", reply_to=done)
        await server.say(WATCHER, "승인", reply_to=proposal)
        await bot.until(lambda: len(bot.heard) == 2)
        answer = bot.heard[-1]
        assert isinstance(answer, Spoke)
        assert (answer.text, answer.reply_ref) == ("승인", "ab-9")


async def test_a_mark_on_our_message_is_an_answer_live_and_after_a_restart(
    server: DiscordServer, store: Store, proposing: State
) -> None:
    async with Bot(server, store, state=proposing).online() as bot:
        await server.say(WATCHER, to_us("first"))
        await bot.until(lambda: bool(bot.texts()))
        await store.ask(tables.owe_parts, (part("ab-2"),), utc_now())
        ours = (await bot.gateway.send(part("ab-2"), ())).id
        await store.ask(tables.sent_part, 1, ours, utc_now())
        await server.react(ROSTER.developer, ours, "✅")
        await server.react(WATCHER, ours, "❌")
        await bot.until(lambda: any(isinstance(one, Reacted) for one in bot.heard))
        assert [(one.ref, one.yes) for one in bot.heard if isinstance(one, Reacted)] == [("ab-2", False)]
    await server.react(WATCHER, ours, "✅")
    async with Bot(server, store, state=proposing).online() as bot:
        await bot.until(lambda: bool(bot.heard))
        assert [(one.ref, one.yes) for one in bot.heard if isinstance(one, Reacted)] == [("ab-2", True)]


@pytest.fixture
def proposing() -> State:
    now = utc_now()
    cycle = Cycle(
        number=1,
        opened_at=now,
        run_name="r",
        data=Awaited(since=now),
        terms=Unread(heard=(), since=now),
        proposal=Proposal(hash="abc", lines=(), since=now, refs=("ab-2",)),
    )
    return State(cycle=cycle)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"discord_token": "rehearsal.Nobody.token"}, "does not know this DISCORD_TOKEN"),
        ({"discord_token": "rehearsal.Watcher-Claw.token"}, "is the token of Watcher-Claw"),
        ({"discord_channel_id": 1477000000000009999}, "sees no such channel"),
    ],
    ids=["nobody's token", "another bot's token", "another channel"],
)
async def test_what_only_a_person_can_put_right_ends_it(
    server: DiscordServer, store: Store, wrong: dict[str, Any], told: str
) -> None:
    bot = Bot(server, store)
    gateway = Gateway(settings(server, **wrong), bot.intake, bot._count, warn=bot._warn, limits=LIMITS)
    async with asyncio.timeout(20):
        with pytest.raises(Fatal, match=told) as fatal:
            await gateway.run()
    assert "\n" not in str(fatal.value)
    assert "rehearsal." not in str(fatal.value)


async def test_slash_commands_come_from_the_same_table(server: DiscordServer, store: Store) -> None:
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("first"))
        await bot.until(lambda: bool(bot.texts()))
        stranger, operator = server.guild.people[STRANGER_ID], server.guild.people[OPERATOR_ID]
        server.gateway.slash(US, stranger, server.channel_id, "stop")
        server.gateway.slash(US, operator, server.channel_id, "status")
        await bot.until(lambda: len(bot.heard) == 3)
        turned_away, asked = bot.heard[-2:]
        assert isinstance(turned_away, StrangerCommanded)
        assert (turned_away.author, turned_away.command) == (STRANGER_ID, "stop")
        assert isinstance(asked, Spoke)
        assert (asked.author, asked.text, asked.addressed) == (OPERATOR_ID, "!status", True)
        assert any("운영자만" in told for told in server.rest.whispers)


async def test_a_session_that_lives_knows_the_channel_until_now(server: DiscordServer, store: Store) -> None:
    bot = Bot(server, store)
    assert bot.gateway.silent_s() == math.inf
    async with bot.online():
        await server.say(WATCHER, to_us("first"))
        await bot.until(lambda: bool(bot.texts()))
        await server.say(WATCHER, to_us("second"))
        await bot.until(lambda: len(bot.texts()) == 2)
        before = utc_now()
        known_at = bot.history.known_at(bot.gateway)
        assert known_at is not None
        assert known_at >= before
        await server.say(STRANGER_ID, "not to us")
        latest = [one.content for one in await bot.gateway.latest()]
        assert latest == [to_us("first"), to_us("second"), "not to us"]


async def test_every_message_is_looked_at_whoever_it_is_from(server: DiscordServer, store: Store) -> None:
    await server.say(STRANGER_ID, "before we came")
    async with Bot(server, store).online() as bot:
        await server.say(STRANGER_ID, "not to us")
        await server.say(WATCHER, to_us("first"))
        await bot.until(lambda: bool(bot.texts()))
        watcher, stranger = frozenset({"Watcher-Claw"}), frozenset({"stranger"})
        assert {("before we came", stranger), ("not to us", stranger)} < {*bot.seen}
        assert (to_us("first"), watcher) in bot.seen


async def test_what_was_missed_is_read_once_the_history_is_open_to_us(
    server: DiscordServer, store: Store
) -> None:
    before = (await server.say(WATCHER, to_us("long before"))).id
    await server.say(WATCHER, to_us("missed"))
    server.guild.permissions &= ~May.READ_MESSAGE_HISTORY
    async with Bot(server, store, start_after=before).online() as bot:
        await server.gateway.until_connected(US)
        await server.say(WATCHER, to_us("live"))
        await bot.until(lambda: bot.texts() == ["live"])
        assert "read_message_history" in bot.warned[0]
        with pytest.raises(HistoryClosed):
            await bot.gateway.latest()
        server.gateway.permit(EVERYTHING_NEEDED)
        await bot.until(lambda: bot.texts() == ["live", "missed"])


async def test_a_permission_that_is_missing_again_is_told_again(server: DiscordServer, store: Store) -> None:
    async with Bot(server, store).online() as bot:
        await server.gateway.until_connected(US)
        for times in (1, 2):
            server.gateway.permit(EVERYTHING_NEEDED & ~May.ATTACH_FILES)
            server.gateway.permit(EVERYTHING_NEEDED & ~May.ATTACH_FILES)
            await server.say(WATCHER, to_us("withdrawn"))
            await bot.until(lambda times=times: len(bot.texts()) == 2 * times - 1)
            server.gateway.permit(EVERYTHING_NEEDED)
            await server.say(WATCHER, to_us("granted"))
            await bot.until(lambda times=times: len(bot.texts()) == 2 * times)
        assert bot.warned == [bot.warned[0]] * 2
        assert "attach_files" in bot.warned[0]


async def test_what_was_said_while_the_server_was_away_alone_is_heard(
    server: DiscordServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("one"))
        await bot.until(lambda: bot.texts() == ["one"])
        server.gateway.dispatch("GUILD_DELETE", {"id": str(server.guild.id), "unavailable": True})
        with monkeypatch.context() as away:
            away.setattr(server.guild, "_listeners", [])
            await server.say(WATCHER, to_us("two"))
            server.guild.permissions = EVERYTHING_NEEDED & ~May.ATTACH_FILES
        server.gateway.dispatch("GUILD_CREATE", guild_json(server.guild, US))
        await bot.until(lambda: bot.texts() == ["one", "two"])
        assert "attach_files" in bot.warned[0]


@pytest.mark.parametrize("what", ["send", "read"])
async def test_what_is_being_tried_when_its_client_is_given_up_is_tried_later(
    server: DiscordServer, store: Store, what: str
) -> None:
    asked = asyncio.Event()

    async def away(request: web.Request) -> web.StreamResponse | None:
        asked.set()
        return await status(502)(request)

    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("one"))
        await bot.until(lambda: bot.texts() == ["one"])
        server.rest.interferences.append(always(lambda request: request.path.endswith("/messages"), away))
        tried = bot.gateway.send(part(), ()) if what == "send" else bot.gateway.latest()
        trying = asyncio.create_task(tried)
        await asked.wait()
        server.gateway.dispatch("MESSAGE_REACTION_ADD", {"not": "ours"})  # the library ends over it
        with pytest.raises(Later, match="given up"):
            await trying


async def test_a_message_that_makes_a_handler_fail_costs_nothing_else(
    server: DiscordServer, store: Store
) -> None:
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("one"))
        await bot.until(lambda: bot.texts() == ["one"])
        server.gateway.dispatch("MESSAGE_CREATE", odd_message(server))
        await server.say(WATCHER, to_us("two"))
        await bot.until(lambda: bot.texts() == ["one", "two"])


def odd_message(server: DiscordServer) -> dict[str, Any]:
    """With an id of a moment that no calendar knows."""
    entry = next(iter(server.guild.main_channel.messages.values()))
    body = message_json(entry, server.guild, "", US)
    return {**body, "id": str(1 << 90), "guild_id": str(server.guild.id)}


async def test_an_answer_to_what_we_do_not_know_we_said_counts(server: DiscordServer, store: Store) -> None:
    """Its sending was in doubt; our own echo tells that it was said."""
    async with Bot(server, store).online() as bot:
        await server.say(WATCHER, to_us("first"))
        await bot.until(lambda: bool(bot.texts()))
        await store.ask(tables.owe_parts, (part("ab-9", kind="proposal"),), utc_now())
        await store.ask(tables.try_part, 1, utc_now())
        ours = await bot.gateway.send(part("ab-9", kind="proposal"), ())
        await server.say(WATCHER, "승인", reply_to=ours.id)
        await bot.until(lambda: len(bot.heard) == 2)
        answer = bot.heard[-1]
        assert isinstance(answer, Spoke)
        assert (answer.text, answer.reply_ref) == ("승인", "ab-9")


async def test_nor_does_it_matter_when_we_were_away_meanwhile(server: DiscordServer, store: Store) -> None:
    before = (await server.say(WATCHER, to_us("first"))).id
    await store.ask(tables.owe_parts, (part("ab-9", kind="proposal"),), utc_now())
    await store.ask(tables.try_part, 1, utc_now())
    ours = await server.say(US, part("ab-9").content)
    await server.say(WATCHER, "승인", reply_to=ours.id)
    later = await server.say(WATCHER, to_us("later"))
    await store.ask(tables.move_cursor, CURSOR, str(later.id))
    async with Bot(server, store, start_after=before).online() as bot:
        await bot.until(lambda: len(bot.heard) == 1)
        assert isinstance(bot.heard[0], Spoke)
        assert (bot.heard[0].text, bot.heard[0].reply_ref) == ("승인", "ab-9")
