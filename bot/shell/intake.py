"""Everything heard comes through here, once and in order, whether it came live or from the history.

After each new session the history since the last message dealt with is read before anything that came
live meanwhile, and the answers to what we asked are looked at again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto

import structlog

from bot.core.events import Reacted
from bot.core.state import State
from bot.shell import tables
from bot.shell.channel import Attached, Channel, Letter, Mark
from bot.shell.desk import STAMPED, Desk, Note
from bot.shell.door import YES, Door, understood
from bot.shell.lanes import Later, pause_s
from bot.shell.rows import InboxEntry
from bot.shell.store import Store

log = structlog.stdlib.get_logger("intake")

CURSOR = "channel"
TEXT_BYTES = 64 << 10
TEXT_NAMES = (".txt", ".md")


class _Session(Enum):
    BEGAN = auto()
    READY = auto()


class Intake:
    """The ears of the shell. `start_after` is the message id before which history does not concern us."""

    def __init__(
        self,
        door: Door,
        store: Store,
        desk: Desk,
        *,
        start_after: int,
        pause: Callable[[int], float] = pause_s,
    ) -> None:
        self._door = door
        self._store = store
        self._desk = desk
        self._start_after = start_after
        self._pause = pause
        self._queue: asyncio.Queue[Letter | Mark | _Session] = asyncio.Queue()
        self._held: list[Letter | Mark] | None = None

    # --- told by the gateway -------------------------------------------------

    def heard(self, letter: Letter) -> None:
        self._queue.put_nowait(letter)

    def saw(self, mark: Mark) -> None:
        self._queue.put_nowait(mark)

    def missed_some(self) -> None:
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
                    await self._insist(lambda: self._catch_up(channel))
                    held, self._held = self._held or [], None
                    for one in held:
                        await self._insist(lambda one=one: self._take(one))
                case Letter() | Mark() as one if self._held is not None:
                    self._held.append(one)
                case Letter() | Mark() as one:
                    await self._insist(lambda one=one: self._take(one))

    async def _insist(self, what: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            try:
                return await what()
            except Later as error:
                failures += 1
                log.warning("cannot listen now", why=str(error))
                await asyncio.sleep(self._pause(failures))

    async def _catch_up(self, channel: Channel) -> None:
        newest = after = max(int(await self._store.ask(tables.cursor, CURSOR) or 0), self._start_after)
        async for letter in channel.letters_after(after):
            await self._take(letter)
            newest = letter.id
        await self._store.ask(tables.move_cursor, CURSOR, str(newest))
        for message_id in await self._store.ask(tables.discord_ids, awaited_refs(self._desk.state)):
            for mark in await channel.marks_on(message_id):
                await self._take(mark)

    async def _take(self, one: Letter | Mark) -> None:
        if isinstance(one, Mark):
            await self._take_mark(one)
        elif self._door.knows(one) and not await self._store.ask(tables.was_heard, str(one.id)):
            await self._take_letter(one)

    async def _take_letter(self, letter: Letter) -> None:
        ref = await self._store.ask(tables.ref_of, letter.reply_to) if letter.reply_to else None
        if not self._door.admits(letter, answers_ours=ref is not None):
            return
        event = understood(letter, await whole_text(letter), ref, self._door.voice)
        log.info("heard", author=letter.author_id, message=letter.id, what=type(event).__name__)
        await self._desk.tell(
            Note(
                event=event,
                inbox=InboxEntry(heard_id=str(letter.id), author=letter.author_id),
                cursors={CURSOR: str(letter.id)},
            )
        )

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


async def whole_text(letter: Letter) -> str:
    """The message with its text attachments: a long message comes as `message.txt`."""
    texts = [await _text_of(one) for one in letter.attachments if one.name.lower().endswith(TEXT_NAMES)]
    return "\n".join([letter.content, *texts])


async def _text_of(attached: Attached) -> str:
    if attached.size_bytes > TEXT_BYTES:
        log.warning("attachment left out", name=attached.name, size_bytes=attached.size_bytes)
        return ""
    return (await attached.read()).decode(errors="replace")
