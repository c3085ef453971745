"""Is it learning?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bot.core.state.known import Known
from protocol.job import Trained
from protocol.messages import BlockCause, Insight
from protocol.training import TrainingConfig


class Unstarted(Known):
    phase: Literal["unstarted"] = "unstarted"


class Starting(Known):
    """The process was ordered; it has not said anything yet. The one before had finished `reached` epochs.
    `spared` as in Training."""

    phase: Literal["starting"] = "starting"
    attempt: int
    tries: int
    config: TrainingConfig
    reached: int
    since: AwareDatetime
    spared: AwareDatetime | None = None


class Training(Known):
    """`tries` counts attempts since the last progress; `epoch` counts finished epochs. `spared` is when the
    word was said after which a silence was let pass once, because the GPU was at work."""

    phase: Literal["training"] = "training"
    attempt: int
    tries: int
    config: TrainingConfig
    epoch: int
    first_loss: float | None
    last_loss: float | None
    since: AwareDatetime
    spared: AwareDatetime | None = None


class Stalled(Known):
    """It is silent beyond its promise, since `heard_at`; it was asked to save and leave."""

    phase: Literal["stalled"] = "stalled"
    attempt: int
    tries: int
    config: TrainingConfig
    reached: int
    heard_at: AwareDatetime
    since: AwareDatetime


class Stopping(Known):
    """SIGTERM was ordered. `by` says on whose word; `asker` is the operator who waits to hear of it."""

    phase: Literal["stopping"] = "stopping"
    attempt: int
    config: TrainingConfig
    epoch: int
    by: str
    since: AwareDatetime
    asker: int | None = None


class Cooling(Known):
    """It crashed, with `reached` epochs finished; `attempt` was the last. It goes on at `until`."""

    phase: Literal["cooling"] = "cooling"
    attempt: int
    tries: int
    config: TrainingConfig
    reached: int
    until: AwareDatetime


class Held(Known):
    """It will not go on by itself."""

    phase: Literal["held"] = "held"
    cause: BlockCause | Literal["operator"]
    why: str
    config: TrainingConfig
    since: AwareDatetime


class Ended(Known):
    phase: Literal["ended"] = "ended"
    config: TrainingConfig
    outcome: Trained
    since: AwareDatetime


class Untold(Known):
    """Insights that go out in one message, and the files of the run that go with it; the first was found at
    `since`."""

    since: AwareDatetime
    insights: tuple[Insight, ...] = ()
    pictures: tuple[str, ...] = ()


Run = Annotated[
    Unstarted | Starting | Training | Stalled | Stopping | Cooling | Held | Ended,
    Field(discriminator="phase"),
]


def is_under_way(run: Run) -> bool:
    """Has its config begun to be learned by, so that another one comes too late for it?"""
    return not isinstance(run, Unstarted | Held)


def is_spared(run: Run, heard_at: datetime) -> bool:
    """Is its silence since then one that was let pass?"""
    return isinstance(run, Starting | Training) and run.spared is not None and run.spared >= heard_at
