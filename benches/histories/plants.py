"""What may be wrong with a data set or a config, planted into a run that would be healthy without it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benches.histories.world import World
from trainer.watching.facts import Reading

STEERING, BUCKET, LIFT = 0, 2, 3


def nothing(_: World) -> None:
    pass


@dataclass(frozen=True)
class Plant:
    """`facts`: any one of them tells of it. `into` spoils the data, `config` the settings.

    With `at_resume` the run begins healthy, is stopped, and goes on with both spoilt. `slow_s` is how late
    each batch's frames come, `readings` makes up a machine that nobody has here, by epochs finished.
    """

    facts: tuple[str, ...]
    into: Callable[[World], None] = nothing
    config: dict[str, Any] = field(default_factory=dict)
    at_resume: bool = False
    slow_s: float = 0.0
    readings: Callable[[int, np.random.Generator], Reading] | None = None


def noisy(channel: int) -> Callable[[World], None]:
    """Values without any reason."""

    def spoil(world: World) -> None:
        world.action[:, channel] = world.rng.uniform(-1, 1, len(world.action))

    return spoil


def negated_episode(world: World) -> None:
    """The sign of every action of an episode is wrong."""
    world.action[world.episode(4)] *= -1


def random_episode(world: World) -> None:
    """An episode in which somebody played with the levers."""
    episode = world.episode(4)
    world.action[episode] = world.rng.uniform(-1, 1, world.action[episode].shape)


def rare_extremes(channel: int) -> Callable[[World], None]:
    """The card's example: values in -0.1…0.1, with hardly any at ±1.0."""

    def spoil(world: World) -> None:
        values = world.action[:, channel]
        world.action[:, channel] = values / np.abs(values).max() * 0.1
        world.action[world.rng.choice(len(values), 2, replace=False), channel] = (1.0, -1.0)

    return spoil


def few_episodes(world: World) -> None:
    """So few that each can be learned by heart."""
    kept = world.ends[7]
    world.frames, world.state, world.action = world.frames[:kept], world.state[:kept], world.action[:kept]
    del world.ends[8:]


def other_data(world: World) -> None:
    """All actions are another robot's."""
    world.action[:] = world.action[::-1, ::-1] * -1


GIB = 2**30


def leaking(epoch: int, rng: np.random.Generator) -> Reading:
    """A GPU whose memory another process, or a list that grows, takes bit by bit."""
    used = int((28.5 + 0.15 * epoch + rng.normal(0, 0.02)) * GIB)
    return Reading(at_s=60.0 * epoch, used_bytes=used, total_bytes=40 * GIB, busy_share=0.97)


def idling(epoch: int, rng: np.random.Generator) -> Reading:
    """A GPU that waits for the rest of the machine."""
    busy = float(np.clip(rng.normal(0.25, 0.05), 0, 1))
    return Reading(at_s=60.0 * epoch, used_bytes=28 * GIB, total_bytes=40 * GIB, busy_share=busy)


TOO_HIGH = ("diverging", "plateau", "best_long_past", "loss_jump_after_resume", "gradient_clipped")

PLANTS: dict[str, Plant] = {
    "noisy_steering": Plant(("channel_l1_high:steering",), noisy(STEERING)),
    "noisy_bucket": Plant(("channel_l1_high:bucket",), noisy(BUCKET)),
    "negated_episode": Plant(("episode_l1_high:episode_004",), negated_episode),
    "random_episode": Plant(("episode_l1_high:episode_004",), random_episode),
    "rare_steering": Plant(("thin_extremes:steering", "channel_l1_high:steering"), rare_extremes(STEERING)),
    "rare_lift": Plant(("thin_extremes:lift", "channel_l1_high:lift"), rare_extremes(LIFT)),
    "lr_x30": Plant(TOO_HIGH, config={"training.lr": 0.03, "training.lr_backbone": 0.03}),
    "lr_far_too_low": Plant(("plateau",), config={"training.lr": 1e-8, "training.lr_backbone": 1e-8}),
    "clipped_to_nothing": Plant(("gradient_clipped",), config={"training.grad_clip_norm": 0.02}),
    "resumed_on_other_data": Plant(("loss_jump_after_resume",), other_data, at_resume=True),
    "resumed_with_lr_x30": Plant(
        TOO_HIGH, config={"training.lr": 0.03, "training.lr_backbone": 0.03}, at_resume=True
    ),
    "few_episodes": Plant(
        ("overfitting",),
        few_episodes,
        config={"dataset.holdout": 0.25, "dataset.holdout_every": 4, "training.batch_size": 24},
    ),
    "weights_do_not_move": Plant(
        ("validation_frozen",),
        config={
            "dataset.holdout": 0.2,
            "dataset.holdout_every": 4,
            "training.lr": 1e-12,
            "training.lr_backbone": 1e-12,
            "training.weight_decay": 0.0,
        },
    ),
    "slow_feed": Plant(("feed_starving",), slow_s=0.3),
    "leaking_gpu": Plant(("memory_growing",), readings=leaking),
    "idling_gpu": Plant(("device_idle",), readings=idling),
}
