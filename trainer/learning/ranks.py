"""Several processes that learn as one, started by torchrun with the same job file.

Each has all frames and draws the same order. A batch is dealt out in equal parts, one a process, and every
part's noise follows from its place in the run: so N processes learn, but for the order of sums, what one
learns with batches of 1/N the size and N times the accumulation. The first process alone saves and speaks.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from protocol.training import OptimisationConfig
from trainer.learning.feed import Feed
from trainer.learning.learn import StepMeans, parts_of, seed_of, step_means, update
from trainer.learning.learner import Learner
from trainer.learning.loss import Sums
from trainer.learning.passes import loss_of_part


@dataclass(frozen=True)
class Ranks:
    """Which process this is, of how many. `control` carries what must not wait for the device."""

    rank: int = 0
    world: int = 1
    control: dist.ProcessGroup | None = None

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def any(self, asked: bool) -> bool:
        """Whether any process says so; all must ask."""
        if self.control is None:
            return asked
        flag = torch.tensor(int(asked))
        dist.all_reduce(flag, dist.ReduceOp.MAX, self.control)
        return bool(flag)

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """The first process goes ahead, the others follow when it is through; all go on together."""
        if not self.leads:
            dist.barrier(self.control)
        yield
        if self.leads and self.control is not None:
            dist.barrier(self.control)
        if self.control is not None:
            dist.barrier(self.control)


@contextmanager
def joined(device_kind: str) -> Iterator[Ranks]:
    """Meet the other processes that torchrun started, if it did."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks()
        return
    if device_kind == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device_kind == "cuda" else "gloo")
    try:
        control = dist.new_group(backend="gloo")
        assert isinstance(control, dist.ProcessGroup), "every process is a member"
        yield Ranks(dist.get_rank(), world, control)
    finally:
        dist.destroy_process_group()


class Share(nn.Module):
    """What DDP wraps: the policy, and its loss as `forward`. DDP averages gradients, we want their sum."""

    def __init__(self, learner: Learner, world: int) -> None:
        super().__init__()
        self.policy, self._learner, self._world = learner.policy, learner, world

    def forward(
        self, batch: dict[str, Tensor], valid_frames: Tensor, samples: Tensor, weight: float
    ) -> tuple[Tensor, Sums]:
        loss, sums = loss_of_part(self._learner, batch, valid_frames, samples)
        return loss * (self._world * weight), sums


class TogetherStep:
    """`learn.step`, by several processes. Each calls it with the same samples."""

    def __init__(self, learner: Learner, ranks: Ranks) -> None:
        self._ranks, self._varied = ranks, learner.varied
        self._share = DistributedDataParallel(
            Share(learner, ranks.world), broadcast_buffers=False, find_unused_parameters=False
        )

    def __call__(
        self, learner: Learner, feed: Feed, samples: Tensor, training: OptimisationConfig, seen: int
    ) -> StepMeans:
        valid_frames = feed.valid_frames(samples)
        count = torch.full((), len(samples), device=samples.device)
        total = torch.zeros(feed.num_actions + 1 + len(samples), device=samples.device)
        batches = parts_of(samples, training.batch_size)
        for number, (first, batch) in enumerate(batches, start=1):
            with nullcontext() if number == len(batches) else self._share.no_sync():
                self._add(total, feed, batch, seen + first, first, training, valid_frames, count)
        dist.all_reduce(total)
        grad_norm = update(learner, training)
        l1_by_action, kl, l1_by_sample = total.split((feed.num_actions, 1, len(samples)))
        sums = Sums(l1_by_action, l1_by_sample, kl.squeeze())
        return step_means([sums], valid_frames, len(samples), learner.policy.config.kl_weight, grad_norm)

    def _add(
        self,
        total: Tensor,
        feed: Feed,
        batch: Tensor,
        seen: int,
        first: int,
        training: OptimisationConfig,
        valid_frames: Tensor,
        count: Tensor,
    ) -> None:
        """This process's part of one batch: its gradient to the weights, its sums to `total`.

        Where the last batch has no part left for us we go through one frame that counts nothing: the others
        wait for our gradient.
        """
        dealt = parts_of(batch, -(-training.batch_size // self._ranks.world))
        has_part = self._ranks.rank < len(dealt)
        offset, part = dealt[self._ranks.rank] if has_part else (0, batch[:1])
        torch.manual_seed(seed_of(training.seed, seen + offset))
        loss, sums = self._share(feed.batch(part, self._varied), valid_frames, count, float(has_part))
        loss.backward()
        if has_part:
            actions, at = feed.num_actions, feed.num_actions + 1 + first + offset
            total[:actions] += sums.l1_by_action.detach()
            total[actions] += sums.kl.detach()
            total[at : at + len(part)] = sums.l1_by_sample
