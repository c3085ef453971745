"""The loss is LeRobot's own, and dividing a step into passes changes nothing."""

import pytest
import torch
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.utils.constants import ACTION

from protocol.training import TrainingConfig
from trainer.data.store import FrameStore
from trainer.learning import feed as feeds
from trainer.learning.feed import Feed
from trainer.learning.learner import Learner, build
from trainer.learning.loss import loss_sums, total_loss

SAMPLES = torch.arange(5, 17)  # across the ends of two episodes


@pytest.fixture(scope="module")
def frames(frames_file: object) -> FrameStore:
    return FrameStore.open(frames_file)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def feed(frames: FrameStore, small_config: TrainingConfig) -> Feed:
    return feeds.load(frames, small_config.policy.chunk_size, torch.device("cpu"))


@pytest.fixture
def learner(frames: FrameStore, small_config: TrainingConfig) -> Learner:
    return build(small_config, frames.stats, torch.device("cpu"), fresh=True)


def our_loss(policy: ACTPolicy, feed: Feed, part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    sums = loss_sums(policy, feed.batch(part))
    return total_loss(sums, feed.valid_frames(whole), len(whole), policy.config.kl_weight)


def test_the_loss_is_that_of_lerobots_own_forward(learner: Learner, feed: Feed) -> None:
    torch.manual_seed(3)
    theirs, _ = learner.policy.forward(feed.batch(SAMPLES))
    torch.manual_seed(3)
    torch.testing.assert_close(our_loss(learner.policy, feed, SAMPLES, SAMPLES), theirs)


def test_a_batch_is_what_lerobots_preprocessor_makes(
    learner: Learner, feed: Feed, frames: FrameStore
) -> None:
    raw = {
        "observation.images.ego": torch.from_numpy(frames.frames["ego"][SAMPLES]).permute(0, 3, 1, 2) / 255.0,
        "observation.state": torch.from_numpy(frames.state[SAMPLES]),
        ACTION: torch.from_numpy(frames.action)[feed.chunks(SAMPLES)[0]],
    }
    theirs, ours = learner.preprocessor(raw), feed.batch(SAMPLES)
    for key in raw:
        torch.testing.assert_close(ours[key], theirs[key])


def test_errors_by_sample_and_by_channel_are_the_same_errors(learner: Learner, feed: Feed) -> None:
    sums = loss_sums(learner.policy, feed.batch(SAMPLES))
    assert sums.l1_by_sample.shape == SAMPLES.shape
    torch.testing.assert_close(sums.l1_by_sample.sum(), sums.l1_by_action.sum())


def test_a_channel_that_weighs_double_counts_twice_in_what_is_minimised(learner: Learner, feed: Feed) -> None:
    sums = loss_sums(learner.policy, feed.batch(SAMPLES))
    valid, kl_weight = feed.valid_frames(SAMPLES), learner.policy.config.kl_weight
    as_lerobot = total_loss(sums, valid, len(SAMPLES), kl_weight)
    doubled = total_loss(sums, valid, len(SAMPLES), kl_weight, torch.tensor([2.0, 1.0, 1.0, 1.0]))
    torch.testing.assert_close(doubled - as_lerobot, sums.l1_by_action[0] / (valid * 4))
    assert torch.equal(total_loss(sums, valid, len(SAMPLES), kl_weight, torch.ones(4)), as_lerobot)


def gradient(policy: ACTPolicy) -> torch.Tensor:
    return torch.cat([weight.grad.flatten() for weight in policy.parameters() if weight.grad is not None])


def test_several_passes_add_up_to_one(learner: Learner, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)  # the same noise however the batch is divided
    policy = learner.policy.eval().train()
    for module in policy.modules():
        if isinstance(module, torch.nn.Dropout | torch.nn.MultiheadAttention):
            module.eval()
    our_loss(policy, feed, SAMPLES, SAMPLES).backward()
    whole = gradient(policy)
    policy.zero_grad()
    for part in SAMPLES.split((5, 5, 2)):
        our_loss(policy, feed, part, SAMPLES).backward()
    assert (gradient(policy) - whole).norm() < 1e-4 * whole.norm()
