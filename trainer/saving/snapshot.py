"""A training as it was between two steps: copies that lie still while the training goes on.

Making one is all that a save costs the step loop. On a GPU the copies stay there, where they take a
thousandth of a second, and come to main memory when they are written.
"""

from dataclasses import dataclass
from typing import Any, Self

import torch
from lerobot.utils.random_utils import serialize_rng_state
from torch import Tensor

from trainer.learning.history import TrainerState
from trainer.learning.learner import Learner, Weights

UNSET_FLAGS = {"fused": None, "foreach": None, "capturable": False}
"""Stock LeRobot can load an optimizer state only where these are as AdamW's defaults have them."""


@dataclass(frozen=True)
class ModelCopy:
    """What can be used: the weights, and where the training stood."""

    state: TrainerState
    weights: Weights

    @property
    def num_bytes(self) -> int:
        return bytes_of(self.weights)

    @classmethod
    def of(cls, learner: Learner, state: TrainerState, over: Self | None = None) -> Self:
        """What was copied to `over` before is overwritten: fresh memory takes longer than the copying."""
        return cls(state, copied(learner.policy.state_dict(), over.weights if over else None))


@dataclass(frozen=True)
class TrainingCopy:
    """What can be gone on from: the model, the optimizer's state and that of every source of randomness."""

    model: ModelCopy
    optimizer: dict[str, Any]
    random: dict[str, Tensor]

    @property
    def state(self) -> TrainerState:
        return self.model.state

    @property
    def num_bytes(self) -> int:
        return self.model.num_bytes + sum(bytes_of(moments) for moments in self.optimizer["state"].values())

    @classmethod
    def of(cls, learner: Learner, state: TrainerState) -> Self:
        return cls(ModelCopy.of(learner, state), optimizer_state(learner.optimizer), serialize_rng_state())


def copied(tensors: Weights, over: Weights | None = None) -> Weights:
    """The tensors, laid out as they are: the same bytes in the same order are copied fastest."""
    if over is not None:
        return {name: over[name].copy_(tensor) for name, tensor in tensors.items()}
    home = _with_room(tensors)
    return {name: tensor.detach().to(home, copy=True) for name, tensor in tensors.items()}


def bytes_of(tensors: Weights) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


def _with_room(tensors: Weights) -> torch.device:
    """Where they are, unless that is a GPU with little room left: the training's own needs come first."""
    device = next((tensor.device for tensor in tensors.values()), torch.device("cpu"))
    if device.type == "cuda" and torch.cuda.mem_get_info(device)[0] < 4 * bytes_of(tensors):
        return torch.device("cpu")
    return device


def on_file(tensors: Weights) -> Weights:
    """The tensors as a file wants them: contiguous, in main memory; in another thread than copied them."""
    if any(tensor.is_cuda for tensor in tensors.values()):
        torch.cuda.current_stream().wait_stream(torch.cuda.default_stream())  # where they were copied
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """A copy of the optimizer's state such that stock LeRobot loads it, wherever and however it runs here.

    Fused and channels_last states break LeRobot's own saving: flags must be unset, tensors contiguous (which
    `on_file` makes them).
    """
    state = optimizer.state_dict()
    return {
        "state": {number: copied(moments) for number, moments in state["state"].items()},
        "param_groups": [
            {**group, "lr": float(group["lr"]), **UNSET_FLAGS} for group in state["param_groups"]
        ],
    }
