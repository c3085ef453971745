"""The robots that the simulator plays: what each is told at a moment, and where its cameras look.

The arm is the card's announced extension: base 3, arm 6, gripper 1, with a camera at its wrist. It works on
the same blocks, and again what is right to do follows from the picture alone.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from protocol.training import ACTION_NAMES
from trainer.simulation.scene import Moment


@dataclass(frozen=True)
class Robot:
    """`cameras` look aside by so many radians; `told` are the actions by name, each in [-1, 1]."""

    cameras: Mapping[str, float]
    told: Callable[[Moment], dict[str, float]]


def _loader(moment: Moment) -> dict[str, float]:
    action = moment.action
    return {
        "steering": action.steering,
        "throttle": action.throttle,
        "bucket": action.bucket,
        "lift": action.lift,
    }


def _arm(moment: Moment) -> dict[str, float]:
    """The base drives as the loader does and leans into turns; six joints reach out as the block nears."""
    action = moment.action
    base = (action.throttle, action.steering, 0.5 * action.throttle * action.steering)
    joints = tuple(
        math.tanh((0.4 + 0.2 * joint) * (action.lift + 0.3 * (joint - 2.5) * action.steering))
        for joint in range(6)
    )
    return dict(zip(ACTION_NAMES[10], (*base, *joints, action.bucket), strict=True))


ROBOTS: dict[str, Robot] = {
    "loader": Robot({"ego": 0.0}, _loader),
    "arm": Robot({"ego": 0.0, "wrist": 0.3}, _arm),
}
