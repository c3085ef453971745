"""LeRobot's AdamW, and what it changes the weights by."""

from typing import Any

import torch
from lerobot.policies.act.modeling_act import ACTPolicy
from torch import Tensor

from protocol.training import OptimisationConfig

CLIP_EPS = 1e-6
"""What torch's `clip_grad_norm_` adds to the norm before it divides by it."""


def adamw(policy: ACTPolicy, training: OptimisationConfig, *, fused: bool | None = True) -> torch.optim.AdamW:
    """LeRobot's: the backbone has a learning rate of its own. Fused is the same sum in one pass: a small
    model's whole step took 1.2 times as long without on two CPU cores."""
    rest, backbone = policy.get_optim_params()
    groups = [{**rest, "lr": training.lr}, {**backbone, "lr": training.lr_backbone}]
    return (AsTheyLie if fused else torch.optim.AdamW)(
        groups, weight_decay=training.weight_decay, fused=fused
    )


class AsTheyLie(torch.optim.AdamW):
    """Hands the fused kernel all tensors in the order in which they lie in memory. The CPU's copies what is
    not contiguous, in every step, and a weight in channels_last is not, as (out, in, height, width)."""

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        exp_avgs: list[Tensor],
        exp_avg_sqs: list[Tensor],
        max_exp_avg_sqs: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        lists = params_with_grad, grads, exp_avgs, exp_avg_sqs
        has_complex = super()._init_group(group, *lists, max_exp_avg_sqs, state_steps)
        for tensors in lists:
            tensors[:] = [_as_it_lies(each) for each in tensors]
        return has_complex


def _as_it_lies(tensor: Tensor) -> Tensor:
    is_turned = tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    return tensor.permute(0, 2, 3, 1) if is_turned else tensor


def clip(policy: ACTPolicy, optimizer: torch.optim.AdamW, most: float, *, at_once: bool) -> Tensor:
    """Limit the gradient's norm to `most`; what it was. `at_once`: the fused optimizer divides as it goes,
    which saves a pass over all gradients. It takes the divisor in float32 alone."""
    optimizer.grad_scale = None  # pyright: ignore[reportAttributeAccessIssue]
    norm = torch.nn.utils.get_total_norm([each.grad for each in policy.parameters() if each.grad is not None])
    if at_once and norm.dtype == torch.float32:
        optimizer.grad_scale = ((norm + CLIP_EPS) / most).clamp_min(1.0)  # pyright: ignore[reportAttributeAccessIssue]
    else:
        torch.nn.utils.clip_grads_with_norm_(policy.parameters(), most, norm)
    return norm
