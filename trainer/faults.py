"""Ways to spoil an episode on purpose. The table `FAULTS` grows by one small function a way."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from trainer.video import write_video


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to spoil (a name in FAULTS) and the number of the episode it is done to."""

    name: str
    episode: int

    def spoil(self, folder: Path) -> None:
        FAULTS[self.name](folder)


def _frame_count(folder: Path) -> None:
    """Two actions fewer than pictures."""
    _write_rows(folder, _rows(folder)[:-2])


def _frame_gap(folder: Path) -> None:
    """One frame's number is left out; the count is right."""
    rows = _rows(folder)
    for row in rows[len(rows) // 2 :]:
        row["frame"] += 1
    _write_rows(folder, rows)


def _nan(folder: Path) -> None:
    _set_one(folder, "steering", float("nan"))


def _inf(folder: Path) -> None:
    _set_one(folder, "loader_x", float("inf"))


def _out_of_range(folder: Path) -> None:
    _set_one(folder, "throttle", 1.5)


def _broken_row(folder: Path) -> None:
    """Half a line, as after a full disk."""
    path = folder / "actions.jsonl"
    path.write_text(path.read_text()[:-40])


def _unknown_row(folder: Path) -> None:
    """Rows of a form nobody told us of."""
    _write_rows(folder, [{"frame": row["frame"], "controls": "fwd"} for row in _rows(folder)])


def _wrong_size(folder: Path) -> None:
    _rewrite_video(folder, 320, 240, fps=30)


def _wrong_fps(folder: Path) -> None:
    _rewrite_video(folder, 640, 480, fps=25)


def _truncated_video(folder: Path) -> None:
    """The last third of the file never arrived."""
    path = folder / "ego.mp4"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def _damaged_video(folder: Path) -> None:
    """A hole in the middle of the pictures' own bytes: every count is right, only decoding shows it."""
    path = folder / "ego.mp4"
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    middle = (start + len(content)) // 2
    content[middle : middle + 512] = bytes(512)
    path.write_bytes(content)


def _no_success(folder: Path) -> None:
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["success_criteria"]["met"] = metadata["success"] = False
    (folder / "metadata.json").write_text(json.dumps(metadata))


FAULTS: dict[str, Callable[[Path], None]] = {
    "frame_count": _frame_count,
    "frame_gap": _frame_gap,
    "nan": _nan,
    "inf": _inf,
    "out_of_range": _out_of_range,
    "broken_row": _broken_row,
    "unknown_row": _unknown_row,
    "missing_actions": lambda folder: (folder / "actions.jsonl").unlink(),
    "wrong_size": _wrong_size,
    "wrong_fps": _wrong_fps,
    "truncated_video": _truncated_video,
    "damaged_video": _damaged_video,
    "missing_video": lambda folder: (folder / "ego.mp4").unlink(),
    "missing_metadata": lambda folder: (folder / "metadata.json").unlink(),
    "no_success": _no_success,
}


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "actions.jsonl").read_text().splitlines()]


def _write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "actions.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def _set_one(folder: Path, name: str, value: float) -> None:
    rows = _rows(folder)
    rows[len(rows) // 2][name] = value
    _write_rows(folder, rows)


def _rewrite_video(folder: Path, width: int, height: int, fps: int) -> None:
    path = folder / "ego.mp4"
    pictures = _pictures(path, width, height)
    write_video(path, pictures, width=width, height=height, fps=fps)


def _pictures(path: Path, width: int, height: int) -> list[NDArray[np.uint8]]:
    pictures: list[NDArray[np.uint8]] = []
    with av.open(path) as container:
        frames = (frame.reformat(width, height, "yuv420p") for frame in container.decode(video=0))
        pictures.extend(frame.to_ndarray().astype(np.uint8) for frame in frames)
    return pictures
