"""LeRobot 0.6.1's ACT loss, kept as sums so that a batch can be divided.

`ACTPolicy.forward` takes the mean over a batch's valid elements and waits for the device twice. Here one
pass yields sums; dividing by the whole step's counts makes several small passes add up to one big one.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.utils.constants import ACTION, OBS_IMAGES
from torch import Tensor


@dataclass(frozen=True)
class Sums:
    """Over one pass: absolute errors inside the episodes per action channel (A,) and per sample (B,), KL
    divergences ()."""

    l1_by_action: Tensor
    l1_by_sample: Tensor
    kl: Tensor

    def detached(self) -> "Sums":
        return Sums(self.l1_by_action.detach(), self.l1_by_sample.detach(), self.kl.detach())

    def cloned(self) -> "Sums":
        return Sums(self.l1_by_action.clone(), self.l1_by_sample.clone(), self.kl.clone())


def loss_sums(policy: ACTPolicy, batch: dict[str, Tensor]) -> Sums:
    """One training pass over a normalised batch, noise and dropout included."""
    images = [batch[key] for key in policy.config.image_features]
    predicted, (mean, log_variance) = policy.model({**batch, OBS_IMAGES: images})
    predicted, mean, log_variance = (_widened(each) for each in (predicted, mean, log_variance))
    errors = F.l1_loss(batch[ACTION], predicted, reduction="none")
    errors = errors * ~batch["action_is_pad"].unsqueeze(-1)
    divergence = -0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp())
    return Sums(errors.sum((0, 1)), errors.detach().sum((1, 2)), divergence.sum())


def _widened(values: Tensor) -> Tensor:
    """bfloat16 carries a network, but no sums and no exponentials."""
    return values.float() if values.dtype == torch.bfloat16 else values


def total_loss(
    sums: Sums,
    valid_frames: Tensor,
    samples: Tensor | int,
    kl_weight: float,
    action_weights: Tensor | None = None,
) -> Tensor:
    """This pass's share of the loss of a step of `samples` samples with `valid_frames` valid frames.

    With `action_weights` (A,) each channel's error counts so many times: what is minimised then is no longer
    LeRobot's loss. All ones leave it as it is, to the bit.
    """
    elements = (valid_frames * len(sums.l1_by_action)).clamp_min(1)
    l1_by_action = sums.l1_by_action if action_weights is None else sums.l1_by_action * action_weights
    return l1_by_action.sum() / elements + kl_weight * sums.kl / samples
