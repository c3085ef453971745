"""The simulator's world: a loader on a plain steers to a coloured block, seen from its own camera.

What is right to do follows from where the block stands in the picture and how big it is, from nothing else:
where the loader stands and how many blocks are left (the state) says nothing about where the next one is.
Lengths in metres, angles in radians clockwise from the z axis, pictures in pixels.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 640, 480
FPS = 30

FOCAL_PX = WIDTH / 2 / math.tan(math.radians(40))
CAMERA_HEIGHT, CAMERA_PITCH = 1.3, 0.22
BLOCK_SIZE = 0.8
TEXELS_PER_M = 12

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

type Plane = NDArray[np.uint8]


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


# --- what the camera sees -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Camera:
    """Per half-resolution pixel: the ray's sideways slope, and per row below the horizon how far it goes."""

    slopes: NDArray[np.float32]
    reach: NDArray[np.float32]
    ahead: NDArray[np.float32]
    fade: NDArray[np.float32]
    horizon: int


def picture(moment: Moment) -> Plane:
    """The frame as yuv420p planes (H * 3 / 2, W), the way PyAV takes them."""
    world, camera = moment.world, _camera()
    planes = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
    luma = planes[:HEIGHT]
    blue, red = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    heading = world.rotation + moment.swing
    half = np.empty((HEIGHT // 2, WIDTH // 2), np.uint8)
    half[: camera.horizon] = _sky(heading, camera)
    half[camera.horizon :] = _ground(world, heading, camera)
    luma[:] = half.repeat(2, axis=0).repeat(2, axis=1)
    blue[: camera.horizon], red[: camera.horizon] = 140, 120
    blue[camera.horizon :], red[camera.horizon :] = 118, 134
    _draw_block(world, heading, luma, blue, red)
    return planes


@cache
def _camera() -> Camera:
    slopes = (np.arange(WIDTH // 2, dtype=np.float32) * 2 + 1 - WIDTH / 2) / FOCAL_PX
    down = (np.arange(HEIGHT // 2, dtype=np.float32) * 2 + 1 - HEIGHT / 2) / FOCAL_PX
    falling = down * math.cos(CAMERA_PITCH) + math.sin(CAMERA_PITCH)
    horizon = int(np.argmax(falling > 0.01))
    reach = CAMERA_HEIGHT / falling[horizon:]
    ahead = reach * (math.cos(CAMERA_PITCH) - down[horizon:] * math.sin(CAMERA_PITCH))
    ahead = ahead.astype(np.float32)
    return Camera(slopes, reach, ahead, np.exp(-ahead / 6)[:, None], horizon)


@cache
def _texture() -> NDArray[np.float32]:
    """A tile of ground: 256 x 256 texels of smooth patches, around zero."""
    coarse = np.random.default_rng(7).normal(0, 26, (32, 32))
    patches = np.kron(coarse, np.ones((8, 8)))
    softened = [np.roll(patches, (down, right), (0, 1)) for down in range(4) for right in range(4)]
    return np.mean(softened, axis=0).astype(np.float32)


def _ground(world: World, heading: float, camera: Camera) -> Plane:
    sine, cosine = math.sin(heading), math.cos(heading)
    x = (world.x + camera.ahead * sine)[:, None] + (camera.reach * cosine)[:, None] * camera.slopes
    z = (world.z + camera.ahead * cosine)[:, None] - (camera.reach * sine)[:, None] * camera.slopes
    column = (x * TEXELS_PER_M).astype(np.int32) & 255
    row = (z * TEXELS_PER_M).astype(np.int32) & 255
    return (110 + _texture()[row, column] * camera.fade).clip(16, 235).astype(np.uint8)


def _sky(heading: float, camera: Camera) -> Plane:
    """Brighter towards the horizon, with hills that turn with the loader."""
    rows = np.arange(camera.horizon)
    bright = (170 + 60 * rows / camera.horizon).astype(np.uint8)
    azimuth = heading + np.arctan(camera.slopes)
    hills = camera.horizon - (9 + 5 * np.sin(3 * azimuth) + 3 * np.sin(11 * azimuth + 1))
    return np.where(rows[:, None] > hills, np.uint8(130), bright[:, None])


def _draw_block(world: World, heading: float, luma: Plane, blue: Plane, red: Plane) -> None:
    """An upright block with a light top, a dark side and a shadow; nothing when it is behind the camera."""
    east, north = world.block.x - world.x, world.block.z - world.z
    across = east * math.cos(heading) - north * math.sin(heading)
    ahead = east * math.sin(heading) + north * math.cos(heading)
    if ahead < 0.3:
        return
    middle, foot, depth = _project(across, ahead, 0.0)
    _, top, _ = _project(across, ahead, BLOCK_SIZE)
    reach = FOCAL_PX * BLOCK_SIZE / 2 / depth
    left, right = middle - reach, middle + reach
    y, u, v = world.block.colour
    _fill(luma, (left - reach / 4, foot - reach / 6, right + reach / 4, foot + reach / 6), 60)
    _fill(luma, (left, top, right, foot), y)
    _fill(luma, (left, top, right, top + (foot - top) / 6), min(235, y + 40))
    _fill(luma, (right - reach / 3, top, right, foot), max(16, y - 30))
    for plane, value in ((blue, u), (red, v)):
        _fill(plane, (left / 2, top / 2, right / 2, foot / 2), value)


def _project(across: float, ahead: float, height: float) -> tuple[float, float, float]:
    """Column, row and depth of a point of the world, in pixels and metres."""
    below = CAMERA_HEIGHT - height
    depth = ahead * math.cos(CAMERA_PITCH) + below * math.sin(CAMERA_PITCH)
    fall = below * math.cos(CAMERA_PITCH) - ahead * math.sin(CAMERA_PITCH)
    return WIDTH / 2 + FOCAL_PX * across / depth, HEIGHT / 2 + FOCAL_PX * fall / depth, depth


def _fill(plane: Plane, box: tuple[float, float, float, float], value: int) -> None:
    """Paint left, top, right, bottom, as far as they lie in the plane."""
    height, width = plane.shape
    left, top, right, bottom = (max(round(edge), 0) for edge in box)
    plane[min(top, height) : bottom, min(left, width) : right] = value
