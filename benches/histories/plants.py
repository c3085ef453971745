"""What may be wrong with a data set or a config, planted into a run that would be healthy without it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benches.histories.world import World

STEERING, BUCKET, LIFT = 0, 2, 3


def nothing(_: World) -> None:
    pass


@dataclass(frozen=True)
class Plant:
    """`facts`: any one of them tells of it. `into` spoils the data, `config` the settings.

    With `at_resume` the run begins healthy, is stopped, and goes on with both spoilt. `slow_s` is how late
    each batch's frames come.
    """

    facts: tuple[str, ...]
    into: Callable[[World], None] = nothing
    config: dict[str, Any] = field(default_factory=dict)
    at_resume: bool = False
    slow_s: float = 0.0


def noisy(channel: int) -> Callable[[World], None]:
    """Values without any reason."""

    def spoil(world: World) -> None:
        world.action[:, channel] = world.rng.uniform(-1, 1, len(world.action))

    return spoil


def negated_episode(world: World) -> None:
    """The sign of every action of an episode is wrong."""
    world.action[world.episode(4)] *= -1


def foreign_labels(world: World) -> None:
    """An episode has the actions of another, backwards."""
    world.action[world.episode(4)] = world.action[world.episode(7)][::-1]


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


def other_data(world: World) -> None:
    """All actions are another robot's."""
    world.action[:] = world.action[::-1, ::-1] * -1


TOO_HIGH = ("diverging", "plateau", "best_long_past", "loss_jump_after_resume", "gradient_clipped")

PLANTS: dict[str, Plant] = {
    "noisy_steering": Plant(("channel_l1_high:steering",), noisy(STEERING)),
    "noisy_bucket": Plant(("channel_l1_high:bucket",), noisy(BUCKET)),
    "negated_episode": Plant(("episode_l1_high:episode_004",), negated_episode),
    "foreign_labels": Plant(("episode_l1_high:episode_004",), foreign_labels),
    "random_episode": Plant(("episode_l1_high:episode_004",), random_episode),
    "rare_steering": Plant(("thin_extremes:steering", "channel_l1_high:steering"), rare_extremes(STEERING)),
    "rare_lift": Plant(("thin_extremes:lift", "channel_l1_high:lift"), rare_extremes(LIFT)),
    "lr_x30": Plant(TOO_HIGH, config={"training.lr": 0.03, "training.lr_backbone": 0.03}),
    "lr_backbone_x300": Plant(TOO_HIGH, config={"training.lr_backbone": 0.3}),
    "lr_far_too_low": Plant(("plateau",), config={"training.lr": 1e-8, "training.lr_backbone": 1e-8}),
    "clipped_to_nothing": Plant(("gradient_clipped",), config={"training.grad_clip_norm": 0.02}),
    "resumed_on_other_data": Plant(("loss_jump_after_resume",), other_data, at_resume=True),
    "resumed_with_lr_x30": Plant(
        TOO_HIGH, config={"training.lr": 0.03, "training.lr_backbone": 0.03}, at_resume=True
    ),
    "slow_feed": Plant(("feed_starving",), slow_s=0.3),
}
