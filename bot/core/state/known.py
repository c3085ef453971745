"""What all of the state is made of."""

from pydantic import BaseModel, ConfigDict


class Known(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
