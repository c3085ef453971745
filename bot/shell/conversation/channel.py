"""What the shell needs of a chat channel, without a word about the client library behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.shell.deciding.lanes import Later
from bot.shell.remembering.rows import Part

CLOCK_SLACK = timedelta(minutes=5)
"""How far the service's clock may be from ours."""

SNOWFLAKE_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


class SendRefused(Exception):
    """The service will never take this message as it is. `str()` is one line."""


class HistoryClosed(Later):
    """What was said in the channel may not be read before somebody permits it."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came with a message. `read` fetches it; it raises Later."""

    name: str
    size_bytes: int
    read: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message in some channel. `mentions` are the ids that the service itself says are notified, `names`
    all that the author goes by.

    `plain` is an ordinary message or reply of the author's own: no webhook, no forward, no system message.
    """

    id: int
    channel_id: int
    author_id: int
    content: str
    at: datetime
    plain: bool = True
    mentions: frozenset[int] = frozenset()
    reply_to: int | None = None
    attachments: tuple[Attached, ...] = field(default=(), compare=False)
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody's reaction to a message."""

    message_id: int
    author_id: int
    emoji: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of ours as the service took it: its id, and whom it says it notified."""

    id: int
    notified: frozenset[int]


class Channel(Protocol):
    """Every method raises Later when the service cannot be reached now."""

    async def send(self, part: Part, files: Sequence[Path]) -> Sent:
        """Post it and the files with it, notifying its recipients and nobody else.

        Raises:
            SendRefused: it will never be taken as it is.
        """
        ...

    def letters_after(self, message_id: int) -> AsyncIterator[Letter]:
        """All messages younger than `message_id`, the oldest first.

        Raises:
            HistoryClosed: a permission is missing.
        """
        ...

    async def latest(self) -> tuple[Letter, ...]:
        """The last messages, the oldest first.

        Raises:
            SendRefused: not as it was asked for.
        """
        ...

    def silent_s(self) -> float:
        """For how long the service may not have told us what is said: 0 while it does, else at least so."""
        ...

    async def marks_on(self, message_id: int) -> tuple[Mark, ...]:
        """Who has put which of our two answers (✅, ❌) on this message."""
        ...


class Ears(Protocol):
    """Who is told what goes on. Nothing here waits, so the order of events is the order of calls."""

    def heard(self, letter: Letter) -> None: ...

    def reread(self, letter: Letter) -> None:
        """A message may have another text now, and so other mentions."""
        ...

    def saw(self, mark: Mark) -> None: ...

    def missed_some(self) -> None:
        """A new session began: something may have been said that nobody told us."""
        ...

    def caught_on(self) -> None:
        """The new session is ready."""
        ...


def id_at(moment: datetime) -> int:
    """The smallest id a message of `moment` can have: milliseconds since 2015 above 22 bits.

    https://discord.com/developers/docs/reference#snowflakes
    """
    return max(0, (moment - SNOWFLAKE_EPOCH) // timedelta(milliseconds=1)) << 22
