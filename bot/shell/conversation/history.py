"""History before speaking: as of when we know what was said in the channel.

While the session lives and its beginning was caught up with, we know everything as it is said. Otherwise what
we know grows old, and after a minute it is read anew before anything is said.
"""

import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.core.channel import sightings
from bot.core.events import Sighted
from bot.core.policy import Policy
from bot.shell.conversation.channel import Channel, Letter, SendRefused
from bot.shell.deciding.desk import STAMPED, Desk, Note, utc_now
from bot.shell.deciding.lanes import Later

FRESH = timedelta(minutes=1)

type Look = Callable[[Letter], Awaitable[None]]


class History:
    """`look` is shown every message of the channel, the same one perhaps twice.

    `sessions` counts those that began; what was said before the last one has to be caught up with.
    """

    def __init__(self, look: Look, *, now: Callable[[], datetime] = utc_now) -> None:
        self.look = look
        self._now = now
        self.sessions = 0
        self._known_at: datetime | None = None
        self._caught_up_with = 0

    def missed_some(self) -> None:
        self.sessions += 1

    def caught_up(self, session: int) -> None:
        """All that was said until this session began, and is said since, was looked at."""
        self._caught_up_with = session

    def known_at(self, channel: Channel) -> datetime | None:
        """Everything said until then is known; None: nothing was read yet."""
        silent_s = channel.silent_s()
        if 0 < self.sessions == self._caught_up_with and math.isfinite(silent_s):
            self._know(self._now() - timedelta(seconds=silent_s))
        return self._known_at

    async def before_speaking(self, channel: Channel) -> datetime:
        """What `known_at` says, once that is fresh enough to speak.

        Raises:
            Later: it is not, and cannot be read.
        """
        known_at = self.known_at(channel)
        if known_at is not None and self._now() - known_at <= FRESH:
            return known_at
        began = self._now()
        try:
            letters = await channel.latest()
        except SendRefused as error:
            raise Later(str(error)) from error
        for letter in letters:
            await self.look(letter)
        return self._know(began)

    def _know(self, at: datetime) -> datetime:
        self._known_at = max(at, self._known_at or at)
        return self._known_at


def lookout(desk: Desk, policy: Policy, channel_id: int) -> Look:
    """Compares every message of the channel with the roster."""

    async def look(letter: Letter) -> None:
        if letter.channel_id != channel_id:
            return
        seen = sightings.Seen(
            author=letter.author_id, names=letter.names, text=letter.content, message_id=letter.id
        )
        if fresh := sightings.news(desk.state, sightings.contradictions(seen, policy)):
            await desk.tell(Note(event=Sighted(at=STAMPED, sightings=fresh)))

    return look
