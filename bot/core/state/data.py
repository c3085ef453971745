"""Is there something fit to train on?"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bot.core.state.known import Known
from protocol.job import Problem
from protocol.messages import BlockCause
from protocol.training import TrainingConfig


class Awaited(Known):
    """Watcher may have `announced` how many episodes there will be."""

    phase: Literal["awaited"] = "awaited"
    since: AwareDatetime
    announced: int | None = None


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


class Arriving(Known):
    """Of a simulator's episodes all but the videos is here, so a check has something to begin with.

    `coming_bytes` are those of the videos that are still to come.
    """

    phase: Literal["arriving"] = "arriving"
    source: str
    announced: int | None
    coming_bytes: int
    since: AwareDatetime


class CheckingAhead(Known):
    """The check looks at each video as it lands. Its verdict waits until all is here."""

    phase: Literal["checking_ahead"] = "checking_ahead"
    source: str
    announced: int | None
    attempt: int
    config: TrainingConfig
    since: AwareDatetime


class Abandoning(Known):
    """The rest will not come. The check that has begun was asked to leave; then Watcher is told why."""

    phase: Literal["abandoning"] = "abandoning"
    source: str
    announced: int | None
    attempt: int
    cause: BlockCause
    problem: str
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
    """Watcher was told `why`. Another HANDOFF or a retry begins anew."""

    phase: Literal["refused"] = "refused"
    source: str
    announced: int | None
    since: AwareDatetime
    why: tuple[str, ...] = ()


Data = Annotated[
    Awaited
    | Named
    | Fetching
    | Arriving
    | CheckingAhead
    | Abandoning
    | Fetched
    | Checking
    | Converting
    | Admitted
    | Refused,
    Field(discriminator="phase"),
]
