"""Discord resets a token after 1,000 logins a day: whatever happens, we stay well below."""

from hypothesis import given
from hypothesis import strategies as st

from bot.shell.discord.lifeline import Lifeline, Limits, Storms, unanswered

LIMITS = Limits()
DAY_S = 86_400.0


def test_the_pause_grows_until_a_session_was_steady() -> None:
    line = Lifeline(LIMITS)
    assert [line.pause_s(1) for _ in range(4)] == [5, 10, 20, 40]
    assert line.pause_s(LIMITS.steady_s + 1) == 5
    assert max(line.pause_s(1) for _ in range(40)) == LIMITS.longest_pause_s


def test_a_session_logs_in_a_few_times_only() -> None:
    line = Lifeline(LIMITS)
    assert line.may_identify(0)
    assert line.may_identify(LIMITS.identifies_a_session - 1)
    assert not line.may_identify(LIMITS.identifies_a_session)


def test_on_a_worn_day_it_logs_in_once_and_then_waits_long() -> None:
    line = Lifeline(LIMITS)
    line.identifies_today = LIMITS.identifies_a_day
    assert line.may_identify(0)
    assert not line.may_identify(1)
    assert line.pause_s(1) == LIMITS.longest_pause_s


@given(lived_s=st.lists(st.floats(0.0, 900.0), min_size=1, max_size=50), logins=st.integers(1, 9))
def test_no_way_of_failing_reaches_a_thousand_logins_a_day(lived_s: list[float], logins: int) -> None:
    line = Lifeline(LIMITS)
    clock_s, sessions = 0.0, 0
    while clock_s < DAY_S:
        already = 0
        while already < logins and line.may_identify(already):
            already += 1
            line.identifies_today += 1
        lived = max(lived_s[sessions % len(lived_s)], LIMITS.identify_pause_s * (already - 1))
        clock_s += lived + line.pause_s(lived)
        sessions += 1
    assert line.identifies_today < 600


def test_a_storm_is_many_disconnects_within_a_minute() -> None:
    storms = Storms(LIMITS)
    assert not any(storms.struck(moment * 4.0) for moment in range(100))
    assert any(storms.struck(400 + moment * 2.0) for moment in range(LIMITS.storm))


def test_heartbeats_may_be_late_but_not_forgotten() -> None:
    assert not unanswered(80, 41.25, LIMITS)
    assert unanswered(120, 41.25, LIMITS)
