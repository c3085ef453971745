"""Everything heard comes through here, once and in order, whether it came live or from the history.

After each new session the history since the last message dealt with is read before anything that came
live meanwhile, and the answers to what we asked are looked at again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from functools import partial

import structlog

from bot.core.channel import listening
from bot.core.events import Edited, Event, Garbled, Reacted, Spoke, StrangerCommanded
from bot.core.policy import Policy
from bot.core.state import State
from bot.shell.conversation.channel import CLOCK_SLACK, Channel, HistoryClosed, Letter, Mark, id_at
from bot.shell.conversation.door import AWAITING, YES, Door
from bot.shell.conversation.history import History
from bot.shell.conversation.reading import Unreadable, whole_text
from bot.shell.deciding.desk import STAMPED, Desk, Note
from bot.shell.deciding.lanes import Later, pause_s
from bot.shell.remembering import tables
from bot.shell.remembering.rows import InboxEntry
from bot.shell.remembering.store import Store
from protocol.parts import reference

log = structlog.stdlib.get_logger("intake")

CURSOR = "channel"
GAP = "channel gap"
"""Where what we missed begins, if it could not be read."""
EDITS_COUNT = timedelta(hours=1)
"""Edits of messages older than this are not looked for after an absence."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Somebody gave his message another text, or the service another look."""

    letter: Letter


class _Session(Enum):
    BEGAN = auto()
    READY = auto()


