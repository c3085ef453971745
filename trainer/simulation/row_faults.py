"""Ways to spoil `actions.jsonl`."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

ACTIONS = "actions.jsonl"


def frame_count(folder: Path) -> None:
    """Two actions fewer than pictures."""
    _write_rows(folder, _rows(folder)[:-2])


def extra_actions(folder: Path) -> None:
    """Two actions more than pictures."""
    rows = _rows(folder)
    step = rows[1]["timestamp"]
    more = [{**rows[-1], "frame": len(rows) + n, "timestamp": (len(rows) + n) * step} for n in range(2)]
    _write_rows(folder, rows + more)


def frame_gap(folder: Path) -> None:
    """One frame's number is left out; the count is right."""
    _renumbered(folder, lambda frame, middle: frame + (frame >= middle))


def frame_from_one(folder: Path) -> None:
    """Frames are numbered from 1."""
    _renumbered(folder, lambda frame, _: frame + 1)


def frame_repeated(folder: Path) -> None:
    """Two rows have one number."""
    _renumbered(folder, lambda frame, middle: frame - (frame == middle))


def frames_swapped(folder: Path) -> None:
    """Two rows stand in the wrong order."""
    rows = _rows(folder)
    middle = len(rows) // 2
    rows[middle], rows[middle + 1] = rows[middle + 1], rows[middle]
    _write_rows(folder, rows)


def wrong_log_fps(folder: Path) -> None:
    """The rows' clock runs at 25 fps."""
    _retimed(folder, lambda frame, _: frame / 25)


def uneven_log(folder: Path) -> None:
    """One row comes late by most of a frame."""
    _retimed(folder, lambda frame, middle: (frame + 0.8 * (frame == middle)) / 30)


def wandering_log(folder: Path) -> None:
    """The rows' clock falls behind the pictures' and catches up, too slowly to see between two frames."""
    late = {0: 0.3, 1: 0.6, 2: 0.6, 3: 0.3}
    _retimed(folder, lambda frame, middle: (frame + late.get(frame - middle, 0)) / 30)


def backward_log(folder: Path) -> None:
    """The rows' clock jumps back."""
    _retimed(folder, lambda frame, middle: (frame - 5 * (frame >= middle)) / 30)


def nan(folder: Path) -> None:
    """An action is NaN."""
    _set_one(folder, "steering", float("nan"))


def inf(folder: Path) -> None:
    """A state is infinite."""
    _set_one(folder, "loader_x", float("inf"))


def huge_number(folder: Path) -> None:
    """A state is a whole number of four hundred digits."""
    _set_one(folder, "loader_z", 10**400)


def out_of_range(folder: Path) -> None:
    """An action is above 1."""
    _set_one(folder, "throttle", 1.5)


def below_range(folder: Path) -> None:
    """An action is a little below -1."""
    _set_one(folder, "lift", -1.001)


def text_value(folder: Path) -> None:
    """An action is a word."""
    _set_one(folder, "steering", "left")


def quoted_number(folder: Path) -> None:
    """An action is a number in quotes."""
    _set_one(folder, "bucket", "0.5")


def null_value(folder: Path) -> None:
    """A state is null."""
    _set_one(folder, "loader_rotation", None)


def true_value(folder: Path) -> None:
    """An action is true."""
    _set_one(folder, "lift", True)


def missing_field(folder: Path) -> None:
    """One row lacks an action."""
    rows = _rows(folder)
    del rows[len(rows) // 2]["lift"]
    _write_rows(folder, rows)


def unknown_row(folder: Path) -> None:
    """Rows are of a form nobody told us of."""
    _write_rows(folder, [{"frame": row["frame"], "controls": "fwd"} for row in _rows(folder)])


def list_row(folder: Path) -> None:
    """A row is a list, not an object."""
    _with_line(folder, lambda line: json.dumps(list(json.loads(line).values())).encode())


def broken_row(folder: Path) -> None:
    """The last row is half a line, as after a full disk."""
    path = folder / ACTIONS
    path.write_bytes(path.read_bytes()[:-40])


def broken_middle_row(folder: Path) -> None:
    """A row in the middle is half a line."""
    _with_line(folder, lambda line: line[: len(line) // 2])


def merged_rows(folder: Path) -> None:
    """Two rows stand on one line."""
    _with_line(folder, lambda line: line + line)


def duplicate_key(folder: Path) -> None:
    """A row says its steering twice, and not the same."""
    _with_line(folder, lambda line: line[:-1] + b', "steering": 0.0}')


def huge_line(folder: Path) -> None:
    """A line is a hundred thousand characters long."""
    _with_line(folder, lambda line: line[:-1] + b', "note": "' + b"x" * 100_000 + b'"}')


def deep_row(folder: Path) -> None:
    """A row is nested thirty thousand levels deep."""
    _with_line(folder, lambda _: b"[" * 30_000 + b"]" * 30_000)


def not_utf8(folder: Path) -> None:
    """A line holds bytes that are no UTF-8."""
    _with_line(folder, lambda line: line[:-1] + b', "note": "\xff\xfe"}')


def zero_bytes(folder: Path) -> None:
    """A line is a block of zeros, as after a crash of the machine."""
    _with_line(folder, lambda line: bytes(len(line)))


def bom(folder: Path) -> None:
    """The file begins with a byte order mark."""
    path = folder / ACTIONS
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def empty_actions(folder: Path) -> None:
    """The file is empty."""
    (folder / ACTIONS).write_bytes(b"")


def missing_actions(folder: Path) -> None:
    """There is no actions.jsonl."""
    (folder / ACTIONS).unlink()


def pipe_actions(folder: Path) -> None:
    """A named pipe stands where actions.jsonl should: reading it would never end."""
    (folder / ACTIONS).unlink()
    os.mkfifo(folder / ACTIONS)


WAYS = (
    *(frame_count, extra_actions, frame_gap, frame_from_one, frame_repeated, frames_swapped),
    *(wrong_log_fps, uneven_log, wandering_log, backward_log),
    *(nan, inf, huge_number, out_of_range, below_range, text_value, quoted_number, null_value, true_value),
    *(missing_field, unknown_row, list_row, broken_row, broken_middle_row, merged_rows, duplicate_key),
    *(huge_line, deep_row, not_utf8, zero_bytes, bom, empty_actions, missing_actions, pipe_actions),
)


# --- small parts --------------------------------------------------------------------

type Renumber = Callable[[int, int], float]
"""A frame's new number or time, by its number and that of the middle frame."""


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / ACTIONS).read_text().splitlines()]


def _write_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / ACTIONS).write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def _renumbered(folder: Path, number: Renumber) -> None:
    _write_rows(folder, [{**row, "frame": number(row["frame"], half)} for row, half in _halved(folder)])


def _retimed(folder: Path, time: Renumber) -> None:
    _write_rows(folder, [{**row, "timestamp": time(row["frame"], half)} for row, half in _halved(folder)])


def _halved(folder: Path) -> list[tuple[dict[str, Any], int]]:
    rows = _rows(folder)
    return [(row, len(rows) // 2) for row in rows]


def _set_one(folder: Path, name: str, value: Any) -> None:
    rows = _rows(folder)
    rows[len(rows) // 2][name] = value
    _write_rows(folder, rows)


def _with_line(folder: Path, changed: Callable[[bytes], bytes]) -> None:
    path = folder / ACTIONS
    lines = path.read_bytes().splitlines()
    lines[len(lines) // 2] = changed(lines[len(lines) // 2])
    path.write_bytes(b"\n".join(lines) + b"\n")
