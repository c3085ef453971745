"""How a step's maths is carried out: the same learning, in other rounding, at another speed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Recipe(BaseModel):
    """The defaults are stock LeRobot's way. `device` is the one this was chosen for, as people call it.

    A run keeps its recipe over resumes on the same device, or its bits would change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = ""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    attention: Literal["stock", "sdpa", "plain"] = "stock"
    dropout: Literal["stock", "bits"] = "stock"
    convolution: Literal["stock", "product"] = "stock"
    norm: Literal["stock", "folded", "fused"] = "stock"
    positions: Literal["stock", "cached"] = "stock"
    clipping: Literal["stock", "fused"] = "stock"
    kernels: Literal["eager", "compiled"] = "eager"
    launch: Literal["eager", "graph"] = "eager"

    def but(self, **changes: str) -> "Recipe":
        return Recipe.model_validate(self.model_dump() | changes)

    @property
    def choices(self) -> dict[str, str]:
        return self.model_dump(exclude={"device"})


STOCK = Recipe()
