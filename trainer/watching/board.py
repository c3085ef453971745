"""TensorBoard's event files, written beside the training: a point an epoch (`tensorboard --logdir runs`).

What fails here is logged and harms nothing. So tensorboardX only puts the records together: its own
SummaryWriter hands them to a thread that a full disk ends, and then waits for it without end.
"""

import logging
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from trainer.learning.history import TrainerState

if TYPE_CHECKING:
    from tensorboardX.record_writer import RecordWriter

FLUSH_EVERY_S = 10.0

log = logging.getLogger(__name__)


@dataclass
class Board:
    """Writes to `folder`, in a thread of its own. Points that were written there before, from the first epoch
    that is offered on, are taken back."""

    folder: Path
    clock: Callable[[], float] = time.monotonic
    _file: "RecordWriter | None" = None
    _flushed_at: float = float("-inf")
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "board"))

    def offer(self, state: TrainerState, samples_per_s: float) -> None:
        """An epoch has ended."""
        self._thread.submit(self._write, state.epoch, points(state) | {"speed/samples_per_s": samples_per_s})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.submit(self._close)
        self._thread.shutdown(wait=True)

    def _write(self, epoch: int, values: dict[str, float]) -> None:
        try:
            self._append(epoch, values)
        except Exception:
            log.exception("%s could not be written", self.folder)
            self._close()  # half a record may be its last: the next epoch begins another file

    def _append(self, epoch: int, values: dict[str, float]) -> None:
        from tensorboardX.summary import scalar  # noqa: PLC0415  half a second, and in this thread

        if self._file is None:
            self._file = _new_file(self.folder, epoch)
        for name, value in values.items():
            self._file.write(_event(step=epoch, summary=scalar(name, value)))
        if self.clock() - self._flushed_at >= FLUSH_EVERY_S:
            self._flushed_at = self.clock()
            self._file.flush()

    def _close(self) -> None:
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError:
            log.exception("%s could not be written", self.folder)


def _new_file(folder: Path, epoch: int) -> "RecordWriter":
    """An event file, which takes back what others have from `epoch` on. TensorBoard reads them in the order
    of their names."""
    from tensorboardX.proto.event_pb2 import SessionLog  # noqa: PLC0415  # pyright: ignore[reportAttributeAccessIssue]
    from tensorboardX.record_writer import RecordWriter  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    made = f"{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{epoch}"
    file = RecordWriter(str(folder / f"events.out.tfevents.{made}"))
    file.write(_event(file_version="brain.Event:2"))
    file.write(_event(step=epoch, session_log=SessionLog(status=SessionLog.START)))
    return file


def _event(**content: Any) -> bytes:
    from tensorboardX.proto.event_pb2 import Event  # noqa: PLC0415  # pyright: ignore[reportAttributeAccessIssue]

    return Event(wall_time=time.time(), **content).SerializeToString()


def points(state: TrainerState) -> dict[str, float]:
    """What the last finished epoch of `state` adds to the curves, by TensorBoard's tag."""
    epoch = state.history[-1]
    known = {
        "loss/train": epoch.loss,
        "loss/l1": epoch.l1,
        "loss/kl": epoch.kl,
        "loss/held_out_l1": epoch.held_out_l1,
        "gradient/norm": epoch.grad_norm,
        "gradient/clipped_share": epoch.clipped_share,
        **{
            f"l1/{name}": error
            for name, error in zip(state.config.action_names, epoch.l1_by_action, strict=True)
        },
    }
    return {tag: value for tag, value in known.items() if value is not None}