class Intake:
    """The ears of the shell. `start_after` is the message id before which history does not concern us.

    `history` learns how far we have listened, and looks at every message, whoever it is from.
    """

    def __init__(
        self,
        door: Door,
        store: Store,
        desk: Desk,
        policy: Policy,
        *,
        history: History,
        start_after: int,
        pause: Callable[[int], float] = pause_s,
    ) -> None:
        self._door = door
        self._store = store
        self._desk = desk
        self._policy = policy
        self._history = history
        self._start_after = start_after
        self._pause = pause
        self._queue: asyncio.Queue[Letter | Rewritten | Mark | _Session] = asyncio.Queue()
        self._held: list[Letter | Rewritten | Mark] | None = None

    # --- told by the gateway -------------------------------------------------

    def heard(self, letter: Letter) -> None:
        self._queue.put_nowait(letter)

    def reread(self, letter: Letter) -> None:
        self._queue.put_nowait(Rewritten(letter))

    def saw(self, mark: Mark) -> None:
        self._queue.put_nowait(mark)

    def missed_some(self) -> None:
        self._history.missed_some()
        self._queue.put_nowait(_Session.BEGAN)

    def caught_on(self) -> None:
        self._queue.put_nowait(_Session.READY)

    # --- one after the other -------------------------------------------------

    async def run(self, channel: Channel) -> None:
        """Take what is heard, until cancelled."""
        while True:
            match await self._queue.get():
                case _Session.BEGAN:
                    self._held = self._held or []
                case _Session.READY:
                    session = self._history.sessions
                    whole = await self._insist(lambda: self._catch_up(channel))
                    held, self._held = self._held or [], None
                    for one in held:
                        await self._insist(lambda one=one: self._take(one))
                    if whole:
                        self._history.caught_up(session)
                case Letter() | Rewritten() | Mark() as one if self._held is not None:
                    self._held.append(one)
                case Letter() | Rewritten() | Mark() as one:
                    await self._insist(lambda one=one: self._take(one))

    async def _insist(self, what: Callable[[], Awaitable[None]]) -> bool:
        """Until it is done. False: the history is closed to us, and what we missed has to wait."""
        failures = 0
        while True:
            try:
                await what()
            except HistoryClosed as error:
                log.error("what was missed cannot be read", why=str(error))
                await self._remember_gap()
                return False
            except Later as error:
                failures += 1
                log.warning("cannot listen now", why=str(error))
                await asyncio.sleep(self._pause(failures))
            else:
                return True

    async def _remember_gap(self) -> None:
        """What is heard from now on moves the cursor past what was missed."""
        if not await self._store.ask(tables.cursor, GAP):
            newest = await self._store.ask(tables.cursor, CURSOR) or "0"
            await self._store.ask(tables.move_cursor, GAP, newest)

    async def _catch_up(self, channel: Channel) -> None:
        """Read what was said since, and look again at what was edited or answered meanwhile."""
        newest = int(await self._store.ask(tables.cursor, CURSOR) or 0)
        gap = int(await self._store.ask(tables.cursor, GAP) or newest)
        after = max(min(newest, gap, await self._doubt_begins(newest)), self._start_after)
        try:
            async for letter in channel.letters_after(min(after, self._first_to_reread(after))):
                await self._take(Rewritten(letter) if letter.id <= newest else letter)
                newest = max(newest, letter.id)
        except Later:  # of a long absence, what was read need not be read once more
            await self._store.ask(tables.move_cursor, CURSOR, str(newest))
            raise
        await self._store.ask(tables.move_cursor, CURSOR, str(newest))
        await self._store.ask(tables.move_cursor, GAP, "")
        for message_id in await self._store.ask(tables.discord_ids, awaited_refs(self._desk.state)):
            for mark in await channel.marks_on(message_id):
                await self._take(mark)

    async def _doubt_begins(self, newest: int) -> int:
        """An id before all messages of ours of which we do not know for sure; `newest` if there are none."""
        doubt = await self._store.ask(tables.doubt_begins)
        if doubt is None:
            return newest
        owed_since, earlier = doubt
        return earlier or id_at(owed_since - CLOCK_SLACK)

    def _first_to_reread(self, after: int) -> int:
        """Edits of messages that young still count."""
        oldest = id_at(self._desk.now() - EDITS_COUNT)
        return min((one - 1 for one in listening.remembered(self._desk.state) if one > oldest), default=after)

    async def _take(self, one: Letter | Rewritten | Mark) -> None:
        match one:
            case Mark():
                await self._take_mark(one)
            case Rewritten(letter):
                await self._history.look(letter)
                await self._take_edit(letter)
            case Letter():
                await self._history.look(one)
                await self._take_letter(one, {CURSOR: str(one.id)})

    async def _take_edit(self, letter: Letter) -> None:
        """An edit can also be what first addresses us."""
        if not listening.remembers(self._desk.state, letter.id):
            await self._take_letter(letter, {})
        elif self._door.knows(letter):
            edited = partial(Edited, at=STAMPED, author=letter.author_id, message_id=letter.id)
            await self._desk.tell(Note(event=await self._read(letter, edited)))

    async def _read(self, letter: Letter, event_of: Callable[..., Event]) -> Event:
        """`event_of(text=…)`, or that part of the text cannot be had."""
        try:
            return event_of(text=await whole_text(letter, self._pause))
        except Unreadable as error:
            return Garbled(at=STAMPED, author=letter.author_id, what=str(error))

    async def _take_letter(self, letter: Letter, cursors: dict[str, str]) -> None:
        if letter.author_id == self._policy.roster.training:
            await self._recognise(letter)
            return
        concerns = letter.id > self._start_after
        if concerns and (command := self._door.turns_away(letter)):
            await self._turn_away(letter, command)
            return
        known = concerns and self._door.knows(letter)
        if not known or await self._store.ask(tables.was_heard, str(letter.id)):
            return
        ref = await self._store.ask(tables.ref_of, letter.reply_to) if letter.reply_to else None
        kind = await self._store.ask(tables.kind_of, letter.reply_to) if letter.reply_to else None
        addressed = self._door.admits(letter, answers_ours=kind in AWAITING)
        if not addressed and not self._goes_on(letter):
            return
        said = partial(Spoke, at=STAMPED, author=letter.author_id, message_id=letter.id, said_at=letter.at)
        event = await self._read(letter, partial(said, addressed=addressed, reply_ref=ref))
        log.info("heard", author=letter.author_id, message=letter.id, addressed=addressed)
        await self._desk.tell(
            Note(
                event=event,
                inbox=InboxEntry(heard_id=str(letter.id), author=letter.author_id),
                cursors=cursors,
            )
        )

    async def _recognise(self, letter: Letter) -> None:
        """Our own words: only now may we know that they were said, and what is answered to them counts."""
        said = reference(letter.content)
        if said is not None and self._door.is_here(letter):
            await self._store.ask(tables.recognise, letter.id, said)

    async def _turn_away(self, letter: Letter, command: str) -> None:
        log.warning("a command of somebody who is no operator", author=letter.author_id, command=command)
        event = StrangerCommanded(at=STAMPED, author=letter.author_id, command=command)
        inbox = InboxEntry(heard_id=str(letter.id), author=letter.author_id, decision="turned away")
        await self._desk.tell(Note(event=event, inbox=inbox))

    def _goes_on(self, letter: Letter) -> bool:
        state, policy = self._desk.state, self._policy
        return self._door.may_go_on(letter) and listening.goes_on(state, letter.author_id, letter.at, policy)

    async def _take_mark(self, mark: Mark) -> None:
        ref = await self._store.ask(tables.ref_of, mark.message_id)
        if ref is None or not self._door.counts(mark):
            return
        heard_id = f"{mark.message_id}/{mark.emoji}/{mark.author_id}"
        event = Reacted(at=STAMPED, author=mark.author_id, ref=ref, yes=mark.emoji == YES)
        inbox = InboxEntry(heard_id=heard_id, author=mark.author_id)
        await self._desk.tell(Note(event=event, inbox=inbox))


def awaited_refs(state: State) -> tuple[str, ...]:
    """Our messages that await an answer."""
    return state.cycle.proposal.refs if state.cycle and state.cycle.proposal else ()
