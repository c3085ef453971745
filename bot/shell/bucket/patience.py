"""How long we go on asking: retries with full jitter, counted since the last progress.

What is retried and what is not: https://cloud.google.com/storage/docs/retry-strategy
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from bot.shell.bucket.errors import StoreError, Unavailable
from bot.shell.bucket.refusals import explain, one_line

PASSING_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
PASSING_ERRORS = (
    aiohttp.ClientConnectionError,
    aiohttp.ClientPayloadError,
    TimeoutError,
    ConnectionError,
    json.JSONDecodeError,  # an answer cut short
)


@dataclass(frozen=True, slots=True)
class Policy:
    """`attempts` failures in a row, or `idle_s` seconds, without one new byte: then we give up."""

    base_s: float = 1.0
    cap_s: float = 32.0
    attempts: int = 12
    idle_s: float = 600.0

    def delay_s(self, failures: int, retry_after: str = "") -> float:
        """Seconds before the next try; the server's own whole number of seconds goes first."""
        if retry_after.isdigit():
            return min(float(retry_after), self.cap_s)
        return random.uniform(0, min(self.cap_s, self.base_s * 2 ** (failures - 1)))  # noqa: S311 - jitter


class Patience:
    """What is left of a policy for one transfer. `progressed` counts what has been achieved so far."""

    def __init__(self, policy: Policy, progressed: Callable[[], int]) -> None:
        self._policy = policy
        self._progressed = progressed
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._reached, self._failures, self._since = self._progressed(), 0, time.monotonic()

    async def outwait(self, what: str, trouble: Exception) -> None:
        """Waits before the next try. Raises Unavailable when there is to be none."""
        if self._progressed() > self._reached:
            self._begin_anew()
        self._failures += 1
        idle_s = time.monotonic() - self._since
        if self._failures >= self._policy.attempts or idle_s > self._policy.idle_s:
            raise Unavailable(
                f"{what}: given up after {self._failures} tries ({one_line(trouble)}); try again later"
            ) from trouble
        await asyncio.sleep(self._policy.delay_s(self._failures, _retry_after(trouble)))


async def persist[T](
    what: str,
    attempt: Callable[[], Awaitable[T]],
    policy: Policy,
    *,
    progressed: Callable[[], int] = lambda: 0,
    renew: Callable[[], None] = lambda: None,
) -> T:
    """`attempt()` again and again while its failures are passing ones.

    `renew` is called once when our credentials are refused (401), before they are tried once more.

    Raises:
        Unavailable: patience ran out.
        StoreError: a refusal that no repetition cures.
    """
    patience, renewed = Patience(policy, progressed), False
    while True:
        try:
            return await attempt()
        except StoreError:
            raise
        except aiohttp.ClientResponseError as error:
            if error.status == 401 and not renewed:
                renewed = True
                renew()
            elif error.status not in PASSING_STATUSES:
                raise explain(what, error) from error
            await patience.outwait(what, error)
        except PASSING_ERRORS as error:
            await patience.outwait(what, error)


def _retry_after(trouble: Exception) -> str:
    headers = trouble.headers if isinstance(trouble, aiohttp.ClientResponseError) else None
    return headers.get("Retry-After", "") if headers else ""
