"""Is a process alive? For those who look from outside: `training-claw status`, the window, a REPORT.

Nothing is decided by it: what becomes of a process that has fallen silent is the business of the stall track.
"""

from datetime import datetime
from typing import Literal

from bot.core.events import Witness
from bot.core.policy import Policy
from protocol.progress import Stepped

type Verdict = Literal["alive", "dead", "stalled", "unknown"]

BUSY = 2.0
"""So many times as long a process is waited for whose GPU is at work: a kernel that never ends works, too."""


def verdict(
    held: bool | None, silent_s: float, promised_s: float, policy: Policy, gpu: Witness = "unknown"
) -> Verdict:
    """What is to be believed of a process that was heard of `silent_s` ago and had promised `promised_s`.

    `held`: its lock, None if nobody can tell. Unknown is never taken for dead: what may be alive must not be
    started a second time.
    """
    if held is None:
        return "unknown"
    if not held:
        return "dead"
    patience_s = policy.patience_s(promised_s) * (BUSY if gpu == "busy" else 1.0)
    return "stalled" if silent_s > patience_s else "alive"


def is_stale(stepped: Stepped, at: datetime, policy: Policy) -> bool:
    """Is the newest step so old that a report on it would look more alive than the trainer?"""
    silent_s = (at - stepped.at).total_seconds()
    return verdict(True, silent_s, stepped.next_within_s, policy) == "stalled"
