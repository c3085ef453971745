"""Whom we may speak to, and in whose clock."""

from functools import cached_property
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator

from protocol.roster import Roster


class Voice(BaseModel):
    """`operators` are the Discord ids of people; `timezone` is a name of the IANA database."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roster: Roster = Roster()
    operators: tuple[int, ...] = ()
    timezone: str = "Asia/Seoul"

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, LookupError) as wrong:
            raise ValueError(f"{name!r} is not a time zone; write one like Asia/Seoul") from wrong
        return name

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


CARD_VOICE = Voice()
