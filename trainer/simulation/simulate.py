"""A simulator's output, for rehearsals and tests: episodes as Developer's simulator writes them.

    OUT/episode_000/ego.mp4          640x480, 30 fps, h264; of a robot with two cameras wrist.mp4, too
    OUT/episode_000/actions.jsonl    one row a frame
    OUT/episode_000/metadata.json

An episode follows from the seed and its number alone: `first` continues a set without repeating any of it.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from trainer.data.video import write_video
from trainer.process.attempt import JobError, Told, hears_nothing
from trainer.simulation.camera import HEIGHT, WIDTH, picture
from trainer.simulation.faults import Fault
from trainer.simulation.robots import ROBOTS, Robot
from trainer.simulation.scene import FPS, Moment, play


def simulate(
    out: Path,
    *,
    episodes: int,
    frames: int,
    seed: int = 0,
    first: int = 0,
    lead_in: int = 0,
    robot: str = "loader",
    faults: Sequence[Fault] = (),
    told: Told = hears_nothing,
) -> None:
    """Write episodes `first` … `first + episodes - 1` of `frames` frames each to `out`, then spoil some.

    The first `lead_in` frames of each show a swinging camera while the loader idles: they teach nothing.
    `told(done, total)` hears of every episode written.

    Raises:
        JobError: an episode is already there, or a fault names one that is not made.
    """
    numbers = range(first, first + episodes)
    _look_before(out, numbers, faults)
    for done, number in enumerate(numbers, start=1):
        _write_episode(out, number, frames=frames, seed=seed, lead_in=lead_in, robot=ROBOTS[robot])
        told(done, episodes)
    for fault in faults:
        fault.spoil(out / episode_name(fault.episode))


def episode_name(number: int) -> str:
    return f"episode_{number:03d}"


def _look_before(out: Path, numbers: range, faults: Sequence[Fault]) -> None:
    for number in numbers:
        if (out / episode_name(number)).exists():
            raise JobError("bad_job", f"{out / episode_name(number)} is already there; name an empty folder")
    for fault in faults:
        if fault.episode not in numbers:
            raise JobError("bad_job", f"fault {fault.name}: {episode_name(fault.episode)} is not made here")


def _write_episode(out: Path, number: int, *, frames: int, seed: int, lead_in: int, robot: Robot) -> None:
    """Written beside and renamed, so that a folder of that name is always whole."""
    moments = list(play(np.random.default_rng((seed, number)), frames, lead_in))
    unfinished = out / f".{episode_name(number)}.{os.getpid()}"
    unfinished.mkdir(parents=True)
    for camera, aside in robot.cameras.items():
        seen = (picture(replace(moment, swing=moment.swing + aside)) for moment in moments)
        write_video(unfinished / f"{camera}.mp4", seen, width=WIDTH, height=HEIGHT, fps=FPS)
    rows = (json.dumps(_row(frame, moment, robot)) for frame, moment in enumerate(moments))
    (unfinished / "actions.jsonl").write_text("".join(f"{row}\n" for row in rows))
    (unfinished / "metadata.json").write_text(json.dumps(_metadata(number, frames, seed), indent=2) + "\n")
    unfinished.rename(out / episode_name(number))


def _row(frame: int, moment: Moment, robot: Robot) -> dict[str, float | int]:
    world = moment.world
    return {
        "frame": frame,
        "timestamp": round(frame / FPS, 6),
        **{name: round(value, 6) for name, value in robot.told(moment).items()},
        "loader_x": round(world.x, 6),
        "loader_z": round(world.z, 6),
        "loader_rotation": round(world.rotation, 6),
        "legos_remaining": world.legos_remaining,
    }


def _metadata(number: int, frames: int, seed: int) -> dict[str, Any]:
    return {
        "episode": episode_name(number),
        "fps": FPS,
        "frames": frames,
        "seed": seed,
        "success_criteria": {"description": "the loader drives up to the block and works on it", "met": True},
        "success": True,
    }
