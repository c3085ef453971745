"""Writes in a thread of its own, one thing after the other, while the training goes on."""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import torch

from trainer.process.background import step_back

AHEAD = 2
"""So many writings may be under way or wait: each holds a copy of the training in memory."""

log = logging.getLogger(__name__)


def _aside() -> None:
    """In the writing thread: leave cores and GPU to whoever trains."""
    torch.set_num_threads(1)
    if torch.cuda.is_initialized():
        torch.cuda.set_stream(torch.cuda.Stream())  # its copies stand in no step's way
    step_back()


@dataclass
class Writer:
    """What fails is raised in the thread that trains, at its next `submit`, `look` or `wait`; what was to be
    written after it is not."""

    _under_way: deque[Future[None]] = field(default_factory=deque[Future[None]])
    _failed: bool = False
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "writer", initializer=_aside)
    )

    @property
    def is_busy(self) -> bool:
        return any(not writing.done() for writing in self._under_way)

    def submit(self, write: Callable[[], None]) -> None:
        """Have it written. Waits while AHEAD writings are under way.

        Raises:
            Exception: whatever an earlier writing raised.
        """
        self.look()
        while len(self._under_way) >= AHEAD:
            self._under_way.popleft().result()
        self._under_way.append(self._thread.submit(self._do, write))

    def look(self) -> None:
        """Raises whatever a writing that has ended raised."""
        while self._under_way and self._under_way[0].done():
            self._under_way.popleft().result()

    def wait(self) -> None:
        """Until all is written. Raises as `submit` does."""
        while self._under_way:
            self._under_way.popleft().result()

    def _do(self, write: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            write()
        except BaseException:
            self._failed = True
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever has been submitted is written, also when the training fails."""
        self._thread.shutdown(wait=True)
        for writing in self._under_way:
            if (error := writing.exception()) is not None:
                log.error("not written: %s", error)
