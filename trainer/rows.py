"""`actions.jsonl`: one row a frame, in any of the forms the simulator is known to write.

    {"frame": 0, "timestamp": 0.0, "steering": 0.1, …, "loader_x": 1.0, …}                        flat
    {"frame": 0, "action": {"steering": 0.1, …}, "state": {"loader_x": 1.0, …}}                   nested
    {"frame": 0, "action": {…}, "observation": {"loader_x": 1.0, …}}          or  {"state": {…}}  nested
    {"frame": 0, "action": [0.1, …], "state": [1.0, …]}             or  "observation.state": […]  lists

Lists stand in the config's order; one that is too short leaves the last names to the rest of the row and to
the episode's metadata, where `legos_remaining` may stand once for all frames.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.training import TrainingConfig

SHOWN_CHARACTERS = 200


class RowError(Exception):
    """A row cannot be understood. `line` counts from 1; the message quotes nothing but `shown`."""

    def __init__(self, line: int, missing: Sequence[str] = (), shown: str = "") -> None:
        super().__init__(f"line {line}")
        self.line, self.missing, self.shown = line, tuple(missing), shown


@dataclass(frozen=True)
class Table:
    """All rows of an episode: `frame` (T,), `timestamp` (T,) in seconds, `action` (T, A), `state` (T, S).

    A value that is not a number is NaN here.
    """

    frame: NDArray[np.float64]
    timestamp: NDArray[np.float64]
    action: NDArray[np.float64]
    state: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frame)


def read_table(path: Path, metadata: Mapping[str, Any], config: TrainingConfig) -> Table:
    """Read `actions.jsonl`; what a row does not hold is looked for in `metadata`.

    Raises:
        OSError: it cannot be read at all.
        RowError: a line is no JSON object, or lacks a value the config names.
    """
    lines = [line for line in path.read_text("utf-8", errors="replace").split("\n") if line.strip()]
    common = {name: metadata[name] for name in config.state_names if name in metadata}
    rows = [_row(number, line, common, config) for number, line in enumerate(lines, start=1)]
    return Table(
        frame=np.array([_number(row.get("frame", index)) for index, row in enumerate(rows)]),
        timestamp=np.array(
            [_number(row.get("timestamp", index / config.dataset.fps)) for index, row in enumerate(rows)]
        ),
        action=_columns(rows, config.action_names),
        state=_columns(rows, config.state_names),
    )


def _row(number: int, line: str, common: Mapping[str, Any], config: TrainingConfig) -> Mapping[str, Any]:
    try:
        read = json.loads(line)
    except ValueError:
        raise RowError(number) from None
    if not isinstance(read, dict):
        raise RowError(number, config.action_names, line[:SHOWN_CHARACTERS])
    row = {**common, **values_of(read, config)}
    missing = [name for name in (*config.action_names, *config.state_names) if name not in row]
    if missing:
        raise RowError(number, missing, line[:SHOWN_CHARACTERS])
    return row


def values_of(row: Mapping[str, Any], config: TrainingConfig) -> dict[str, Any]:
    """The row's values by name, whichever of the known forms it has."""
    found = {"frame": row["frame_index"]} if "frame_index" in row else {}
    found |= {name: value for name, value in row.items() if not isinstance(value, dict | list)}
    found |= _named(row.get("action"), config.action_names)
    observation = row.get("observation")
    inner = observation.get("state") if isinstance(observation, dict) else None
    for state in (observation, inner, row.get("observation.state"), row.get("state")):
        found |= _named(state, config.state_names)
    return found


def _named(values: Any, names: Sequence[str]) -> dict[str, Any]:
    match values:
        case dict():
            return {name: value for name, value in values.items() if not isinstance(value, dict | list)}
        case list() if len(values) <= len(names):
            return dict(zip(names, values, strict=False))
        case _:
            return {}


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[_number(row[name]) for name in names] for row in rows]).reshape(len(rows), len(names))


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan
