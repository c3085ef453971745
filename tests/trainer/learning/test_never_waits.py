"""Between two looks the host only tells a GPU what to do: it never waits for it, and hands it no data.

No GPU is needed to see that. In torch's FakeTensorMode tensors have a device and a shape, and no numbers:
whoever asks for one is found out, and whatever mixes two devices, too.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from protocol.training import TrainingConfig
from trainer.data.store import FrameStore
from trainer.learning import device as devices
from trainer.learning import feed as feeds
from trainer.learning import learn, tuning
from trainer.learning.feed import Feed
from trainer.learning.history import Running
from trainer.learning.learner import Learner, build
from trainer.learning.loss import loss_sums
from trainer.learning.meter import Meter
from trainer.learning.optimizer import adamw
from trainer.learning.passes import loss_of_part

CPU = torch.device("cpu")

EVERYTHING = {
    "dataset.image_transforms": ("brightness", "contrast", "saturation", "hue", "sharpness", "affine"),
    "training.action_weights": {"lift": 2.0},
    "training.gradient_accumulation": 2,
    "training.batch_size": 4,
}


class NoTraffic(TorchDispatchMode):
    """Finds out what moves data between main memory and a device. Such a copy is waited for, and no CUDA
    graph may hold one."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, Tensor)]
        places = {tensor.device.type for tensor in tensors if tensor.dim()}
        assert len(places) <= 1, f"{func}: between {places}"
        return result


class Imagined:
    """What learns and what it learns from, as if they lay on `device`."""

    def __init__(self, store: FrameStore, config: TrainingConfig, device: torch.device) -> None:
        real_feed = feeds.load(store, config.policy.chunk_size, CPU)
        real = build(config, store.stats, CPU, fresh=True)
        meter = Meter(real_feed, Running())
        self.config, self.device, self.mode = config, device, FakeTensorMode()
        with self.mode:
            self.feed = self._feed(real_feed)
            self.learner = self._learner(real).by(tuning.usual(torch.device("cuda")))
            self.meter = self._meter(meter)

    def _there(self, tensor: Tensor) -> Tensor:
        return self.mode.from_tensor(tensor).to(self.device)

    def _feed(self, real: Feed) -> Feed:
        tensors = {
            name: self._there(value) for name, value in vars(real).items() if isinstance(value, Tensor)
        }
        frames = {camera: self._there(each) for camera, each in real.frames.items()}
        return replace(real, **tensors, frames=frames, device=self.device)

    def _learner(self, real: Learner) -> Learner:
        for module in real.policy.modules():
            for name, weight in list(module.named_parameters(recurse=False)):
                setattr(module, name, nn.Parameter(self._there(weight).detach(), weight.requires_grad))
            for name, buffer in list(module.named_buffers(recurse=False)):
                setattr(module, name, self._there(buffer))
        optimizer = adamw(real.policy, self.config.training)
        frozen = self._there(real.frozen)
        optimizer.found_inf = frozen  # pyright: ignore[reportAttributeAccessIssue]
        weights = self._there(real.action_weights)
        return replace(real, optimizer=optimizer, frozen=frozen, action_weights=weights)

    def _meter(self, real: Meter) -> Meter:
        for name, value in list(vars(real).items()):
            if isinstance(value, Tensor):
                setattr(real, name, self._there(value))
        return real


@pytest.fixture(params=[{}, EVERYTHING], ids=["plain", "everything"])
def config(request: pytest.FixtureRequest, small_config: TrainingConfig) -> TrainingConfig:
    return small_config.with_changes(request.param)


@pytest.fixture(autouse=True)
def _imagining(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is remembered of one world must not be met in the other."""
    monkeypatch.setattr(devices, "name", lambda _: "A100")
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    remembered = feeds._image_stats  # pyright: ignore[reportPrivateUsage]
    remembered.cache_clear()
    yield
    remembered.cache_clear()


def test_a_step_and_its_books_ask_for_no_number(frames_file: Path, config: TrainingConfig) -> None:
    scene = Imagined(FrameStore.open(frames_file), config, CPU)
    with scene.mode:
        for samples in feeds.steps(torch.arange(20), 0, config.training.samples_per_step):
            means = learn.step(scene.learner, scene.feed, samples, config.training, 0)
            scene.meter.add(means, samples, config.training.grad_clip_norm)
        with pytest.raises(DataDependentOutputException):
            scene.meter.read()  # the look itself does


def test_nothing_goes_between_main_memory_and_a_gpu(frames_file: Path, config: TrainingConfig) -> None:
    """All but the backward pass, for which torch wants a real one; the first pass may bring what stays."""
    scene = Imagined(FrameStore.open(frames_file), config, torch.device("cuda"))
    learner, feed, training = scene.learner, scene.feed, config.training
    with scene.mode:
        samples = feed.in_order(torch.arange(20), training.batch_size)[:8]
        loss_sums(learner.policy, feed.batch(samples))
        with NoTraffic():
            valid = feed.valid_frames(samples)
            count = torch.full((), len(samples), device=feed.device)
            loss, sums = loss_of_part(learner, feed.batch(samples, learner.varied), valid, count)
            assert loss.device.type == "cuda"
            for weight in learner.policy.parameters():
                weight.grad = torch.zeros_like(weight)
            grad_norm = learn.update(learner, training)
            means = learn.step_means([sums.detached()], valid, len(samples), 10.0, grad_norm)
            scene.meter.add(means, samples, training.grad_clip_norm)


def test_what_moves_data_is_found_out() -> None:
    with FakeTensorMode(), NoTraffic():
        frames = torch.zeros(3, device="cuda")
        with pytest.raises(AssertionError, match=r"_to_copy.*: between"):
            frames.cpu()
