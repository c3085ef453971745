"""Is there something fit to train on?"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bot.core.state.known import Known
from protocol.job import Problem
from protocol.training import TrainingConfig


class Awaited(Known):
    phase: Literal["awaited"] = "awaited"
    since: AwareDatetime


class Named(Known):
    """Somebody said where it lies. It is fetched once the device is proven."""

    phase: Literal["named"] = "named"
    source: str
    announced: int | None
    since: AwareDatetime


class Fetching(Known):
    """`announced` is the number of episodes the HANDOFF spoke of."""

    phase: Literal["fetching"] = "fetching"
    source: str
    announced: int | None
    since: AwareDatetime


class Fetched(Known):
    phase: Literal["fetched"] = "fetched"
    source: str
    announced: int | None
    since: AwareDatetime


class Checking(Known):
    """`config` is what the check looks for; its data rule must still hold when training starts."""

    phase: Literal["checking"] = "checking"
    source: str
    announced: int | None
    attempt: int
    tries: int
    config: TrainingConfig
    since: AwareDatetime


class Converting(Known):
    """`checked_by` is the attempt that admitted it."""

    phase: Literal["converting"] = "converting"
    source: str
    announced: int | None
    attempt: int
    tries: int
    checked_by: int = 0
    config: TrainingConfig
    certificate: str
    warnings: tuple[Problem, ...]
    since: AwareDatetime


class Admitted(Known):
    """`episodes` and `frames` are what remains after exclusions and cuts."""

    phase: Literal["admitted"] = "admitted"
    source: str
    announced: int | None
    config: TrainingConfig
    certificate: str
    episodes: int
    frames: int
    warnings: tuple[Problem, ...]


class Refused(Known):
    """Watcher was told. Another HANDOFF or a retry begins anew."""

    phase: Literal["refused"] = "refused"
    source: str
    announced: int | None
    since: AwareDatetime


Data = Annotated[
    Awaited | Named | Fetching | Fetched | Checking | Converting | Admitted | Refused,
    Field(discriminator="phase"),
]
