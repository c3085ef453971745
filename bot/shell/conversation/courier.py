"""Carries out what we owe the channel: every part once, in order, until Discord has it."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog

from bot.shell.conversation.channel import CLOCK_SLACK, Channel, SendRefused, Sent, id_at
from bot.shell.conversation.enclosed import enclosed
from bot.shell.conversation.history import History
from bot.shell.deciding.desk import utc_now
from bot.shell.deciding.lanes import Later, pause_s
from bot.shell.machine.places import Places
from bot.shell.remembering import tables
from bot.shell.remembering.rows import OwedPart, Part
from bot.shell.remembering.store import Store
from protocol.parts import reference

log = structlog.stdlib.get_logger("courier")

WHOLE_TRIES = 3
"""So often a message is tried with what goes along with it; then every other time."""


class Courier:
    """`us` is our Discord id, `people` the operators'; `alert` words a line for them."""

    def __init__(
        self,
        channel: Channel,
        store: Store,
        places: Places,
        us: int,
        *,
        history: History,
        people: Collection[int],
        alert: Callable[[str], Sequence[Part]],
        pause: Callable[[int], float] = pause_s,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._channel = channel
        self._store = store
        self._places = places
        self._us = us
        self._history = history
        self._people = people
        self._alert = alert
        self._pause = pause
        self._now = now
        self._woken = asyncio.Event()
        self._idle = asyncio.Event()

    def wake(self) -> None:
        """There may be something new to say."""
        self._idle.clear()
        self._woken.set()

    async def emptied(self) -> None:
        """Returns once everything owed has gone out."""
        await self._idle.wait()

    async def run(self) -> None:
        """Send what is owed, the oldest first, until cancelled."""
        failures = 0
        while True:
            self._woken.clear()
            owed = await self._store.ask(tables.next_part)
            if owed is None:
                if not self._woken.is_set():
                    self._idle.set()
                await self._woken.wait()
            elif await self._carried(owed):
                failures = 0
            else:
                failures += 1
                await asyncio.sleep(self._pause(failures))

    async def _carried(self, owed: OwedPart) -> bool:
        """Who does not know what was said last does not speak, but to the people he works for."""
        try:
            await self._history.before_speaking(self._channel)
        except Later as error:
            log.warning("the history cannot be read: peers wait", ref=owed.part.ref, why=str(error))
            for one in await self._store.ask(tables.answers_to, self._people):
                if not await self._settled(one):
                    break
            return False
        return await self._settled(owed)

    async def _settled(self, owed: OwedPart) -> bool:
        try:
            sent = await self._delivered(owed)
        except SendRefused as error:
            await self._park(owed, error)
            return True
        except Later as error:
            log.warning("cannot send now", ref=owed.part.ref, why=str(error))
            return False
        await self._store.ask(tables.sent_part, owed.seq, sent.id, self._now())
        log.info("said", kind=owed.part.kind, ref=owed.part.ref, part=owed.part.part, message=sent.id)
        if unheard := sorted({*owed.part.recipients} - sent.notified):
            await self._correct(owed.part, unheard)
        return True

    async def _correct(self, part: Part, unheard: list[int]) -> None:
        """A message without its mention does not exist: say it once more, under a nonce of its own."""
        log.error("a recipient was not notified", ref=part.ref, unheard=unheard, correction=part.correction)
        if part.correction == 0:
            await self._store.ask(tables.owe_parts, (replace(part, correction=1),), self._now())
        elif part.kind != "alert":
            told = f"알림이 전달되지 않음: {part.kind} ({part.ref}) → {unheard}. 채널 초대 여부 확인 필요"
            await self._store.ask(tables.owe_parts, self._alert(told), self._now())

    async def _delivered(self, owed: OwedPart) -> Sent:
        """What may have been sent before is looked for first: Discord knows a nonce for minutes only."""
        if owed.tries:
            there = await self._found(owed)
            if there is not None:
                return there
        await self._store.ask(tables.try_part, owed.seq, self._history.known_at(self._channel))
        files = self._enclosed(owed)
        try:
            return await self._channel.send(owed.part, files)
        except (SendRefused, Later) as error:
            forbidden = isinstance(error, SendRefused) or error.alarming
            if not files or not forbidden:
                raise
            log.warning("what was enclosed was refused, the text goes alone", ref=owed.part.ref)
            return await self._channel.send(owed.part, ())

    async def _found(self, owed: OwedPart) -> Sent | None:
        """Our own message in the channel."""
        wanted = reference(owed.part.content)
        async for letter in self._channel.letters_after(await self._before(owed)):
            if letter.author_id == self._us and wanted and reference(letter.content) == wanted:
                return Sent(letter.id, letter.mentions)
        return None

    async def _before(self, owed: OwedPart) -> int:
        """An id that it comes after: by what we said before it, by our clock only where we said nothing."""
        if owed.met_as is not None:
            return owed.met_as - 1
        if owed.part.correction and (known := await self._store.ask(tables.discord_ids, (owed.part.ref,))):
            return max(known)
        earlier = await self._store.ask(tables.last_sent_before, owed.seq, owed.created_at)
        return earlier or id_at(owed.created_at - CLOCK_SLACK)

    def _enclosed(self, owed: OwedPart) -> tuple[Path, ...]:
        """An upload that breaks off each time must not hold back its text, nor all that waits behind it."""
        part = owed.part
        files = () if part.run is None else enclosed(self._places.run(part.run), part.show)
        if files and owed.tries >= WHOLE_TRIES and owed.tries % 2:  # an outage fails without files, too
            log.warning("what was enclosed does not get there, the text goes alone", ref=part.ref)
            return ()
        return files

    async def _park(self, owed: OwedPart, error: SendRefused) -> None:
        log.error("a message was parked", kind=owed.part.kind, ref=owed.part.ref, why=str(error))
        await self._store.ask(tables.park_part, owed.seq)
        if owed.part.kind != "alert":
            told = (
                f"Discord가 거부한 메시지: {owed.part.kind} ({owed.part.ref}). {error}. "
                "다시 보내지 않고 나머지는 계속 보냄: 받을 쪽에 운영자가 직접 전달 필요"
            )
            await self._store.ask(tables.owe_parts, self._alert(told), self._now())
