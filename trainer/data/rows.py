"""`actions.jsonl`: one row a frame, in any of the forms the simulator is known to write.

    {"frame": 0, "timestamp": 0.0, "steering": 0.1, …, "loader_x": 1.0, …}                        flat
    {"frame": 0, "action": {"steering": 0.1, …}, "state": {"loader_x": 1.0, …}}                   nested
    {"frame": 0, "action": {…}, "observation": {"loader_x": 1.0, …}}          or  {"state": {…}}  nested
    {"frame": 0, "action": [0.1, …], "state": [1.0, …]}             or  "observation.state": […]  lists

Lists stand in the config's order; one that is too short leaves the last names to the rest of the row and to
the episode's metadata, where `legos_remaining` may stand once for all frames.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from protocol.training import TrainingConfig
from trainer.data.material import BOM, MAX_LINE_BYTES, MAX_ROWS_BYTES, Damaged, read_json, read_whole

SHOWN_CHARACTERS = 200
SHOWN_OF_A_VALUE = 40

NESTING = frozenset({"frame_index", "action", "state", "observation", "observation.state"})
"""What a row that is not flat has one of."""

NUMBERS = frozenset({float, int})
"""Types of values that need no second look; True is an int only by inheritance."""

type Strange = Mapping[str, Mapping[int, str]]


class RowError(Exception):
    """A row cannot be understood. `line` counts from 1; the message quotes nothing but `shown`."""

    def __init__(self, line: int, missing: Sequence[str] = (), shown: str = "", damage: str = "") -> None:
        super().__init__(f"line {line}")
        self.line, self.missing, self.shown, self.damage = line, tuple(missing), shown, damage


@dataclass(frozen=True, slots=True)
class Line:
    """`is_ended`: a line end follows, as after every line that was written to its end."""

    number: int
    text: str
    is_ended: bool


@dataclass(frozen=True)
class Table:
    """All rows of an episode: `frame` (T,), `timestamp` (T,) in seconds, `action` (T, A), `state` (T, S).

    A value that is not a number is NaN here, and stands in `strange` as it was written, by name and frame.
    """

    frame: NDArray[np.float64]
    timestamp: NDArray[np.float64]
    action: NDArray[np.float64]
    state: NDArray[np.float64]
    strange: Strange = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)


def read_table(path: Path, metadata: Mapping[str, Any], config: TrainingConfig) -> Table:
    """Read `actions.jsonl`; what a row does not hold is looked for in `metadata`.

    Raises:
        OSError: it cannot be read at all.
        Damaged: it is no regular file, or far too large.
        RowError: a line is no JSON object, or lacks a value the config names.
    """
    common = {name: metadata[name] for name in config.state_names if name in metadata}
    content = read_whole(path, MAX_ROWS_BYTES)
    rows = _plain_rows(content, common, config) or [_row(line, common, config) for line in _lines(content)]
    strange: dict[str, dict[int, str]] = {}

    def column(name: str, unsaid: float | None = None) -> list[float]:
        """`unsaid` is the value of frame 1, when it goes without saying."""
        if unsaid is None:
            values = [row[name] for row in rows]
        else:
            values = [row.get(name, frame * unsaid) for frame, row in enumerate(rows)]
        if set(map(type, values)) <= NUMBERS:
            with suppress(OverflowError):  # a whole number of more digits than a float holds
                return [*map(float, values)]
        return [_number(name, frame, value, strange) for frame, value in enumerate(values)]

    return Table(
        frame=np.array(column("frame", 1)),
        timestamp=np.array(column("timestamp", 1 / config.dataset.fps)),
        action=_side_by_side([column(name) for name in config.action_names]),
        state=_side_by_side([column(name) for name in config.state_names]),
        strange=strange,
    )


def _plain_rows(
    content: bytes, common: dict[str, Any], config: TrainingConfig
) -> list[dict[str, Any]] | None:
    """Rows in which nothing is out of the ordinary, as nearly all are; None where there is more to be said.

    The parser lets the last of two equal keys win. So signs are counted: a flat row without texts has two
    quotation marks a key, and of a key said twice only one is left.
    """
    needed = {*config.action_names, *config.state_names} - common.keys()
    rows: list[dict[str, Any]] = []
    for line in content.split(b"\n"):
        if not line:
            continue
        if len(line) > MAX_LINE_BYTES:
            return None
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        is_plain = type(row) is dict and line.count(b'"') == 2 * len(row)
        if not is_plain or not needed <= row.keys() or not NESTING.isdisjoint(row):
            return None
        rows.append(common | row if common else row)
    return rows


def _lines(content: bytes) -> Iterator[Line]:
    """The lines that say something, numbered from 1 as an editor does."""
    if content.startswith(BOM):
        raise RowError(1, damage="UTF-8 BOM으로 시작함")
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_BYTES:
            raise RowError(number, damage=f"너무 긺, {len(line)}바이트")
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise RowError(number, damage="UTF-8이 아님") from None
        if text.strip():
            yield Line(number, text, is_ended=number < len(lines))


def _row(line: Line, common: dict[str, Any], config: TrainingConfig) -> dict[str, Any]:
    example = line.text[:SHOWN_CHARACTERS]
    try:
        read = read_json(line.text)
    except Damaged as damaged:
        raise RowError(line.number, damage=damaged.reason if line.is_ended else "중간에 끊김") from None
    if not isinstance(read, dict):
        raise RowError(line.number, config.action_names, example)
    row = common | values_of(read, config)
    missing = [name for name in (*config.action_names, *config.state_names) if name not in row]
    if missing:
        raise RowError(line.number, missing, example)
    return row


def values_of(row: Mapping[str, Any], config: TrainingConfig) -> dict[str, Any]:
    """The row's values by name, whichever of the known forms it has."""
    if not NESTING & row.keys():
        return dict(row)
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


def _number(name: str, frame: int, value: Any, strange: dict[str, dict[int, str]]) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    strange.setdefault(name, {})[frame] = repr(value)[:SHOWN_OF_A_VALUE]
    return math.nan


def _side_by_side(columns: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.array(columns, dtype=np.float64).T.reshape(-1, len(columns))
