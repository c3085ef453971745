"""One pass forward and backward over part of a step's samples: as it stands, compiled, or as a CUDA graph.

Whatever the way, the gradients are added to what the weights have, and all randomness follows from the seed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from trainer.learning.feed import Feed
from trainer.learning.learner import Learner
from trainer.learning.loss import Sums, loss_sums, total_loss
from trainer.learning.recipe import Recipe

WARM_UPS = 3
"""Passes before a capture, as in torch's notes on CUDA graphs: libraries set themselves up in the first."""


class Pass(Protocol):
    def __call__(
        self, learner: Learner, feed: Feed, part: Tensor, valid_frames: Tensor, samples: Tensor, seed: int
    ) -> Sums:
        """`part` (B,) of a step's samples; the step has `samples` of them and `valid_frames` valid frames."""
        ...


def pass_by(recipe: Recipe) -> Pass:
    """The way `recipe` wants it."""
    loss = (
        torch.compile(loss_of_part, fullgraph=True, dynamic=False)
        if recipe.kernels == "compiled"
        else loss_of_part
    )
    return Graphed(loss) if recipe.launch == "graph" else Plain(loss)


type Batch = dict[str, Tensor]
type Loss = Callable[[Learner, Batch, Tensor, Tensor], tuple[Tensor, Sums]]


def loss_of_part(
    learner: Learner, batch: Batch, valid_frames: Tensor, samples: Tensor
) -> tuple[Tensor, Sums]:
    """This pass's share of the step's loss, and its sums."""
    with torch.autocast(samples.device.type, torch.bfloat16, enabled=learner.recipe.precision == "bf16"):
        sums = loss_sums(learner.policy, batch)
    kl_weight = learner.policy.config.kl_weight
    return total_loss(sums, valid_frames, samples, kl_weight, learner.action_weights), sums


@dataclass(frozen=True)
class Plain:
    """One kernel after the other."""

    loss: Loss = loss_of_part

    def __call__(
        self, learner: Learner, feed: Feed, part: Tensor, valid_frames: Tensor, samples: Tensor, seed: int
    ) -> Sums:
        torch.manual_seed(seed)
        loss, sums = self.loss(learner, feed.batch(part, learner.varied), valid_frames, samples)
        loss.backward()
        return sums.detached()


@dataclass(frozen=True)
class Given:
    """What a pass goes over, all of it on the device: its samples' `pictures` (uint8, by camera) beside what
    `Pass` is called with."""

    pictures: dict[str, Tensor]
    part: Tensor
    valid_frames: Tensor
    samples: Tensor

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (*self.pictures.values(), self.part, self.valid_frames, self.samples)

    def cloned(self) -> "Given":
        pictures = {camera: each.clone() for camera, each in self.pictures.items()}
        return Given(pictures, self.part.clone(), self.valid_frames.clone(), self.samples.clone())


@dataclass(frozen=True)
class Captured:
    """A pass in memory of its own: what goes in is copied to `given`, what comes out lies in `sums`."""

    graph: torch.cuda.CUDAGraph
    given: Given
    sums: Sums

    def replayed(self, given: Given, seed: int) -> Sums:
        """The seed that holds when a graph is replayed is the one its random kernels use."""
        for place, value in zip(self.given.tensors, given.tensors, strict=True):
            place.copy_(value)
        torch.manual_seed(seed)
        self.graph.replay()
        return self.sums.cloned()


@dataclass
class Graphed:
    """One graph for each number of samples: an epoch's full passes and its short last one.

    Gradients must stay where they are between passes, so they are zeroed and never dropped. Pictures are
    fetched outside: wherever they lie, a graph finds them at the same place.
    """

    loss: Loss
    _captured: dict[int, Captured] = field(default_factory=dict[int, Captured])

    def __call__(
        self, learner: Learner, feed: Feed, part: Tensor, valid_frames: Tensor, samples: Tensor, seed: int
    ) -> Sums:
        given = Given(feed.pictures(part), part, valid_frames, samples)
        if len(part) not in self._captured:
            self._captured[len(part)] = self._capture(learner, feed, given.cloned())
        return self._captured[len(part)].replayed(given, seed)

    def _capture(self, learner: Learner, feed: Feed, given: Given) -> Captured:
        """Warming up and capturing add to the gradients; they are put back as they were."""
        weights = [weight for weight in learner.policy.parameters() if weight.requires_grad]
        for weight in weights:
            weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
        before = [weight.grad.clone() for weight in weights if weight.grad is not None]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UPS):
                self._once(learner, feed, given)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        # Of this thread alone: those that write saves and bring pictures may copy meanwhile.
        with torch.cuda.graph(graph, pool=self._pool(), capture_error_mode="thread_local"):
            sums = self._once(learner, feed, given)
        for weight, kept in zip(weights, before, strict=True):
            if weight.grad is not None:
                weight.grad.copy_(kept)
        return Captured(graph, given, sums)

    def _once(self, learner: Learner, feed: Feed, given: Given) -> Sums:
        batch = feed.batch_of(given.pictures, given.part, learner.varied)
        loss, sums = self.loss(learner, batch, given.valid_frames, given.samples)
        loss.backward()
        return sums.detached()

    def _pool(self) -> Any:
        """Graphs that never run at once share their memory; what one hands out is kept by `Captured`."""
        return next((captured.graph.pool() for captured in self._captured.values()), None)
