"""Is what was learned safe?"""

from typing import Literal

from pydantic import AwareDatetime

from bot.core.state.known import Known


class Checkpoint(Known):
    """`folder` is relative to the run's. Safe: its manifest stands in the bucket, since `safe_at`.

    Given up: it is tried once more, and what lies here is not whole, it is lost.
    """

    epoch: int
    folder: str
    status: Literal["saved", "given_up", "lost", "safe", "forgetting"]
    safe_at: AwareDatetime | None = None

    @property
    def is_only_here(self) -> bool:
        return self.status in ("saved", "given_up")

    @property
    def is_in_bucket(self) -> bool:
        return self.status in ("safe", "forgetting")


class Best(Known):
    """The best weights here; `asked_epoch` is on its way to the bucket, `safe_epoch` is there.

    Given up: as of a checkpoint; once it is lost (`lost_epoch`) the one that is there is the best.
    """

    epoch: int
    folder: str
    loss: float | None
    asked_epoch: int | None = None
    safe_epoch: int | None = None
    given_up: bool = False
    lost_epoch: int | None = None

    @property
    def is_only_here(self) -> bool:
        return self.safe_epoch != self.epoch


class Shelf(Known):
    """`newest` is the save that a process would go on from: its folder's name, and of how many epochs."""

    checkpoints: tuple[Checkpoint, ...] = ()
    best: Best | None = None
    handing_on: bool = False
    newest: tuple[str, int] | None = None


def all_safe(shelf: Shelf) -> bool:
    """Nothing that must be in the bucket is still only here."""
    return shelf.best is not None and not only_here(shelf)


def only_here(shelf: Shelf) -> tuple[str, ...]:
    """What must be in the bucket and is not: the epochs of checkpoints, and `best`."""
    epochs = epochs_only_here(shelf)
    return (*epochs, "best") if shelf.best is not None and shelf.best.is_only_here else epochs


def epochs_only_here(shelf: Shelf) -> tuple[str, ...]:
    return tuple(str(one.epoch) for one in shelf.checkpoints if one.is_only_here)


def newest_safe(shelf: Shelf) -> int | None:
    """The epoch of the newest checkpoint that a reader finds in the bucket."""
    return max((one.epoch for one in shelf.checkpoints if one.is_in_bucket), default=None)


def on_the_way(shelf: Shelf) -> tuple[str, ...]:
    """What was sent for the bucket and is not there yet; a best that nobody has sent is none of it."""
    best = shelf.best
    sent = best is not None and best.asked_epoch is not None and best.asked_epoch != best.safe_epoch
    return (*epochs_only_here(shelf), "best") if sent else epochs_only_here(shelf)
