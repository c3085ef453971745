"""One optimizer step of ACT, in as many passes as its samples need."""

from dataclasses import dataclass

import torch
from torch import Tensor

from protocol.training import OptimisationConfig
from trainer.learning.feed import Feed
from trainer.learning.learner import Learner
from trainer.learning.loss import Sums
from trainer.learning.optimizer import clip
from trainer.learning.passes import Pass, Plain


@dataclass(frozen=True)
class StepMeans:
    """Of one optimizer step, still on the device: scalars, and `l1_by_action` (A,) in normalised units.

    `l1_by_sample` (B,) are sums over a sample's chunk and channels. `grad_norm` is the gradient's norm before
    clipping.
    """

    loss: Tensor
    kl: Tensor
    l1_by_action: Tensor
    l1_by_sample: Tensor
    grad_norm: Tensor


def step(
    learner: Learner,
    feed: Feed,
    samples: Tensor,
    training: OptimisationConfig,
    seen: int,
    one_pass: Pass = Plain(),  # noqa: B008  a value without state
) -> StepMeans:
    """One optimizer step over `samples` (B,), in passes of `batch_size` whose gradients add up to B's own.

    `seen` samples came before it. Noise and dropout follow from that count and the seed alone, so a run that
    was cut anywhere goes on as if it had not been.
    """
    valid_frames = feed.valid_frames(samples)
    count = torch.full((), len(samples), device=samples.device)
    passes = [
        one_pass(learner, feed, part, valid_frames, count, seed_of(training.seed, seen + first))
        for first, part in parts_of(samples, training.batch_size)
    ]
    return step_means(
        passes, valid_frames, len(samples), learner.policy.config.kl_weight, update(learner, training)
    )


def update(learner: Learner, training: OptimisationConfig) -> Tensor:
    """Change the weights by the gradients they have; the gradients' norm before clipping."""
    grad_norm = clip(
        learner.policy,
        learner.optimizer,
        training.grad_clip_norm,
        at_once=learner.recipe.clipping == "fused",
    )
    learner.frozen.clamp_(min=(~torch.isfinite(grad_norm)).float())
    learner.optimizer.step()
    learner.optimizer.zero_grad(set_to_none=learner.recipe.launch == "eager")  # a graph adds where they lie
    return grad_norm


def seed_of(seed: int, seen: int) -> int:
    """The random seed of the pass that begins after `seen` samples of the run."""
    return (seed * 0x9E3779B97F4A7C15 + seen) % 2**63  # steps of one run never share one; runs hardly


def parts_of(samples: Tensor, batch_size: int) -> list[tuple[int, Tensor]]:
    return [(first, samples[first : first + batch_size]) for first in range(0, len(samples), batch_size)]


def step_means(
    passes: list[Sums], valid_frames: Tensor, samples: int, kl_weight: float, grad_norm: Tensor
) -> StepMeans:
    l1_by_action = torch.stack([each.l1_by_action for each in passes]).sum(0) / valid_frames
    kl = torch.stack([each.kl for each in passes]).sum() / samples
    l1_by_sample = torch.cat([each.l1_by_sample for each in passes])
    return StepMeans(l1_by_action.mean() + kl_weight * kl, kl, l1_by_action, l1_by_sample, grad_norm)
