"""Which checkpoints stay: the card's last three and the best. Nothing else says what may go."""

from collections.abc import Collection


def superseded(safe_epochs: Collection[int], best_epoch: int | None, keep: int = 3) -> tuple[int, ...]:
    """The epochs that may go, oldest first. Only what is verified in the bucket is even asked about.

    >>> superseded((50, 100, 150, 200, 250), best_epoch=100)
    (50,)
    """
    newest = sorted(safe_epochs)[-keep:] if keep else []
    return tuple(epoch for epoch in sorted(safe_epochs) if epoch not in newest and epoch != best_epoch)
