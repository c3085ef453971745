"""Where things lie in the bucket, from its root: the card's flat paths, and each cycle's own beside them.

Folders end in a slash. Numbers are padded (`cycle03`, `act_epoch_050`) but sort by number, not by name.
"""

PLAN = "ssot/PLAN.md"
CHECKPOINTS = "checkpoints/"

ROWS = "actions.jsonl"
VIDEO = ".mp4"
"""In an episode's folder, as the simulator writes it: a row a frame, and how the name of a video ends."""


def lessons(cycle: int) -> str:
    """
    >>> lessons(3)
    'lessons/cycle03.md'
    """
    return f"lessons/cycle{cycle:02d}.md"


def checkpoints(cycle: int | None = None) -> str:
    """
    >>> checkpoints(), checkpoints(3)
    ('checkpoints/', 'checkpoints/cycle03/')
    """
    return CHECKPOINTS if cycle is None else f"{CHECKPOINTS}cycle{cycle:02d}/"


def act_epoch(epoch: int, cycle: int | None = None) -> str:
    """
    >>> act_epoch(50), act_epoch(50, cycle=3)
    ('checkpoints/act_epoch_050/', 'checkpoints/cycle03/act_epoch_050/')
    """
    return f"{checkpoints(cycle)}act_epoch_{epoch:03d}/"


def act_best(cycle: int | None = None) -> str:
    return f"{checkpoints(cycle)}act_best/"


def loss_curve(cycle: int | None = None) -> str:
    return f"{checkpoints(cycle)}loss_curve.png"
