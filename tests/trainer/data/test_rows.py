"""Every known form of a row says the same; what is not understood is shown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.training import TrainingConfig
from trainer.data import rows as reading
from trainer.data.rows import RowError, read_table, values_of

CARD = TrainingConfig()
NAMES = (*CARD.action_names, *CARD.state_names)
NUMBERS = st.lists(st.floats(-1, 1), min_size=8, max_size=8)


def forms(values: list[float]) -> dict[str, dict[str, Any]]:
    action, state = (
        dict(zip(NAMES[:4], values[:4], strict=True)),
        dict(zip(NAMES[4:], values[4:], strict=True)),
    )
    return {
        "flat": action | state,
        "nested": {"action": action, "state": state},
        "observed": {"action": action, "observation": state},
        "deep": {"action": action, "observation": {"state": state, "images": {"ego": "ego.mp4"}}},
        "lists": {"action": values[:4], "state": values[4:]},
        "observed lists": {"action": values[:4], "observation": {"state": values[4:]}},
        "LeRobot": {"action": values[:4], "observation.state": values[4:], "frame_index": 3},
    }


@given(NUMBERS)
def test_every_form_says_the_same(values: list[float]) -> None:
    for row in forms(values).values():
        found = values_of(row, CARD)
        assert [found[name] for name in NAMES] == values


def write(folder: Path, *rows: object) -> Path:
    path = folder / "actions.jsonl"
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def test_a_table_has_one_line_a_row(tmp_path: Path) -> None:
    row = forms([0.5] * 8)["flat"]
    table = read_table(write(tmp_path, {"frame": 0, "timestamp": 0.0, **row}, row), {}, CARD)
    assert len(table) == 2
    assert table.action.shape == table.state.shape == (2, 4)
    assert table.timestamp.tolist() == [0.0, 1 / 30]


def test_legos_remaining_may_stand_in_the_metadata(tmp_path: Path) -> None:
    row = {"action": [0, 0, 0, 0], "state": [1, 2, 3]}
    assert read_table(write(tmp_path, row), {"legos_remaining": 12}, CARD).state.tolist() == [[1, 2, 3, 12]]
    with pytest.raises(RowError) as error:
        read_table(write(tmp_path, row), {}, CARD)
    assert error.value.missing == ("legos_remaining",)
    assert error.value.shown == json.dumps(row)


def test_the_row_s_own_value_stands_above_the_metadata_s(tmp_path: Path) -> None:
    path = write(tmp_path, forms([0.5] * 8)["flat"])
    assert read_table(path, {"legos_remaining": 12}, CARD).state[0, 3] == 0.5


@pytest.mark.parametrize("value", [None, "fast", True, float("nan")])
def test_what_is_no_number_is_nan(tmp_path: Path, value: object) -> None:
    table = read_table(write(tmp_path, forms([0.5] * 8)["flat"] | {"lift": value}), {}, CARD)
    assert np.isnan(table.action[0, 3])


def test_a_line_that_is_no_json_is_numbered(tmp_path: Path) -> None:
    with pytest.raises(RowError) as error:
        read_table(write(tmp_path, forms([0.5] * 8)["flat"], '{"steering": 0.'), {}, CARD)
    assert (error.value.line, error.value.missing) == (2, ())


def test_ten_degrees_of_freedom_are_read_by_their_names(tmp_path: Path) -> None:
    arm = CARD.with_changes({"model.action_dim": 10})
    table = read_table(write(tmp_path, {"action": [0.1] * 10, "state": [0, 0, 0, 1]}), {}, arm)
    assert table.action.shape == (1, 10)


# --- the two ways to read a file say the same ------------------------------------------

VALUES = st.one_of(
    st.floats(allow_nan=True),
    st.integers(-(2**70), 2**70) | st.just(10**400),
    st.booleans() | st.none(),
    st.text(max_size=3),
)
KEYS = st.sampled_from([*NAMES, "frame", "timestamp", "note", 'a"b'])


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A row with this or that in it: keys said twice, texts, lists, damage."""
    pairs = [(name, draw(st.floats(-1, 1))) for name in NAMES]
    pairs += draw(st.lists(st.tuples(KEYS, st.one_of(VALUES, st.lists(VALUES, max_size=2))), max_size=2))
    text = "{" + ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pairs) + "}"
    cut = draw(st.sampled_from([len(text), len(text), len(text), len(text) - 1, 20, 0]))
    return draw(st.sampled_from(["", "", " ", "\ufeff", "\r", "\x00"])) + text[:cut]


def told(path: Path, metadata: dict[str, Any]) -> object:
    """What is read of it, or what is said against it."""
    try:
        table = read_table(path, metadata, CARD)
    except RowError as error:
        return error.line, error.missing, error.shown, error.damage
    columns = (table.frame, table.timestamp, table.action, table.state)
    return [column.tobytes() for column in columns], table.strange


@given(st.lists(lines(), max_size=4), st.sampled_from([{}, {"legos_remaining": 3}]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_plain_row_is_read_as_the_careful_way_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], metadata: dict[str, Any]
) -> None:
    path = tmp_path / "actions.jsonl"
    path.write_text("\n".join(rows), encoding="utf-8", errors="surrogatepass")
    quickly = told(path, metadata)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_plain_rows", lambda *_: None)
        assert told(path, metadata) == quickly
