"""Order, chunks and steps are pure functions of their numbers."""

from collections import Counter

import torch
from hypothesis import given
from hypothesis import strategies as some

from trainer.learning.feed import Feed, Waits, epoch_order, steps

SEEDS, COUNTS = some.integers(0, 2**32 - 1), some.integers(1, 60)


@given(COUNTS, SEEDS, some.integers(0, 1000))
def test_an_epochs_order_follows_from_seed_and_epoch_alone(count: int, seed: int, epoch: int) -> None:
    torch.manual_seed(seed ^ epoch)
    order = epoch_order(count, seed, epoch)
    torch.rand(3)
    assert torch.equal(order, epoch_order(count, seed, epoch))
    assert Counter(order.tolist()) == Counter(range(count))


def test_epochs_and_seeds_differ_in_order() -> None:
    first = epoch_order(40, 42, 0)
    assert not torch.equal(first, epoch_order(40, 42, 1))
    assert not torch.equal(first, epoch_order(40, 43, 0))


@given(COUNTS, some.integers(1, 9), some.integers(0, 9))
def test_the_steps_after_a_cut_are_those_it_cut_off(count: int, per_step: int, done: int) -> None:
    order = epoch_order(count, 0, 0)
    rest = [part.tolist() for part in steps(order, 0, per_step)][done:]
    assert [part.tolist() for part in steps(order, done * per_step, per_step)] == rest


@given(some.lists(some.integers(1, 8), min_size=1, max_size=5), some.integers(1, 12))
def test_a_chunk_never_leaves_its_episode(lengths: list[int], chunk: int) -> None:
    feed = feed_of(lengths, chunk)
    samples = torch.arange(sum(lengths))
    ahead, is_pad = feed.chunks(samples)
    assert torch.equal(feed.episode_end[ahead], feed.episode_end[samples][:, None].expand_as(ahead))
    assert torch.equal(~is_pad, ahead == samples[:, None] + torch.arange(chunk))
    assert feed.valid_frames(samples) == (~is_pad).sum()


@given(some.lists(some.integers(1, 8), min_size=1, max_size=5), some.integers(1, 12))
def test_an_error_of_one_everywhere_is_one_in_every_episode(lengths: list[int], chunk: int) -> None:
    feed = feed_of(lengths, chunk)
    left = feed.episode_end - torch.arange(len(feed))
    summed = left.clamp_max(chunk) * feed.num_actions
    means = torch.zeros(feed.num_episodes, dtype=torch.float64)
    means.index_add_(0, feed.episode, summed * feed.episode_shares())
    torch.testing.assert_close(means, torch.ones_like(means))


def test_what_was_fetched_before_the_first_step_is_no_waiting() -> None:
    waits = Waits()
    with waits:
        pass
    assert waits.total_s > 0
    waits.begin()
    assert (waits.total_s, waits.since_last_s()) == (0, 0)
    with waits:
        pass
    assert waits.since_last_s() == waits.total_s > 0


def feed_of(lengths: list[int], chunk: int) -> Feed:
    counts = torch.tensor(lengths)
    ends = counts.cumsum(0).repeat_interleave(counts)
    numbers = torch.arange(len(lengths)).repeat_interleave(counts)
    nothing = torch.zeros(len(ends), 1)
    return Feed({}, nothing, nothing, ends, numbers, chunk, torch.device("cpu"))
