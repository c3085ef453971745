"""What the pictures of a video look like, one after the other: still, or all of one colour, or seen before.

Every eighth pixel of the brightness is looked at; a whole video leaves two numbers a frame and a few coarse
glimpses behind.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

type Brightness = NDArray[np.uint8]

POINTS_ACROSS = 60
PICTURES_AT_ONCE = 16
"""Looked at together: fewer cost calls, more the cache that decoding works in."""

STIR = 6
"""Grey levels. Where nothing moves a compressed picture changes by less, nearly everywhere; where something
does a few points change by more, even when the encoder lets most of the motion go."""

GLIMPSES = 16
GLIMPSE_SHAPE = 6, 8
"""As many pictures of a video, evenly spread over it, as so many fields down and across."""

EIGHT_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"})
"""Formats whose first plane is the brightness, a byte a pixel."""

NO_GLIMPSES = np.empty((0, GLIMPSE_SHAPE[0] * GLIMPSE_SHAPE[1]))


@dataclass(frozen=True)
class Looks:
    """By frame (T,), in grey levels of 255: mean change since the frame before (first: inf), and spread.

    `stirred` is the share of points that changed by more than STIR. `glimpses` (up to GLIMPSES, fields) are
    the mean brightness of fields of a few pictures.
    """

    change: NDArray[np.float64]
    spread: NDArray[np.float64]
    stirred: NDArray[np.float64]
    glimpses: NDArray[np.float64] = field(default_factory=NO_GLIMPSES.copy)


class Eye:
    """Sees the pictures of one video in their order."""

    def __init__(self) -> None:
        self._change: list[NDArray[np.float64]] = []
        self._stirred: list[NDArray[np.float64]] = []
        self._spread: list[NDArray[np.float64]] = []
        self._fields: list[NDArray[np.float64]] = []
        self._points = np.empty((PICTURES_AT_ONCE, 0, 0), np.uint8)
        self._before: NDArray[np.uint8] | None = None
        self._waiting = 0

    def see(self, brightness: Brightness) -> None:
        """One picture (H, W)."""
        step = max(1, min(brightness.shape) // POINTS_ACROSS)
        points = brightness[step // 2 :: step, step // 2 :: step]
        if points.shape != self._points.shape[1:]:
            self._look()
            self._points = np.empty((PICTURES_AT_ONCE, *points.shape), np.uint8)
            self._before = None
        self._points[self._waiting] = points
        self._waiting += 1
        if self._waiting == PICTURES_AT_ONCE:
            self._look()

    def seen(self) -> Looks:
        self._look()
        fields = _joined(self._fields, NO_GLIMPSES)
        evenly = np.linspace(0, len(fields) - 1, min(GLIMPSES, len(fields))).astype(np.int64)
        return Looks(_joined(self._change), _joined(self._spread), _joined(self._stirred), fields[evenly])

    def _look(self) -> None:
        """At all that wait. In floating point, but every sum is a whole number, and exact."""
        if not self._waiting:
            return
        points = self._points[: self._waiting]
        first = points[:1] if self._before is None else self._before[None]
        apart = _apart(points, np.concatenate([first, points[:-1]])).reshape(len(points), -1)
        change = apart.mean(axis=1)
        if self._before is None:
            change[0] = np.inf
        levels = points.astype(np.float64)
        self._change.append(change)
        self._stirred.append((apart > STIR).mean(axis=1))
        self._spread.append(_spread(levels.reshape(len(points), -1)))
        self._fields.append(_fields(levels))
        self._before, self._waiting = points[-1].copy(), 0


def brightness(frame: VideoFrame) -> Brightness:
    """The brightness (H, W) of a decoded frame."""
    grey = frame if frame.format.name in EIGHT_BIT else frame.reformat(format="gray")
    plane = grey.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]


def _apart(ones: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """By how much they differ: bytes all the way, which wider numbers would take four times as long for."""
    return np.maximum(ones, others) - np.minimum(ones, others)


def _spread(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard deviation (n,) of (n, points)."""
    count = levels.shape[1]
    squares = count * np.vecdot(levels, levels) - levels.sum(axis=1) ** 2
    return np.sqrt(np.maximum(squares, 0)) / count


def _fields(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means (n, fields) of (n, H, W)."""
    down, across = (_parts(size, parts) for size, parts in zip(levels.shape[1:], GLIMPSE_SHAPE, strict=True))
    sizes = np.outer(down.sum(axis=1), across.sum(axis=1))
    return (down @ levels @ across.T / sizes).reshape(len(levels), -1)


@cache
def _parts(size: int, parts: int) -> NDArray[np.float64]:
    """Which of `size` points (parts, size) are in which part: 1, else 0. None is empty; a few may overlap."""
    starts = np.linspace(0, size, parts, endpoint=False).astype(np.int64)
    stops = np.maximum([*starts[1:], size], starts + 1)
    points = np.arange(size)
    return ((points >= starts[:, None]) & (points < stops[:, None])).astype(np.float64)


def _joined(
    parts: list[NDArray[np.float64]], nothing: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    return np.concatenate(parts) if parts else np.empty(0) if nothing is None else nothing
