"""Ways to spoil `metadata.json`."""

import json
from pathlib import Path
from typing import Any

METADATA = "metadata.json"
UNSET = object()


def missing_metadata(folder: Path) -> None:
    """There is no metadata.json."""
    (folder / METADATA).unlink()


def empty_metadata(folder: Path) -> None:
    """The file is empty."""
    (folder / METADATA).write_bytes(b"")


def broken_metadata(folder: Path) -> None:
    """The file ends in the middle."""
    path = folder / METADATA
    path.write_bytes(path.read_bytes()[:-30])


def list_metadata(folder: Path) -> None:
    """The file holds a list."""
    (folder / METADATA).write_text("[]")


def bom_metadata(folder: Path) -> None:
    """The file begins with a byte order mark."""
    path = folder / METADATA
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def double_metadata(folder: Path) -> None:
    """The file says whether the episode succeeded twice, and not the same."""
    path = folder / METADATA
    path.write_text(path.read_text().rstrip().removesuffix("}") + ', "success": false}')


def huge_metadata(folder: Path) -> None:
    """The file has eight million characters."""
    _set(folder, note="x" * 8_000_000)


def no_criteria(folder: Path) -> None:
    """success_criteria is missing."""
    _set(folder, success_criteria=UNSET)


def no_success(folder: Path) -> None:
    """The episode is recorded as failed."""
    _set(folder, success_criteria={"description": "drives up", "met": False}, success=False)


def one_unmet(folder: Path) -> None:
    """One of two criteria is not met."""
    _set(folder, success_criteria={"reached": True, "loaded": False})


def unknown_criteria(folder: Path) -> None:
    """success_criteria is prose, and nothing says whether it was met."""
    _set(folder, success_criteria="모두 수거", success=UNSET)


def metadata_frames(folder: Path) -> None:
    """The file counts one frame more than there are."""
    _set(folder, frames=json.loads((folder / METADATA).read_text())["frames"] + 1)


def metadata_fps(folder: Path) -> None:
    """The file says 60 fps."""
    _set(folder, fps=60)


def other_metadata(folder: Path) -> None:
    """The file is another episode's."""
    _set(folder, episode="episode_999")


WAYS = (
    *(missing_metadata, empty_metadata, broken_metadata, list_metadata, bom_metadata, double_metadata),
    *(huge_metadata, no_criteria, no_success, one_unmet, unknown_criteria, metadata_frames, metadata_fps),
    *(other_metadata,),
)


def _set(folder: Path, **values: Any) -> None:
    path = folder / METADATA
    merged = {**json.loads(path.read_text()), **values}
    kept = {name: value for name, value in merged.items() if value is not UNSET}
    path.write_text(json.dumps(kept, ensure_ascii=False))
