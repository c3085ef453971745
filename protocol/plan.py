"""PLAN.md, Watcher's own word on the config: fenced YAML blocks with the card's sections."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from protocol.training import TrainingConfig


class Plan(BaseModel):
    """`overrides` maps `section.field` to the value PLAN.md gives it; `config` is the defaults with them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overrides: dict[str, Any]
    config: TrainingConfig


class PlanBroken(ValueError):
    """Everything that is wrong with it, each error one line with its place."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors
