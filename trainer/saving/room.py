"""Will it fit on the disk? Asked before a training and before each save, so that it is known beforehand."""

import shutil
from pathlib import Path

from trainer.process.attempt import JobError

RESERVE_BYTES = 64 * 2**20
"""For words, logs and pictures."""

WEIGHTS_IN_TRAINING = 3
"""A save to go on from holds the weights and AdamW's two moments of each."""

LEAST_SAVES = 3
"""A checkpoint, and two resume points: the newest is whole before the former one goes."""

LEAST_BESTS = 2


def least_bytes(weights_bytes: int) -> int:
    """What a training's folder holds at the least before the first of it can be taken away."""
    return weights_bytes * (LEAST_SAVES * WEIGHTS_IN_TRAINING + LEAST_BESTS)


def require(folder: Path, needed_bytes: int, for_what: str) -> None:
    """Raises JobError("no_space") with both numbers, unless so much fits into `folder`."""
    place = next(each for each in (folder, *folder.parents) if each.exists())
    free_bytes = shutil.disk_usage(place).free
    if free_bytes < needed_bytes + RESERVE_BYTES:
        raise JobError(
            "no_space",
            f"{folder}: {for_what} takes {needed_bytes / 2**20:.0f} MiB, {free_bytes / 2**20:.0f} MiB are "
            "free; make room, then start the run again",
        )
