"""Where the pictures of a data set lie while it is learned from: as near to the device as there is room.

On the device; else in main memory; else where they are, in the file, mapped: then the machine keeps of them
what it has room for, and reads the rest again and again, which is slow but no end by running out of memory.
"""

import logging
import os
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from trainer.data.store import Frames, FrameStore, frame_maps
from trainer.learning.device import free_bytes

STAGED_BYTES = 64 << 20
"""What is on its way to a GPU at once. Only pinned memory is copied quickly, and nobody else gets that."""

log = logging.getLogger(__name__)


def home(store: FrameStore, device: torch.device) -> str | None:
    """The kind of device that the frames will lie on, `device`'s or "cpu"; None: they stay in the file."""
    found = home_of(sum(frames.nbytes for frames in store.frames.values()), rooms(device), sharers())
    log.info("the frames of %s are kept in: %s", store.path, found or "the file, mapped")
    return found


def frames_of(store: FrameStore, home: str | None) -> dict[str, Tensor]:
    """The frames uint8 (N, H, W, 3) by camera, on the CPU unless `home` is another device."""
    if home is None:
        return {camera: torch.from_numpy(mapped) for camera, mapped in frame_maps(store.path, "c").items()}
    return {camera: brought(frames, torch.device(home)) for camera, frames in store.frames.items()}


def rooms(device: torch.device) -> dict[str, int]:
    """How many bytes are free on the device and in main memory, nearest first."""
    return {kind: free_bytes(torch.device(kind)) for kind in dict.fromkeys((device.type, "cpu"))}


def sharers() -> int:
    """How many processes of this machine learn together (torchrun tells them)."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def home_of(num_bytes: int, rooms: Mapping[str, int], sharers: int) -> str | None:
    """The first room of which they take less than half: model, optimizer and activations need the other.
    None: no room. Processes that share a machine's memory share one map of the file, too."""
    return next(
        (kind for kind, free in rooms.items() if num_bytes < free / 2 and (kind != "cpu" or sharers == 1)),
        None,
    )


def brought(frames: Frames, home: torch.device, staged_bytes: int = STAGED_BYTES) -> Tensor:
    """A copy of them at `home`, by way of a small buffer; nothing larger is held beside it."""
    there = torch.empty(frames.shape, dtype=torch.uint8, device=home)
    at_once = max(1, staged_bytes // max(1, frames[:1].nbytes))
    staged = torch.empty(frames[:at_once].shape, dtype=torch.uint8, pin_memory=home.type == "cuda")
    for first in range(0, len(frames), at_once):
        part = frames[first : first + at_once]
        np.copyto(staged[: len(part)].numpy(), part)
        there[first : first + len(part)].copy_(staged[: len(part)])  # waits: the buffer is filled again
    return there
