"""What learns: LeRobot's policy, its optimizer and the processors that go with them."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.processor import PolicyProcessorPipeline
from torch import Tensor

from protocol.training import TrainingConfig
from trainer.learning import speedups
from trainer.learning.act import Stats, blank_policy, fresh_policy, processors, with_image_stats
from trainer.learning.optimizer import adamw
from trainer.learning.recipe import STOCK, Recipe
from trainer.learning.variety import Transform, as_it_is, variety

type Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Learner:
    """What learns, and what belongs beside it to be of use.

    `action_weights` (A,): how often each counts. `frozen` (): 1 once a gradient was not finite, else 0; from
    then on the optimizer leaves everything as it is, without anybody having to wait for the device. `varied`
    is what pictures go through before it learns from them.
    """

    policy: ACTPolicy
    optimizer: torch.optim.AdamW
    stats: Stats
    preprocessor: PolicyProcessorPipeline[Any, Any]
    postprocessor: PolicyProcessorPipeline[Any, Any]
    action_weights: Tensor
    frozen: Tensor
    varied: Transform = as_it_is
    recipe: Recipe = STOCK

    def by(self, recipe: Recipe) -> "Learner":
        """The same, and it learns by `recipe` from now on. Its weights must be those it will learn from."""
        speedups.apply(self.policy, recipe)
        return replace(self, recipe=recipe)


def build(
    config: TrainingConfig, stats: Stats, device: torch.device, *, fresh: bool, stock: bool = False
) -> Learner:
    """What is to learn: new from the config's seed, or (not `fresh`) with weights that are yet to be loaded.

    `stock` leaves memory layout and optimizer as lerobot-train has them.

    Raises:
        JobError: no_weights, see `fresh_policy`.
    """
    policy = (fresh_policy if fresh else blank_policy)(config, device.type).train()
    if not stock:
        policy.model.backbone.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    with_images = with_image_stats(stats, config.dataset.camera_names)
    before, after = processors(policy.config, with_images)
    weights = torch.tensor(config.action_weights, device=device)
    optimizer = adamw(policy, config.training, fused=None if stock else True)
    frozen = torch.zeros((), dtype=torch.float32, device=device)
    if not stock:
        optimizer.found_inf = frozen  # pyright: ignore[reportAttributeAccessIssue]  # as GradScaler tells it
    return Learner(policy, optimizer, with_images, before, after, weights, frozen, variety(config.dataset))
