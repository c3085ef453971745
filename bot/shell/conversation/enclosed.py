"""What goes along with a message: a picture of the run, or the report of a check."""

from collections.abc import Sequence
from pathlib import Path

from protocol.folders import RunFolder

REPORT = ("report.json", "frames.png", "actions.png", "episodes.png")
"""The most telling first: what does not fit any more stays here."""

MOST_BYTES = 8 * 2**20
"""Less than Discord takes with one message (10 MiB): https://discord.com/developers/docs/reference#uploading-files"""


MOST_FILES = 10
"""With one message: https://discord.com/developers/docs/resources/message#create-message"""


def enclosed(run: RunFolder, show: Sequence[str]) -> tuple[Path, ...]:
    """The files that `show` names (`bot.core.effects.Post`), as far as they are there and small enough."""
    chosen: list[Path] = []
    left_bytes = MOST_BYTES
    for path in (path for name in show for path in _files_of(run, name)):
        size = path.stat().st_size if path.is_file() else left_bytes + 1
        if size <= left_bytes and len(chosen) < MOST_FILES:
            chosen.append(path)
            left_bytes -= size
    return tuple(chosen)


def _files_of(run: RunFolder, name: str) -> list[Path]:
    named = run.loss_curve if name == "loss_curve" else run.path / name
    return [named / one for one in REPORT] if named.is_dir() else [named]
