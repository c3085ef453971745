"""The rows of the store that travel through the shell."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from bot.core.effects import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One Discord message of ours, to be. A long message has several; `part` counts from 1."""

    ref: str
    part: int
    parts: int
    kind: str
    recipients: tuple[int, ...]
    content: str
    correction: int = 0
    show: tuple[str, ...] = ()
    run: str | None = None

    @property
    def nonce(self) -> str:
        """The same for every try of the same part, so Discord makes one message of them (25 chars)."""
        name = f"{self.ref}/{self.part}/{self.correction}"
        return hashlib.sha256(name.encode()).hexdigest()[:25]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedPart:
    """A part that waits to be sent; `tries` counts the times it may have been.

    `met_as` is the Discord id of the message it seems to have become.
    """

    seq: int
    part: Part
    tries: int
    created_at: datetime
    met_as: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """An order that did not work, why in one line, and when it is tried again."""

    effect: Effect
    why: str
    again_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEntry:
    """What was heard, by an id that makes a second hearing recognisable."""

    heard_id: str
    author: int
    decision: str = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """What happened, in a sentence for people."""

    at: datetime
    event: str
    headline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Since when the oldest owed message waits, and the oldest upload. None: nothing waits."""

    message_since: datetime | None
    upload_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How much is still owed."""

    parts: int
    effects: int
    parked: int
