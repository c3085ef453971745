"""Is a row of times even, and at which rate?"""

import numpy as np
from numpy.typing import NDArray

type Times = NDArray[np.float64]


def rate(times: Times) -> float:
    """Frames a second on the whole; 0 where that says nothing."""
    if len(times) < 2 or not times[-1] > times[0]:
        return 0.0
    return float((len(times) - 1) / (times[-1] - times[0]))


def is_at(times: Times, fps: float) -> bool:
    return abs(rate(times) - fps) <= 0.01 * fps


def first_uneven(times: Times, fps: float) -> int | None:
    """The first frame that does not come a frame's time after the one before it, give or take half."""
    wrong = ~(np.abs(np.diff(times) * fps - 1) <= 0.5)
    return int(np.argmax(wrong)) + 1 if wrong.any() else None
