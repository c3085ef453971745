"""TensorBoard's event files, written beside the training: a point an epoch (`tensorboard --logdir runs`).

tensorboardX writes them, in a thread of its own; what fails here is logged and harms nothing.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from trainer.learning.history import TrainerState

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

log = logging.getLogger(__name__)


@dataclass
class Board:
    """Writes to `folder`. `from_epoch` is how many epochs are finished: points an earlier attempt has written
    beyond it are taken back."""

    folder: Path
    from_epoch: int
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
            for name, value in values.items():
                self._writer.add_scalar(name, value, epoch)
        except Exception:
            log.exception("%s could not be written", self.folder)

    def _close(self) -> None:
        if "_writer" in vars(self):
            self._writer.close()

    @cached_property
    def _writer(self) -> "SummaryWriter":
        from tensorboardX import SummaryWriter  # noqa: PLC0415  half a second, and in this thread

        return SummaryWriter(str(self.folder), purge_step=self.from_epoch + 1)


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
