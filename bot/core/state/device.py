"""Is there something to learn on?"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bot.core.state.known import Known


class Unproven(Known):
    phase: Literal["unproven"] = "unproven"


class Probing(Known):
    phase: Literal["probing"] = "probing"
    attempt: int
    tries: int
    since: AwareDatetime


class Proven(Known):
    phase: Literal["proven"] = "proven"
    name: str


class Absent(Known):
    """Watcher was told. A retry probes again."""

    phase: Literal["absent"] = "absent"
    why: str
    since: AwareDatetime


Device = Annotated[Unproven | Probing | Proven | Absent, Field(discriminator="phase")]
