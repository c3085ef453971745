"""What did a machine that was lost leave of this cycle?"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bot.core.state.known import Known


class NothingLeft(Known):
    phase: Literal["nothing"] = "nothing"


class LeftBehind(Known):
    """The newest checkpoint of this cycle in the bucket is of a run that is not known here."""

    phase: Literal["behind"] = "behind"
    run: str
    epoch: int
    certificate: str
    config: str


class Bringing(Known):
    phase: Literal["bringing"] = "bringing"
    run: str
    epoch: int
    since: AwareDatetime


class Here(Known):
    """Our run goes on from that run's checkpoint after `epoch` epochs."""

    phase: Literal["here"] = "here"
    run: str
    epoch: int


Left = Annotated[NothingLeft | LeftBehind | Bringing | Here, Field(discriminator="phase")]
