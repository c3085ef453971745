"""Which checkpoints of a cycle stay: the card's last three and the best.

What of other cycles and of dead publishes may go from the bucket is said by `bot/shell/bucket/retention.py`,
what a later run of the same cycle replaces by `bot/shell/bucket/superseding.py`.
"""

from collections.abc import Collection

from bot.core.policy import KEEP


def superseded(safe_epochs: Collection[int], best_epoch: int | None, keep: int = KEEP) -> tuple[int, ...]:
    """The epochs that may go, oldest first. Only what is verified in the bucket is even asked about.

    >>> superseded((50, 100, 150, 200, 250), best_epoch=100)
    (50,)
    """
    newest = sorted(safe_epochs)[-keep:] if keep else []
    return tuple(epoch for epoch in sorted(safe_epochs) if epoch not in newest and epoch != best_epoch)
