"""LeRobot 0.6.1's ACT loss, kept as sums so that a batch can be divided.

`ACTPolicy.forward` takes the mean over a batch's valid elements and waits for the device twice. Here one
pass yields sums; dividing by the whole step's counts makes several small passes add up to one big one.
"""

from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.utils.constants import ACTION, OBS_IMAGES
from torch import Tensor


@dataclass(frozen=True)
class Sums:
    """Over one pass: absolute errors inside the episodes per action channel (A,), KL divergences ()."""

    l1_by_action: Tensor
    kl: Tensor


def loss_sums(policy: ACTPolicy, batch: dict[str, Tensor]) -> Sums:
    """One training pass over a normalised batch, noise and dropout included."""
    images = [batch[key] for key in policy.config.image_features]
    predicted, (mean, log_variance) = policy.model({**batch, OBS_IMAGES: images})
    errors = F.l1_loss(batch[ACTION], predicted, reduction="none")
    inside = ~batch["action_is_pad"].unsqueeze(-1)
    divergence = -0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp())
    return Sums(l1_by_action=(errors * inside).sum((0, 1)), kl=divergence.sum())


def total_loss(sums: Sums, valid_frames: Tensor, samples: int, kl_weight: float) -> Tensor:
    """This pass's share of the loss of a step of `samples` samples with `valid_frames` valid frames."""
    elements = (valid_frames * len(sums.l1_by_action)).clamp_min(1)
    return sums.l1_by_action.sum() / elements + kl_weight * sums.kl / samples
