"""Numbers, times and quoted words in the channel's form."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocol import Voice, figures, wire
from protocol.blocked import grouped
from protocol.messages import ChangeReport, SettledChange
from protocol.quotation import clean, defused
from protocol.training import Change

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        *[
            (0.158, "0.158"),
            (0.0234, "0.0234"),
            (0.0089, "0.0089"),
            (0.02345, "0.0234"),
            (3.0, "3"),
            (0, "0"),
        ],
        *[
            (0.0001, "0.0001"),
            (0.00009999, "0.0001"),
            (0.0000123, "1.2e-5"),
            (1e-5, "1e-5"),
            (-0.00001, "-1e-5"),
        ],
        *[
            (-0.00000000001, "-1e-11"),
            (float("inf"), "Inf"),
            (float("-inf"), "-Inf"),
            (float("nan"), "NaN"),
            (-0.0, "0"),
        ],
    ],
)
def test_a_number_has_four_decimals_at_most(number: float, shown: str) -> None:
    assert figures.figure(number) == shown


@pytest.mark.parametrize(
    ("rate", "shown"), [(1e-4, "1e-4"), (0.00025, "2.5e-4"), (0.001, "1e-3"), (0.1, "0.1"), (0, "0")]
)
def test_a_learning_rate_is_shown_as_in_the_card(rate: float, shown: str) -> None:
    assert figures.rate_figure(rate) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1e-4, "1e-4"),
        (2.5e-4, "2.5e-4"),
        (-1.25e-7, "-1.25e-7"),
        (0.001, "0.001"),
        (32.0, "32.0"),
        (1e22, "1e22"),
        (0.0, "0.0"),
    ],
)
def test_a_config_value_keeps_every_digit(value: float, shown: str) -> None:
    assert figures.exact_figure(value) == shown


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_config_value_is_read_back_exactly(value: float) -> None:
    assert json.loads(figures.exact_figure(value)) == value


@given(st.floats(allow_nan=False))
def test_rounding_twice_is_rounding_once(number: float) -> None:
    assert figures.rounded(figures.rounded(number)) == figures.rounded(number)
    assert figures.rounded_rate(figures.rounded_rate(number)) == figures.rounded_rate(number)
    assert float(figures.figure(number)) == figures.rounded(number)
    assert float(figures.rate_figure(number)) == figures.rounded_rate(number)


def test_a_time_has_its_date_when_it_is_not_today_where_we_are() -> None:
    today = figures.on_the_clock(NOW + timedelta(hours=2, seconds=59), NOW, SEOUL)
    tomorrow = figures.on_the_clock(NOW + timedelta(hours=12), NOW, SEOUL)
    assert (figures.clock(today), figures.clock(tomorrow)) == ("14:00", "2026-11-24 00:00")
    assert figures.read_clock("14:00") == today.replace(tzinfo=None)
    assert figures.read_clock("2026-11-24 00:00") == tomorrow.replace(tzinfo=None)


def test_a_voice_has_a_known_time_zone() -> None:
    assert Voice(timezone="Europe/Berlin").zone == ZoneInfo("Europe/Berlin")
    for name in ("Seoul", "../../etc/passwd", ""):
        with pytest.raises(ValidationError, match="Asia/Seoul"):
            Voice(timezone=name)


@given(st.text())
def test_defusing_changes_nothing_that_is_meant(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert clean(defused(once)) == once


def test_a_config_value_is_plain_json_on_the_wire() -> None:
    odd = {"a\u200b": ("b", 1, None, True, 2.5), "c": {1}}
    report = ChangeReport(
        cycle=1,
        changes=(
            SettledChange(change=Change(field="x.y", before=odd, after=None), lesson="", approved_by=""),
        ),
    )
    assert wire(report).changes[0].change.before == {"a": ["b", 1, None, True, 2.5], "c": "{1}"}


def test_episodes_are_grouped_by_problem() -> None:
    names = [f"episode_{number:03d}" for number in (3, 7, *range(23, 32), 8)]
    assert grouped([(name, "NaN 값") for name in names]) == ("episode_003, 007, 008, 023–031의 NaN 값",)
    assert grouped([("episode_023", "a"), ("take two", "b"), (None, "c"), ("take two", "b")]) == (
        "episode_023의 a",
        "take two의 b",
        "c",
    )
    assert grouped([("take two", "b"), ("episode_001", "b")]) == ("take two, episode_001의 b",)
