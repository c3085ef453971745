"""Discord resets a token after 1,000 logins a day: whatever happens, we stay well below."""

from hypothesis import given
from hypothesis import strategies as st

from bot.shell.discord.lifeline import Lifeline, Limits, Storms, unanswered

LIMITS = Limits()
DAY_S = 86_400.0


def test_the_pause_grows_until_a_session_was_steady() -> None:
    line = Lifeline(LIMITS)
    assert [line.pause_s(1, logged_in=True) for _ in range(4)] == [5, 10, 20, 40]
    assert line.pause_s(LIMITS.steady_s + 1, logged_in=True) == 5
    assert max(line.pause_s(1, logged_in=True) for _ in range(40)) == LIMITS.longest_pause_s


def test_after_an_outage_of_hours_we_are_back_within_a_minute() -> None:
    line = Lifeline(LIMITS)
    pauses = [line.pause_s(0, logged_in=False) for _ in range(200)]
    assert pauses[:4] == [5, 10, 20, 40]
    assert max(pauses) == LIMITS.unreached_pause_s < 60
    assert LIMITS.down_for_good_s + LIMITS.first_pause_s < 60, "nor does the library keep us longer"


def test_an_outage_is_forgotten_once_somebody_was_reached() -> None:
    line = Lifeline(LIMITS)
    for _ in range(10):
        line.pause_s(0, logged_in=False)
    line.pause_s(LIMITS.steady_s + 1, logged_in=True)
    assert line.pause_s(0, logged_in=False) == LIMITS.first_pause_s


def test_an_outage_does_not_forgive_logins_that_came_to_nothing() -> None:
    line = Lifeline(LIMITS)
    for _ in range(4):
        line.pause_s(1, logged_in=True)
        line.pause_s(0, logged_in=False)
    assert line.pause_s(1, logged_in=True) == 80


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
    assert line.pause_s(1, logged_in=True) == LIMITS.longest_pause_s
    assert line.pause_s(1, logged_in=False) == LIMITS.longest_pause_s


@given(lived_s=st.lists(st.floats(0.0, 900.0), min_size=1, max_size=50), logins=st.integers(0, 9))
def test_no_way_of_failing_reaches_a_thousand_logins_a_day(lived_s: list[float], logins: int) -> None:
    line = Lifeline(LIMITS)
    clock_s, sessions = 0.0, 0
    while clock_s < DAY_S:
        already = 0
        while already < logins and line.may_identify(already):
            already += 1
            line.identifies_today += 1
        lived = max(lived_s[sessions % len(lived_s)], LIMITS.identify_pause_s * (already - 1))
        clock_s += lived + line.pause_s(lived, logged_in=already > 0)
        sessions += 1
    assert line.identifies_today < 600


def test_a_storm_is_many_disconnects_within_a_minute() -> None:
    storms = Storms(LIMITS)
    assert not any(storms.struck(moment * 4.0) for moment in range(100))
    assert any(storms.struck(400 + moment * 2.0) for moment in range(LIMITS.storm))


def test_heartbeats_may_be_late_but_not_forgotten() -> None:
    assert not unanswered(80, 41.25, LIMITS)
    assert unanswered(120, 41.25, LIMITS)
