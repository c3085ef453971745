"""Short cuts through LeRobot's ACT: the same function, weights and names of weights, in fewer passes.

Each replaces the `forward` of some modules of one policy; `apply` first takes back what was replaced before.
In float64 and without dropout, loss and gradients are those of the stock policy to 1e-13.
"""

import torch
from lerobot.policies.act.modeling_act import ACTPolicy, ACTSinusoidalPositionEmbedding2d
from torch import Tensor

from trainer.learning.attention import replace_attention
from trainer.learning.convolutions import replace_convolutions
from trainer.learning.recipe import Recipe
from trainer.learning.replacing import Forward, replace, restore


def apply(policy: ACTPolicy, recipe: Recipe) -> None:
    """Have `policy` go by `recipe`. Needed again after other weights were loaded: norms are taken as is."""
    restore(policy)
    replace_attention(policy, recipe)
    replace_convolutions(policy.model.backbone, recipe)
    if recipe.positions == "cached":
        _remember_positions(policy)


def _remember_positions(policy: ACTPolicy) -> None:
    """The picture's positions are the same in every step: some twenty small kernels each time, saved."""
    for module in policy.modules():
        if isinstance(module, ACTSinusoidalPositionEmbedding2d):
            replace(module, _remembered(module.forward))


def _remembered(stock: Forward) -> Forward:
    known: dict[tuple[torch.Size, torch.device], Tensor] = {}

    def forward(features: Tensor) -> Tensor:
        key = features.shape[-2:], features.device
        if key not in known:
            with torch.no_grad():
                known[key] = stock(features[:1].float())
        return known[key]

    return forward
