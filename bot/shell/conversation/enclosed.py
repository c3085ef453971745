"""What goes along with a message: a picture of the run, or the report of a check."""

from pathlib import Path

from protocol.job import RunFolder

REPORT = ("report.json", "frames.png", "actions.png", "episodes.png")
"""The most telling first: what does not fit any more stays here."""

MOST_BYTES = 8 * 2**20
"""Less than Discord takes with one message (10 MiB): https://discord.com/developers/docs/reference#uploading-files"""


def enclosed(run: RunFolder, show: str) -> tuple[Path, ...]:
    """The files that `show` names (`bot.core.effects.Post`), as far as they are there and small enough."""
    named = run.loss_curve if show == "loss_curve" else run.path / show
    wanted = [named / name for name in REPORT] if named.is_dir() else [named]
    chosen: list[Path] = []
    left_bytes = MOST_BYTES
    for path in wanted:
        size = path.stat().st_size if path.is_file() else left_bytes + 1
        if size <= left_bytes:
            chosen.append(path)
            left_bytes -= size
    return tuple(chosen)
