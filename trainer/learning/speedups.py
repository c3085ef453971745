"""Exact short cuts through LeRobot's ACT: the same function, weights and names of weights, in fewer passes.

Each replaces the `forward` of some modules of one policy; `apply` first takes back what was replaced before.
In float64 and without dropout, loss and gradients are those of the stock policy to 1e-13.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it
from lerobot.policies.act.modeling_act import ACTPolicy, ACTSinusoidalPositionEmbedding2d
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from trainer.learning.recipe import Recipe

type Forward = Callable[..., Any]


def apply(policy: ACTPolicy, recipe: Recipe) -> None:
    """Have `policy` go by `recipe`. Needed again after other weights were loaded: norms are folded as is."""
    for module in policy.modules():
        module.__dict__.pop("forward", None)
    if recipe.attention == "sdpa":
        _attend_at_once(policy)
    if recipe.norm == "folded":
        _fold_norms(policy)
    if recipe.positions == "cached":
        _remember_positions(policy)


def _replace(module: nn.Module, forward: Forward) -> None:
    module.__dict__["forward"] = forward


def _attend_at_once(policy: ACTPolicy) -> None:
    """LeRobot throws the attention's weights away; where they are not asked for, torch fuses all of it."""
    for module in policy.modules():
        if isinstance(module, nn.MultiheadAttention):
            _replace(module, _without_weights(module.forward))


def _without_weights(stock: Forward) -> Forward:
    return lambda *args, **kwargs: stock(*args, **{**kwargs, "need_weights": False})


def _fold_norms(policy: ACTPolicy) -> None:
    """A frozen norm multiplies and adds constants, over the largest activations there are: give them to the
    convolution before it. The gradient flows through the product to the weight as before."""
    for conv, norm in _normalised_convolutions(policy.model.backbone):
        bias, mean = norm.get_buffer("bias"), norm.get_buffer("running_mean")
        scale = norm.get_buffer("weight") * (norm.get_buffer("running_var") + norm.eps).rsqrt()
        _replace(conv, _scaled(conv, scale.view(-1, 1, 1, 1), bias - mean * scale))
        _replace(norm, _unchanged)


def _scaled(conv: nn.Conv2d, scale: Tensor, shift: Tensor) -> Forward:
    def forward(image: Tensor) -> Tensor:
        weight = conv.weight * scale
        padding = conv.padding if isinstance(conv.padding, str) else list(conv.padding)
        return F.conv2d(image, weight, shift, conv.stride, padding, conv.dilation, conv.groups)

    return forward


def _unchanged(image: Tensor) -> Tensor:
    return image


def _normalised_convolutions(backbone: nn.Module) -> Iterator[tuple[nn.Conv2d, FrozenBatchNorm2d]]:
    """torchvision's ResNets name them conv1 and bn1, and so on; a shortcut holds the two by number."""
    for module in backbone.modules():
        parts = dict(module.named_children())
        for name, part in parts.items():
            norm = parts.get(name.replace("conv", "bn") if name.startswith("conv") else "1")
            if isinstance(part, nn.Conv2d) and isinstance(norm, FrozenBatchNorm2d):
                yield part, norm


def _remember_positions(policy: ACTPolicy) -> None:
    """The picture's positions are the same in every step: some twenty small kernels each time, saved."""
    for module in policy.modules():
        if isinstance(module, ACTSinusoidalPositionEmbedding2d):
            _replace(module, _remembered(module.forward))


def _remembered(stock: Forward) -> Forward:
    known: dict[tuple[torch.Size, torch.device], Tensor] = {}

    def forward(features: Tensor) -> Tensor:
        key = features.shape[-2:], features.device
        if key not in known:
            with torch.no_grad():
                known[key] = stock(features[:1].float())
        return known[key]

    return forward
