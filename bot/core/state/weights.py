"""What does a fresh run start from?"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bot.core.state.known import Known


class OwnWeights(Known):
    """ImageNet's or none, as the config says; nothing was asked of the bucket."""

    phase: Literal["own"] = "own"


class FetchingWeights(Known):
    """`path` is a checkpoint's in the bucket."""

    phase: Literal["fetching"] = "fetching"
    path: str
    since: AwareDatetime


class WeightsHere(Known):
    phase: Literal["here"] = "here"
    path: str


class WeightsMissing(Known):
    """Watcher was told. A retry asks again, another path in the config is asked for at once."""

    phase: Literal["missing"] = "missing"
    path: str
    why: str
    since: AwareDatetime


Weights = Annotated[OwnWeights | FetchingWeights | WeightsHere | WeightsMissing, Field(discriminator="phase")]
