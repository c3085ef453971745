"""`--reference`: each step as lerobot-train 0.6.1 takes it, to compare results with.

LeRobot's own forward in float32 (TF32 on a GPU), its own optimizer, one random stream from the seed on, in
which LeRobot's data loader draws a number at each epoch's beginning. So on a CPU every loss and gradient norm
is the one that lerobot-train prints for the same data set, seed and batch size. Slow: use it to prove, not to
train.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.utils.constants import ACTION
from torch import Tensor

from protocol.training import OptimisationConfig, TrainingConfig
from trainer.learning.feed import Feed
from trainer.learning.learn import StepMeans
from trainer.learning.learner import Learner
from trainer.process.attempt import JobError


@dataclass
class Reference:
    """Takes steps; prints each as lerobot-train logs it with `--log_freq=1`. `number` were taken before."""

    number: int

    def __call__(
        self, learner: Learner, feed: Feed, samples: Tensor, training: OptimisationConfig, seen: int
    ) -> StepMeans:
        """One optimizer step over `samples` (B,), after `seen` others of the run."""
        if seen % len(feed) == 0:
            torch.empty((), dtype=torch.int64).random_()  # DataLoader's seed for workers, drawn even without
        batch = {name: values.contiguous() for name, values in feed.batch(samples).items()}
        with _predictions(learner.policy) as predictions:
            loss, said = learner.policy.forward(batch)
        loss.backward()
        grad_norm = torch.nn.utils.clip_grad_norm_(learner.policy.parameters(), training.grad_clip_norm)
        learner.optimizer.step()
        learner.optimizer.zero_grad()
        self.number += 1
        print(f"step:{self.number} loss:{loss.item():.3f} grdn:{grad_norm.item():.3f}", flush=True)
        return _means(batch, predictions[0], loss.detach(), said["kld_loss"], grad_norm)


def must_be_lerobot_s(config: TrainingConfig) -> None:
    """Raises JobError("bad_job") for what lerobot-train cannot do."""
    if config.training.gradient_accumulation > 1:
        raise JobError("bad_job", "--reference: lerobot-train cannot accumulate; set gradient_accumulation 1")
    if config.dataset.holdout:
        raise JobError(
            "bad_job", "--reference: lerobot-train holds out other episodes; set dataset.holdout 0"
        )
    if config.dataset.image_transforms:
        raise JobError(
            "bad_job",
            "--reference: lerobot-train draws image transforms in its loader; drop image_transforms",
        )
    if set(config.action_weights) != {1.0}:
        raise JobError("bad_job", "--reference: lerobot-train weighs all actions alike; drop action_weights")


@contextmanager
def _predictions(policy: ACTPolicy) -> Iterator[list[Tensor]]:
    """What the model answers (B, chunk, A) while LeRobot's forward makes one number of it."""
    seen: list[Tensor] = []
    hook = policy.model.register_forward_hook(lambda _module, _given, answer: seen.append(answer[0].detach()))
    try:
        yield seen
    finally:
        hook.remove()


def _means(
    batch: dict[str, Tensor], predicted: Tensor, loss: Tensor, kl: float, grad_norm: Tensor
) -> StepMeans:
    inside = ~batch["action_is_pad"].unsqueeze(-1)
    errors = F.l1_loss(batch[ACTION], predicted, reduction="none") * inside
    return StepMeans(
        loss=loss,
        kl=torch.tensor(kl, device=loss.device),
        l1_by_action=errors.sum((0, 1)) / inside.sum(),
        l1_by_sample=errors.sum((1, 2)),
        grad_norm=grad_norm,
    )
