"""What the pictures of a video look like, one after the other: still, or all of one colour.

Every eighth pixel of the brightness is looked at; a whole video leaves two numbers a frame behind.
"""

from dataclasses import dataclass, field

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

type Brightness = NDArray[np.uint8]

POINTS_ACROSS = 60
EIGHT_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"})
"""Formats whose first plane is the brightness, a byte a pixel."""


@dataclass(frozen=True)
class Looks:
    """By frame (T,), in grey levels of 255: mean change since the frame before (first: inf), and spread."""

    change: NDArray[np.float64]
    spread: NDArray[np.float64]


@dataclass
class Eye:
    """Sees the pictures of one video in their order."""

    change: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    before: NDArray[np.int16] | None = None

    def see(self, brightness: Brightness) -> None:
        """One picture (H, W)."""
        step = max(1, min(brightness.shape) // POINTS_ACROSS)
        points = brightness[step // 2 :: step, step // 2 :: step].astype(np.int16)
        before = points if self.before is None or self.before.shape != points.shape else self.before
        self.change.append(float(np.abs(points - before).mean()) if before is not points else np.inf)
        self.spread.append(float(points.std()))
        self.before = points

    def seen(self) -> Looks:
        return Looks(np.array(self.change), np.array(self.spread))


def brightness(frame: VideoFrame) -> Brightness:
    """The brightness (H, W) of a decoded frame."""
    grey = frame if frame.format.name in EIGHT_BIT else frame.reformat(format="gray")
    plane = grey.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
