"""Every short cut through LeRobot's model is the same function, its gradients included."""

import pytest
import torch

from protocol.training import TrainingConfig
from trainer.data.store import FrameStore
from trainer.learning import device as devices
from trainer.learning import feed as feeds
from trainer.learning import learn, speedups, tuning
from trainer.learning.feed import Feed
from trainer.learning.learner import Learner, build
from trainer.learning.loss import loss_sums, total_loss
from trainer.learning.passes import loss_of_part
from trainer.learning.recipe import STOCK, Recipe

SAMPLES = torch.arange(5, 17)
SHORT_CUTS = [
    STOCK.but(attention="sdpa"),
    STOCK.but(norm="folded"),
    STOCK.but(positions="cached"),
    STOCK.but(attention="plain"),
    STOCK.but(norm="fused"),
    STOCK.but(convolution="product"),
    STOCK.but(convolution="product", norm="folded"),
    STOCK.but(attention="sdpa", norm="folded", positions="cached"),
    STOCK.but(attention="plain", norm="fused", positions="cached", convolution="product", dropout="bits"),
]


def named(recipe: Recipe) -> str:
    return "+".join(value for value in recipe.choices.values() if value not in {"stock", "eager", "fp32"})


@pytest.fixture(scope="module")
def frames(frames_file: object) -> FrameStore:
    return FrameStore.open(frames_file)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def learner(frames: FrameStore, small_config: TrainingConfig) -> Learner:
    """Without dropout, whose places differ; with norms that do something, as ImageNet's do."""
    exact = build(
        small_config.with_changes({"policy.dropout": 0.0}), frames.stats, torch.device("cpu"), fresh=True
    )
    exact.policy.double()
    torch.manual_seed(1)
    for name, constant in exact.policy.named_buffers():
        if "backbone" in name:
            constant.copy_(torch.rand_like(constant) + 0.5)
    return exact


def batch(feed: Feed) -> dict[str, torch.Tensor]:
    return {
        key: value.double() if value.is_floating_point() else value
        for key, value in feed.batch(SAMPLES).items()
    }


def loss_and_gradient(learner: Learner, feed: Feed) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    learner.policy.zero_grad()
    sums = loss_sums(learner.policy, batch(feed))
    loss = total_loss(sums, feed.valid_frames(SAMPLES), len(SAMPLES), learner.policy.config.kl_weight)
    loss.backward()
    weights = learner.policy.parameters()
    return loss.detach(), torch.cat([weight.grad.flatten() for weight in weights if weight.grad is not None])


@pytest.mark.parametrize("recipe", SHORT_CUTS, ids=named)
def test_a_short_cut_has_the_stock_models_loss_and_gradient(
    learner: Learner, frames: FrameStore, small_config: TrainingConfig, recipe: Recipe
) -> None:
    feed = feeds.load(frames, small_config.policy.chunk_size, torch.device("cpu"))
    names = list(learner.policy.state_dict())
    stock_loss, stock_gradient = loss_and_gradient(learner.by(STOCK), feed)
    loss, gradient = loss_and_gradient(learner.by(recipe), feed)
    assert abs(loss - stock_loss) < 1e-12
    assert (gradient - stock_gradient).norm() < 1e-12 * stock_gradient.norm()
    assert list(learner.policy.state_dict()) == names


def test_a_short_cut_can_be_taken_back(learner: Learner) -> None:
    speedups.apply(learner.policy, SHORT_CUTS[-1])
    speedups.apply(learner.policy, STOCK)
    assert not any("forward" in vars(module) for module in learner.policy.modules())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # torch's, of itself
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_the_compiler_sees_a_pass_as_one_graph(
    frames: FrameStore, small_config: TrainingConfig, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the recipes that are tried. What it makes of them takes minutes; backend "eager" makes nothing."""
    monkeypatch.setattr(devices, "name", lambda _: kind)
    device = torch.device(kind)
    *_, with_kernels = tuning.options(device, tuning.COMPILED_FROM_S)
    assert with_kernels["kernels"] == "compiled"
    recipe = tuning.usual(device).but(**with_kernels)
    learner = build(small_config, frames.stats, torch.device("cpu"), fresh=True).by(recipe)
    feed = feeds.load(frames, small_config.policy.chunk_size, torch.device("cpu"))
    given = feed.batch(SAMPLES), feed.valid_frames(SAMPLES), torch.tensor(len(SAMPLES))
    traced = torch.compile(loss_of_part, fullgraph=True, dynamic=False, backend="eager")
    losses = list[float]()
    for one_pass in (loss_of_part, traced):
        torch.manual_seed(3)
        losses.append(float(one_pass(learner, *given)[0].detach()))
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


STEPS, WINDOW = 24, 8


def course(config: TrainingConfig, frames: FrameStore, recipe: Recipe) -> torch.Tensor:
    """L1 in normalised units, averaged over windows of steps."""
    learner = build(config, frames.stats, torch.device("cpu"), fresh=True).by(recipe)
    feed = feeds.load(frames, config.policy.chunk_size, torch.device("cpu"))
    errors = []
    for number in range(STEPS):
        samples = torch.arange(number * 8, number * 8 + 8) % len(feed)
        errors.append(learn.step(learner, feed, samples, config.training, number * 8).l1_by_action.mean())
    return torch.stack(errors).view(-1, WINDOW).mean(1)


def test_the_fast_way_learns_what_the_stock_way_learns(
    frames: FrameStore, small_config: TrainingConfig
) -> None:
    """It stays closer to the stock course than that of another seed does. `make bench` adds bfloat16."""
    still = small_config.with_changes({"policy.dropout": 0.0})
    stock = course(still, frames, STOCK)
    fast = course(still, frames, SHORT_CUTS[-1])
    other = course(still.with_changes({"training.seed": 43}), frames, STOCK)
    assert (fast - stock).abs().max() < (other - stock).abs().max()
    assert stock[-1] < stock[0], "it learns at all"
