"""What the loader's own camera sees of the simulator's world, in pixels."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from trainer.simulation.scene import Moment, World

WIDTH, HEIGHT = 640, 480

FOCAL_PX = WIDTH / 2 / math.tan(math.radians(40))
CAMERA_HEIGHT, CAMERA_PITCH = 1.3, 0.22
BLOCK_SIZE = 0.8
TEXELS_PER_M = 12

type Plane = NDArray[np.uint8]


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
