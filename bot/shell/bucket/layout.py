"""Names under `checkpoints/` that only the bucket's own code needs; the public ones are protocol.paths."""

import re

from protocol import paths

MANIFEST = "manifest.json"
"""Written last: what we wrote and has none does not exist for a reader."""
MARKER = ".training-claw.json"
"""Written first: says that a prefix is ours. Prefixes without it are foreign."""

_CYCLE = re.compile(r"cycle(\d+)")
_EPOCH = re.compile(r"act_epoch_(\d+)")
_FOREIGN = re.compile(r"foreign-[0-9a-f]+")


def foreign_prefix(digest: str) -> str:
    """Where content that is not ours is copied before we write in its place."""
    return f"{paths.CHECKPOINTS}foreign-{digest}/"


def superseded_prefix(cycle: int) -> str:
    """Below it what other runs of this cycle wrote, while it is kept: `<run>/act_epoch_050/` …"""
    return f"{paths.checkpoints(cycle)}.superseded/"


def probe_of(host: str) -> str:
    """The only object written to see whether writing is possible."""
    return f"{paths.CHECKPOINTS}.probe/{host}"


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
