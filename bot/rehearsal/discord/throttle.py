"""Discord's rate buckets as a client meets them: headers on every answer, 429 beyond them.

https://discord.com/developers/docs/topics/rate-limits
"""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Window:
    """So many requests since the first of them, at `began` (seconds since the epoch)."""

    began: float
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """`retry_after_s` is 0 for a request that is let through."""

    headers: dict[str, str]
    retry_after_s: float = 0.0


@dataclass(slots=True)
class Throttle:
    """`limit` requests within `window_s`, a bucket a key. Discord's for messages: 5 in 5 s of one channel."""

    limit: int = 5
    window_s: float = 5.0
    now: Callable[[], float] = time.time
    refused: int = 0
    _windows: dict[str, _Window] = field(default_factory=dict[str, _Window])

    def take(self, key: str) -> Grant:
        """One more request of this bucket: let through, or refused until its window is over."""
        moment = self.now()
        window = self._windows.get(key)
        if window is None or moment - window.began >= self.window_s:
            window = self._windows[key] = _Window(moment)
        reset_after_s = self.window_s - (moment - window.began)
        if window.taken >= self.limit:
            self.refused += 1
            return Grant(self._headers(key, window, reset_after_s), retry_after_s=reset_after_s)
        window.taken += 1
        return Grant(self._headers(key, window, reset_after_s))

    def _headers(self, key: str, window: _Window, reset_after_s: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - window.taken),
            "X-RateLimit-Reset": f"{window.began + self.window_s:.3f}",
            "X-RateLimit-Reset-After": f"{reset_after_s:.3f}",
            "X-RateLimit-Bucket": f"{zlib.crc32(key.encode()):08x}",
        }
