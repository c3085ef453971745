"""The simulator's world: a loader on a plain steers to a coloured block (see simulation.camera for the view).

What is right to do follows from where the block stands in the picture and how big it is, from nothing else:
where the loader stands and how many blocks are left (the state) says nothing about where the next one is.
Lengths in metres, angles in radians clockwise from the z axis.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

FPS = 30

TOP_SPEED, TOP_TURN = 2.4, 0.9
"""Metres and radians a second at full throttle, at full lock."""
WORKING_DISTANCE = 1.6
REACHED_DISTANCE = 1.75
LOADING_FRAMES = 25
"""How long a reached block is worked on before the loader turns to the next one."""
RESPONSE = 0.35
"""The share of the way to the wanted value that an actuator goes in one frame."""

BLOCK_COLOURS = ((76, 85, 255), (150, 44, 21), (105, 212, 235), (170, 166, 16), (92, 222, 140))
"""Y, U, V of red, green, magenta, yellow, blue."""


@dataclass(frozen=True, slots=True)
class Block:
    x: float
    z: float
    colour: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class World:
    """One instant. `loaded_frames` counts the frames since the block was reached."""

    x: float
    z: float
    rotation: float
    block: Block
    legos_remaining: int
    loaded_frames: int = 0

    @property
    def distance(self) -> float:
        return math.hypot(self.block.x - self.x, self.block.z - self.z)

    @property
    def bearing(self) -> float:
        """Where the block is seen: 0 straight ahead, positive to the right."""
        towards = math.atan2(self.block.x - self.x, self.block.z - self.z)
        return math.remainder(towards - self.rotation, math.tau)


@dataclass(frozen=True, slots=True)
class Action:
    """What the loader is told, each in [-1, 1]."""

    steering: float
    throttle: float
    bucket: float
    lift: float

    def towards(self, wanted: "Action") -> "Action":
        """One frame's way from this to `wanted`."""
        return Action(
            self.steering + RESPONSE * (wanted.steering - self.steering),
            self.throttle + RESPONSE * (wanted.throttle - self.throttle),
            self.bucket + RESPONSE * (wanted.bucket - self.bucket),
            self.lift + RESPONSE * (wanted.lift - self.lift),
        )


IDLE = Action(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame of an episode. `swing` is how far the camera looks beside the loader's own direction."""

    world: World
    action: Action
    swing: float = 0.0


def play(rng: np.random.Generator, frames: int, lead_in: int) -> Iterator[Moment]:
    """An episode, frame by frame; in the first `lead_in` the camera swings round and the loader idles."""
    world = _begin(rng)
    side = rng.choice((-1, 1)) * rng.uniform(0.7, 1.1)
    for frame in range(min(lead_in, frames)):
        yield Moment(world, IDLE, swing=side * (1 - frame / lead_in))
    action = expert(world)
    for _ in range(frames - lead_in):
        action = action.towards(expert(world))
        yield Moment(world, action)
        world = _move(world, action, rng)


def expert(world: World) -> Action:
    """What is right to do, out of the block's bearing and distance alone."""
    near = world.distance - WORKING_DISTANCE
    return Action(
        steering=math.tanh(2.2 * world.bearing),
        throttle=math.tanh(0.45 * near),
        bucket=math.tanh(1.6 * (1.0 - near)),
        lift=math.tanh(1.1 * (0.6 - near)),
    )


def _begin(rng: np.random.Generator) -> World:
    x, z, rotation = rng.uniform(-20, 20), rng.uniform(-20, 20), rng.uniform(-math.pi, math.pi)
    return World(x, z, rotation, _place(rng, x, z, rotation), legos_remaining=int(rng.integers(4, 20)))


def _place(rng: np.random.Generator, x: float, z: float, rotation: float) -> Block:
    """A block somewhere in view."""
    towards, distance = rotation + rng.uniform(-0.55, 0.55), rng.uniform(1.6, 6.5)
    colour = BLOCK_COLOURS[rng.integers(len(BLOCK_COLOURS))]
    return Block(x + distance * math.sin(towards), z + distance * math.cos(towards), colour)


def _move(world: World, action: Action, rng: np.random.Generator) -> World:
    step = TOP_SPEED * action.throttle / FPS
    moved = replace(
        world,
        x=world.x + step * math.sin(world.rotation),
        z=world.z + step * math.cos(world.rotation),
        rotation=math.remainder(world.rotation + TOP_TURN * action.steering / FPS, math.tau),
    )
    if moved.loaded_frames >= LOADING_FRAMES:
        return replace(moved, block=_place(rng, moved.x, moved.z, moved.rotation), loaded_frames=0)
    if moved.loaded_frames:
        return replace(moved, loaded_frames=moved.loaded_frames + 1)
    if moved.distance < REACHED_DISTANCE and moved.legos_remaining:
        return replace(moved, legos_remaining=moved.legos_remaining - 1, loaded_frames=1)
    return moved
