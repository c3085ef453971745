"""The fused optimizer and what it is handed."""

import pytest
import torch

from protocol.training import TrainingConfig
from trainer.data.store import FrameStore
from trainer.learning import feed as feeds
from trainer.learning import learn
from trainer.learning.learner import build
from trainer.learning.optimizer import AsTheyLie
from trainer.learning.recipe import STOCK, Recipe

CPU = torch.device("cpu")


def stepped(kind: type[torch.optim.AdamW], *, fused: bool | None = None) -> torch.Tensor:
    """A convolution's weight in channels_last, after three steps along the same gradients."""
    torch.manual_seed(0)
    weight = torch.randn(6, 5, 3, 3).to(memory_format=torch.channels_last).requires_grad_()
    optimizer = kind([weight], lr=0.01, fused=fused)
    for _ in range(3):
        weight.grad = torch.randn(6, 5, 3, 3).to(memory_format=torch.channels_last)
        optimizer.step()
    assert optimizer.state[weight]["exp_avg"].shape == weight.shape
    return weight.detach()


def test_in_the_order_of_memory_the_same_step_is_taken() -> None:
    assert torch.equal(stepped(AsTheyLie, fused=True), stepped(torch.optim.AdamW, fused=True))
    torch.testing.assert_close(stepped(AsTheyLie, fused=True), stepped(torch.optim.AdamW))


@pytest.mark.parametrize("most", [1e-3, 1e3], ids=["clipped", "not clipped"])
def test_clipping_while_stepping_is_clipping_before(
    frames_file: object, small_config: TrainingConfig, most: float
) -> None:
    store = FrameStore.open(frames_file)  # pyright: ignore[reportArgumentType]
    feed = feeds.load(store, small_config.policy.chunk_size, CPU)
    training = small_config.with_changes({"training.grad_clip_norm": most}).training

    def after_two_steps(recipe: Recipe) -> torch.Tensor:
        learner = build(small_config, store.stats, CPU, fresh=True).by(recipe)
        for number in range(2):
            learn.step(learner, feed, torch.arange(8), training, 8 * number)
        return torch.cat([weight.detach().flatten() for weight in learner.policy.parameters()])

    torch.testing.assert_close(after_two_steps(STOCK.but(clipping="fused")), after_two_steps(STOCK))
