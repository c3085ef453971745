"""Pictures that do not lie on the device, brought there before they are asked for.

The order of an epoch is known from its start. So while one pass computes, a thread gathers the pictures of
the next ones; a GPU fetches them from pinned memory in a stream of its own, beside its work.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DEPTH = 2
"""Passes whose pictures are on their way: one is being copied while another is being gathered."""

type Span = tuple[int, int]


def spans(first: int, length: int, every: int, total: int) -> list[Span]:
    """A part of an order of `total` numbers, and those that will follow it: each begins `every` later.

    >>> spans(8, 4, every=4, total=18)
    [(8, 12), (12, 16), (16, 18)]
    """
    return [(start, min(start + length, total)) for start in range(first, total, every)[: 1 + DEPTH]]


@dataclass(frozen=True)
class Brought:
    """Pictures by camera, uint8 (B, H, W, 3) on the device, there once a GPU's `arrived` has passed."""

    pictures: dict[str, Tensor]
    arrived: torch.cuda.Event | None = None

    def received(self) -> dict[str, Tensor]:
        """The GPU's own work waits until they are there; the host does not."""
        if self.arrived is not None:
            here = torch.cuda.current_stream()
            here.wait_event(self.arrived)
            for pictures in self.pictures.values():
                pictures.record_stream(here)
        return self.pictures


class Ahead:
    """Brings pictures of `frames` (N, H, W, 3 by camera, uint8, in main memory or a mapped file)."""

    def __init__(self, frames: Mapping[str, Tensor], device: torch.device) -> None:
        self._frames = {camera: each.numpy() for camera, each in frames.items()}
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._device = device
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._coming: dict[Span, Future[Brought]] = {}
        self.follow(torch.empty(0, dtype=torch.int64), 1)

    def follow(self, order: Tensor, every: int) -> Tensor:
        """`order` (n,) on the device. Its parts will be asked for in turn, each `every` after the last."""
        self._numbers, self._order, self._every = order.numpy(), order.to(self._device), every
        self._coming = {}
        return self._order

    def pictures(self, samples: Tensor) -> dict[str, Tensor]:
        """Of a part (B,) of the order that is followed, or of any samples: those are waited for."""
        first = self._beginning(samples)
        if first is None:
            return self._fetch(samples.cpu().numpy()).received()
        wanted = spans(first, len(samples), self._every, len(self._numbers))
        self._coming = {span: self._coming.get(span) or self._ordered(span) for span in wanted}
        return self._coming[wanted[0]].result().received()

    def _beginning(self, samples: Tensor) -> int | None:
        """Where in the order they begin: told by where they lie, for to compare them is to wait for a GPU."""
        lie_in_it = samples.untyped_storage().data_ptr() == self._order.untyped_storage().data_ptr()
        if not lie_in_it or not samples.is_contiguous():
            return None
        return int(samples.storage_offset()) - int(self._order.storage_offset())

    def _ordered(self, span: Span) -> Future[Brought]:
        return self._thread.submit(self._fetch, self._numbers[slice(*span)])

    def _fetch(self, numbers: NDArray[np.int64]) -> Brought:
        with nullcontext() if self._stream is None else torch.cuda.stream(self._stream):
            there = {
                camera: self._gathered(frames, numbers).to(self._device, non_blocking=True)
                for camera, frames in self._frames.items()
            }
            return Brought(there, self._arrival())

    def _arrival(self) -> torch.cuda.Event | None:
        if self._stream is None:
            return None
        arrived = torch.cuda.Event()
        arrived.record(self._stream)
        return arrived

    def _gathered(self, frames: NDArray[np.uint8], numbers: NDArray[np.int64]) -> Tensor:
        """By numpy: torch would take the step's threads for it."""
        shape = len(numbers), *frames.shape[1:]
        picked = torch.empty(shape, dtype=torch.uint8, pin_memory=self._stream is not None)
        np.take(frames, numbers, axis=0, out=picked.numpy(), mode="clip")  # "raise" gathers, then copies
        return picked
