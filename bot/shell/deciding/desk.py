"""The one place where what happened becomes what we know.

Notes are taken strictly in order. For each: step, wording of what we say, one transaction, then whoever
carries things out is woken. Nothing is awaited between reading the state and committing the next one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from bot.core.effects import Effect, Post
from bot.core.events import ClockJumped, Event, Gauges, Heard, PutOff, Spoke, Ticked
from bot.core.policy import Policy
from bot.core.state import State
from bot.shell.deciding.chronicle import Chronicle
from bot.shell.remembering import tables
from bot.shell.remembering.rows import InboxEntry, Part
from bot.shell.remembering.store import Store
from bot.shell.remembering.tables import Record
from protocol import Refused

log = structlog.stdlib.get_logger("desk")

STAMPED = datetime.min.replace(tzinfo=UTC)
"""The time of an event on its way to the desk, which stamps every one itself."""

type Step = Callable[[State, Event, Policy], tuple[State, tuple[Effect, ...]]]
type Speak = Callable[[Post], Sequence[Part]]
"""Words a message and checks it; raises protocol.Refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that happened. `inbox`, `settles`, `cursors` are saved with what it leads to, or not at all.

    The desk stamps the event: its time and, where it has them, its gauges.
    """

    event: Event
    inbox: InboxEntry | None = None
    settles: str | None = None
    cursors: Mapping[str, str] = field(default_factory=dict[str, str])


def utc_now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """`alert` words a line for the operators as parts to send; `committed` is called after each commit,
    `disk` tells what is free and all there is under STATE_DIR, `put_off` which orders wait for a new try.

    `chronicle` keeps what happened in sentences for people.
    """

    def __init__(
        self,
        store: Store,
        state: State,
        policy: Policy,
        *,
        step: Step,
        speak: Speak,
        alert: Callable[[str], Sequence[Part]],
        headline: Callable[[State, Gauges, datetime], str],
        committed: Callable[[], None],
        disk: Callable[[], tuple[int, int] | None] = lambda: None,
        put_off: Callable[[], tuple[PutOff, ...]] = lambda: (),
        now: Callable[[], datetime] = utc_now,
        chronicle: Chronicle | None = None,
    ) -> None:
        self.state = state
        self.gauges = Gauges()
        self._chronicle = chronicle or Chronicle(policy)
        self._store = store
        self._policy = policy
        self._step = step
        self._speak = speak
        self._alert = alert
        self._headline = headline
        self._committed = committed
        self._disk = disk
        self._put_off = put_off
        self._now = now
        self._last = datetime.min.replace(tzinfo=UTC)
        self._notes: asyncio.Queue[tuple[Note, asyncio.Future[bool]]] = asyncio.Queue()

    async def tell(self, note: Note) -> bool:
        """Hand `note` in and wait until it is saved. False: it was known before and changed nothing."""
        taken = asyncio.get_running_loop().create_future()
        self._notes.put_nowait((note, taken))
        return await taken

    async def run(self) -> None:
        """Take notes, one after the other, until cancelled."""
        while True:
            note, taken = await self._notes.get()
            saved = await self._take(note)
            if not taken.done():
                taken.set_result(saved)

    def now(self) -> datetime:
        """UTC, never earlier than it was, but for a jump that the core was told of."""
        self._last = max(self._last, self._now())
        return self._last

    async def _take(self, note: Note) -> bool:
        event = self._stamped(note.event)
        state, effects, alerts = self._decided(event)
        parts = self._worded(effects, alerts)
        line = self._chronicle.line(event)
        log.info("took", happened=type(event).__name__, now=self._headline(state, self.gauges, event.at))
        record = Record(
            at=event.at,
            state=state,
            parts=parts,
            owed=[one for one in effects if not isinstance(one, Post)],
            inbox=note.inbox,
            settles=note.settles,
            cursors=note.cursors,
            journal=line,
        )
        if not await self._store.ask(tables.record, record):
            log.info("known already", happened=type(event).__name__)
            return False
        self.state = state
        if line is not None:
            self._chronicle.add(line)
        self._committed()
        return True

    def _stamped(self, event: Event) -> Event:
        if isinstance(event, ClockJumped):
            self._last = self._now()
        if isinstance(event, Spoke | Heard | Ticked | ClockJumped):
            at = self.now()
            gauges = replace(
                self.gauges,
                journal=self._chronicle.lines(at),
                disk=self._disk(),
                put_off=self._put_off(),
            )
            return replace(event, at=at, gauges=gauges)
        return replace(event, at=self.now())

    def _decided(self, event: Event) -> tuple[State, tuple[Effect, ...], list[str]]:
        """A fault in the core must not stop the daemon, nor make it stumble over the same event for ever."""
        try:
            state, effects = self._step(self.state, event, self._policy)
        except Exception as error:
            log.exception("the core could not take an event", happened=type(event).__name__)
            failed = f"{type(event).__name__} 처리 실패 ({type(error).__name__})"
            told = f"내부 오류: {failed}. 상태는 그대로: 로그를 개발자에게 전달 필요"
            return self.state, (), [told]
        return state, effects, []

    def _worded(self, effects: Sequence[Effect], alerts: list[str]) -> list[Part]:
        parts: list[Part] = []
        for post in (one for one in effects if isinstance(one, Post)):
            try:
                parts += self._speak(post)
            except Refused as error:
                log.error("a message was refused", ref=post.message.ref, why=str(error))
                unsent = f"{post.message.kind} ({post.message.ref})"
                alerts.append(f"보내지 않은 메시지: {unsent}. 이유: {error}. 로그를 개발자에게 전달 필요")
        for told in alerts:
            parts += self._alert(told)
        return parts
