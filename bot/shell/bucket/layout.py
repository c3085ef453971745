"""Where everything lies under `checkpoints/`: the card's flat paths, and each cycle's own beside them."""

import re

CHECKPOINTS = "checkpoints/"
MANIFEST = "manifest.json"
"""Written last: what we wrote and has none does not exist for a reader."""
MARKER = ".training-claw.json"
"""Written first: says that a prefix is ours. Prefixes without it are foreign."""

_CYCLE = re.compile(r"cycle(\d+)")
_EPOCH = re.compile(r"act_epoch_(\d+)")
_FOREIGN = re.compile(r"foreign-[0-9a-f]+")


def cycle_prefix(cycle: int | None) -> str:
    """Where a cycle's things lie; None means the card's flat paths."""
    return CHECKPOINTS if cycle is None else f"{CHECKPOINTS}cycle{cycle:02d}/"


def epoch_prefix(epoch: int, cycle: int | None = None) -> str:
    """Padded to three digits; order by number, not by name."""
    return f"{cycle_prefix(cycle)}act_epoch_{epoch:03d}/"


def best_prefix(cycle: int | None = None) -> str:
    return f"{cycle_prefix(cycle)}act_best/"


def curve_name(cycle: int | None = None) -> str:
    return f"{cycle_prefix(cycle)}loss_curve.png"


def foreign_prefix(digest: str) -> str:
    """Where content that is not ours is copied before we write in its place."""
    return f"{CHECKPOINTS}foreign-{digest}/"


def marker_of(name: str) -> str:
    """The marker of a single object of ours, say the loss curve."""
    folder, _, base = name.rpartition("/")
    return f"{folder}/.training-claw/{base}.json"


def cycle_of(prefix: str) -> int | None:
    found = _CYCLE.fullmatch(_last(prefix))
    return int(found[1]) if found else None


def epoch_of(prefix: str) -> int | None:
    found = _EPOCH.fullmatch(_last(prefix))
    return int(found[1]) if found else None


def holds_checkpoints(prefix: str) -> bool:
    """Whether `prefix` is a folder of checkpoints rather than one itself."""
    return bool(_CYCLE.fullmatch(_last(prefix)) or _FOREIGN.fullmatch(_last(prefix)))


def is_hidden(prefix: str) -> bool:
    return _last(prefix).startswith(".")


def _last(prefix: str) -> str:
    return prefix.removesuffix("/").rpartition("/")[2]
