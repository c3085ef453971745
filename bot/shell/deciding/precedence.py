"""Which orders keep their place behind one that waits for its own time, and which may go past it.

What goes to the same place in the bucket stays in order; a HANDOFF comes after all that it speaks of. So a
cycle that is over owes no upload, and nothing of it can come to lie over the next one's.
"""

from bot.core.effects import (
    Effect,
    ForgetCheckpoint,
    HandOn,
    KillJob,
    PublishBest,
    PublishCheckpoint,
    PublishCurve,
    StopJob,
    TellArrived,
    VerifyCheckpoint,
)


def stays_behind(order: Effect, first: Effect) -> bool:
    """Must `order` not be carried out before `first`, which is owed for longer?

    A best does not wait for a checkpoint that fails: it is a whole checkpoint by itself, and the weights are
    safer in the bucket. Who deletes looks whose it is, so a deletion that is late deletes nothing else.
    """
    match order, first:
        case HandOn(), ForgetCheckpoint():
            return False
        case (HandOn(), _) | (_, HandOn()):
            return True
        case (PublishBest(), PublishBest()) | (PublishCurve(), PublishCurve()):
            return True
        case ((PublishCheckpoint() | PublishBest() | PublishCurve() | ForgetCheckpoint()), _):
            return False
        case (VerifyCheckpoint(), _) | ((StopJob() | KillJob()), TellArrived()):
            return False
        case _:
            return True
