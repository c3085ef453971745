"""What the core may take for granted: settings that do not change while the daemon lives."""

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from bot.core.preapproved import Preapproved
from protocol import Voice
from protocol.roster import Roster
from protocol.training import TrainingConfig

KEEP = 3
"""So many checkpoints of a cycle stay beside the best: the card's."""


class Policy(BaseModel):
    """Times in seconds. `bucket` is the configured URL without a trailing slash, `gs://…` or `file:///…`."""

    model_config = ConfigDict(frozen=True)

    roster: Roster = Roster()
    operators: tuple[int, ...] = ()
    timezone: str = "Asia/Seoul"
    bucket: str = "gs://ralphton-handoff"
    device: Literal["cuda", "cpu"] = "cuda"
    defaults: TrainingConfig = TrainingConfig()
    report_every_s: float = 1800
    approval: Literal["explicit", "notice"] = "explicit"
    notice_grace_s: float = 600
    operators_may_approve: bool = False
    auto_approve: tuple[Preapproved, ...] = ()
    translator: bool = False
    remind_operators_after_s: float = 7200
    max_attempts: int = 3
    backoff_s: float = 30
    keep_checkpoints: int = KEEP
    quiet_s: float = 2.5
    answers_a_minute: int = 20
    stall_patience: float = 2.0
    stall_floor_s: float = 300

    def voice(self) -> Voice:
        """Who speaks, to whom, and in which time zone."""
        return Voice(roster=self.roster, operators=self.operators, timezone=self.timezone)

    def zone(self) -> ZoneInfo:
        """In which people are told the time."""
        return ZoneInfo(self.timezone)

    def patience_s(self, promised_s: float) -> float:
        """How long a job may be silent that promised its next word within `promised_s`."""
        return max(self.stall_floor_s, self.stall_patience * promised_s)

    def pause_s(self, attempt: int) -> float:
        """How long to wait before the attempt after `attempt`, which crashed (1, 2, …)."""
        return self.backoff_s * 2.0 ** (attempt - 1)
