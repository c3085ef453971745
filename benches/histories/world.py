"""Small data sets for small policies: the simulator's own scenes, seen in a picture of few pixels."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protocol.training import TrainingConfig
from trainer.data import store
from trainer.simulation.scene import Moment, play

HEIGHT, WIDTH = 16, 24
HALF_FIELD_OF_VIEW = 0.7
"""Radians to either side."""
STRIDE = 4
"""Of the simulator's frames every fourth: so that each of few frames still shows a whole approach."""
SKY, GROUND, BLOCK = (150, 180, 220), (110, 120, 90), (220, 40, 40)


@dataclass
class World:
    """`frames` uint8 (N, H, W, 3), `state` and `action` float32 (N, 4): what is planted is written here."""

    frames: NDArray[np.uint8]
    state: NDArray[np.float32]
    action: NDArray[np.float32]
    ends: list[int]
    rng: np.random.Generator

    @property
    def names(self) -> list[str]:
        return [f"episode_{number:03d}" for number in range(len(self.ends))]

    def episode(self, number: int) -> slice:
        return slice(self.ends[number - 1] if number else 0, self.ends[number])

    def write(self, path: Path, config: TrainingConfig) -> None:
        pictures = store.create(
            path,
            config=config,
            state=self.state,
            action=self.action,
            episode_ends=self.ends,
            episode_names=self.names,
        )
        pictures["ego"][:] = self.frames


def simulated(seed: int, episodes: int, frames: int) -> World:
    rng = np.random.default_rng(seed)
    length = STRIDE * frames
    moments = [moment for _ in range(episodes) for moment in islice(play(rng, length, 0), 0, None, STRIDE)]
    return World(
        frames=np.stack([_picture(moment) for moment in moments]),
        state=np.array([_state(moment) for moment in moments], np.float32),
        action=np.array([_action(moment) for moment in moments], np.float32),
        ends=[frames * number for number in range(1, episodes + 1)],
        rng=rng,
    )


def _picture(moment: Moment) -> NDArray[np.uint8]:
    """Sky, ground, and the block where and as big as it is seen."""
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    picture[: HEIGHT // 2], picture[HEIGHT // 2 :] = SKY, GROUND
    column = WIDTH * (0.5 + moment.world.bearing / HALF_FIELD_OF_VIEW / 2)
    reach = max(1.0, 6.0 / max(moment.world.distance, 0.5))
    left, right = round(column - reach), round(column + reach)
    top, bottom = round(HEIGHT / 2 - reach), round(HEIGHT / 2 + reach)
    picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = BLOCK
    return picture


def _state(moment: Moment) -> tuple[float, ...]:
    world = moment.world
    return world.x, world.z, world.rotation, world.legos_remaining


def _action(moment: Moment) -> tuple[float, ...]:
    action = moment.action
    return action.steering, action.throttle, action.bucket, action.lift
