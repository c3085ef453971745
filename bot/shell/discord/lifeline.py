"""How long a session may be trusted and when the next may begin: decisions only, nothing here waits.

Discord resets a bot's token after 1,000 logins (IDENTIFY) a day, so every one is counted, durably, and each
session that logged in and came to nothing makes the pause before the next one longer. Where nobody could be
reached no login was spent: then we look again at least once a minute, however long the outage.
https://discord.com/developers/docs/events/gateway#identifying
"""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`ready_s`: how long Discord is given to name its guilds; `heartbeats`: so many may go unanswered;
    `silence_s`: so long a session may say nothing at all; `down_for_good_s`: so long the library may try to
    resume one, for its own pauses grow from outage to outage, up to 17 minutes, and nobody resets them.
    """

    ready_s: float = 2.0
    request_s: float = 30.0
    farewell_s: float = 2.0
    heartbeats: float = 2.5
    silence_s: float = 60.0
    down_for_good_s: float = 45.0
    storm: int = 20
    storm_s: float = 60.0
    identify_pause_s: float = 5.0
    identifies_a_session: int = 5
    identifies_a_day: int = 400
    steady_s: float = 120.0
    first_pause_s: float = 5.0
    unreached_pause_s: float = 45.0
    longest_pause_s: float = 900.0


class Lifeline:
    """Remembers how the sessions went. Moments and durations are of one monotonic clock, in seconds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures = 0
        self._unreached = 0
        self.identifies_today = 0

    def pause_s(self, up_s: float, *, logged_in: bool) -> float:
        """A session ended that was up for so long: how long to wait before the next."""
        if logged_in:
            self._unreached = 0
            self._failures = 1 if up_s > self._limits.steady_s else self._failures + 1
        else:
            self._unreached += 1
        if self.identifies_today >= self._limits.identifies_a_day:
            return self._limits.longest_pause_s
        if logged_in:
            return self._grown_s(self._failures, self._limits.longest_pause_s)
        return self._grown_s(self._unreached, self._limits.unreached_pause_s)

    def may_identify(self, already: int) -> bool:
        """A session that has logged in `already` times may do so once more; the first is always free."""
        worn = self.identifies_today >= self._limits.identifies_a_day
        return already == 0 or not (worn or already >= self._limits.identifies_a_session)

    def _grown_s(self, times: int, longest_s: float) -> float:
        return min(longest_s, self._limits.first_pause_s * 2.0 ** min(times - 1, 16))


class Storms:
    """Disconnects that come faster than reconnecting can help."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._moments: deque[float] = deque(maxlen=limits.storm)

    def struck(self, moment: float) -> bool:
        """One more disconnect. Is it a storm by now?"""
        self._moments.append(moment)
        full = len(self._moments) == self._limits.storm
        return full and moment - self._moments[0] < self._limits.storm_s


def unanswered(ack_age_s: float, interval_s: float, limits: Limits) -> bool:
    """Has nobody answered our heartbeats for too long, whatever else still arrives?"""
    return ack_age_s > limits.heartbeats * interval_s
