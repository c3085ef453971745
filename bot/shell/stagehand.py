"""What a rehearsal may do to the daemon from outside: put its clock wrong, and end it at a named point.

A folder holds the orders, and only a daemon on an embedded Discord has one (REHEARSAL_DIR):

    clock      seconds by which the clock is to be wrong
    die-at     names of points, one a line: at the first that is reached it is struck off, then SIGKILL
    died-at    which it was, one line a death, written by the daemon
    trainer    the module to start in the trainer's stead
    gcs        where a stand-in for Google Cloud Storage listens

Points are an order's `publish_best before`, `… during`, `… done` (and not yet noted), and a state's phase,
saved: `run training`. In production there is no folder, and everything here leaves things as they are.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

from bot.core.effects import Effect
from bot.core.events import (
    BestLost,
    BestPublished,
    BroughtBack,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
    CheckpointVerified,
    CurvePublished,
    DataFetched,
    Event,
    FetchFailed,
    HandedOn,
    TermsRead,
    TermsUnreadable,
)
from bot.core.policy import Policy
from bot.core.state import State
from bot.shell.bucket import ObjectStore
from bot.shell.conversation.channel import Channel, Sent
from bot.shell.deciding.desk import Step, utc_now
from bot.shell.deciding.lanes import Carry
from bot.shell.remembering.rows import Part
from bot.shell.supervising.launch import Launcher, Process

DURING_S = 0.01
"""So long an order has been under way when it is to be interrupted."""

NEWS_OF: dict[type[Event], str] = {
    TermsRead: "read_terms",
    TermsUnreadable: "read_terms",
    DataFetched: "fetch_data",
    FetchFailed: "fetch_data",
    BroughtBack: "bring_back",
    CheckpointPublished: "publish_checkpoint",
    CheckpointLost: "publish_checkpoint",
    BestPublished: "publish_best",
    BestLost: "publish_best",
    CurvePublished: "publish_curve",
    CheckpointForgotten: "forget_checkpoint",
    CheckpointVerified: "verify_checkpoint",
    HandedOn: "hand_on",
}
"""The event that tells of an order's end."""


@dataclass(frozen=True, slots=True)
class Orders:
    """The folder, seen from both sides."""

    folder: Path

    @property
    def clock(self) -> Path:
        return self.folder / "clock"

    @property
    def die_at(self) -> Path:
        return self.folder / "die-at"

    @property
    def died_at(self) -> Path:
        return self.folder / "died-at"

    @property
    def trainer(self) -> Path:
        return self.folder / "trainer"

    @property
    def gcs(self) -> Path:
        return self.folder / "gcs"

    def offset(self) -> timedelta:
        try:
            return timedelta(seconds=float(self.clock.read_text()))
        except (OSError, ValueError):
            return timedelta()

    def deadly(self) -> frozenset[str]:
        try:
            return frozenset(self.die_at.read_text().splitlines())
        except OSError:
            return frozenset()


class Stagehand:
    def __init__(self, folder: Path | None) -> None:
        self._orders = Orders(folder) if folder else None

    def wall(self) -> datetime:
        """What the daemon takes for the time, UTC."""
        return utc_now() + self._orders.offset() if self._orders else utc_now()

    def launcher(self, ordinary: Launcher) -> Launcher:
        """Somebody else may play the trainer."""
        module = _read(self._orders.trainer) if self._orders else ""
        return Process((sys.executable, "-m", module)) if module else ordinary

    def opening(self, ordinary: Callable[..., ObjectStore]) -> Callable[[str], ObjectStore]:
        """Somebody else may play Google Cloud Storage."""
        address = _read(self._orders.gcs) if self._orders else ""
        return partial(ordinary, emulator=address) if address else ordinary

    def at_rest(self, state: State) -> None:
        """`state` has just been saved."""
        if self._orders:
            for point in phases(state):
                self.passes(point)

    def stepping(self, step: Step) -> Step:
        """An order is done, and nobody has noted it yet."""

        def passing(state: State, event: Event, policy: Policy) -> tuple[State, tuple[Effect, ...]]:
            if type(event) in NEWS_OF:
                self.passes(f"{NEWS_OF[type(event)]} done")
            return step(state, event, policy)

        return passing if self._orders else step

    def carrying(self, carry: Carry) -> Carry:
        async def passing(order: Effect) -> None:
            self.passes(f"{order.kind} before")
            self.passes_soon(f"{order.kind} during")
            await carry(order)
            if order.kind not in NEWS_OF.values():
                self.passes(f"{order.kind} done")

        return passing if self._orders else carry

    def speaking(self, channel: Channel) -> Channel:
        return cast("Channel", _Interrupted(channel, self)) if self._orders else channel

    def passes(self, point: str) -> None:
        """Here the daemon ends, if it is to end here."""
        if self._orders and point in self._orders.deadly():
            left = self._orders.deadly() - {point}
            self._orders.die_at.write_text("".join(f"{one}\n" for one in sorted(left)), encoding="utf-8")
            with self._orders.died_at.open("a", encoding="utf-8") as died_at:
                died_at.write(f"{point}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    def passes_soon(self, point: str) -> None:
        if self._orders and point in self._orders.deadly():
            asyncio.get_running_loop().call_later(DURING_S, self.passes, point)


def _read(order: Path) -> str:
    try:
        return order.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def phases(state: State) -> tuple[str, ...]:
    """
    >>> phases(State())
    ('cycle none',)
    """
    cycle = state.cycle
    if cycle is None:
        return ("cycle none",)
    tracks = {
        "device": cycle.device,
        "data": cycle.data,
        "terms": cycle.terms,
        "left": cycle.left,
        "run": cycle.run,
    }
    return tuple(f"{track} {known.phase}" for track, known in tracks.items())


class _Interrupted:
    """A channel in which what we say may be our last words; in everything else it is that channel."""

    def __init__(self, channel: Channel, hand: Stagehand) -> None:
        self._channel = channel
        self._hand = hand

    async def send(self, part: Part, files: Sequence[Path]) -> Sent:
        self._hand.passes("post before")
        self._hand.passes_soon("post during")
        sent = await self._channel.send(part, files)
        self._hand.passes("post done")
        return sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)
