from datetime import UTC, datetime, timedelta

from bot.core.policy import Policy
from bot.shell.supervising.silence import FIRST_PROMISE_S, Silence
from protocol.progress import Line

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Hands:
    """A clock whose hands somebody else moves."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def __call__(self) -> float:
        return self.at_s


def test_each_line_s_own_promise_counts() -> None:
    clock = Hands()
    silence = Silence(Policy().patience_s, NOON, clock)
    silence.heard(Line(at=NOON, next_within_s=400))
    clock.at_s = 800
    assert not silence.is_too_long()
    clock.at_s = 801
    assert silence.is_too_long()


def test_it_is_stated_again_after_each_further_silence_of_that_length() -> None:
    clock, said = Hands(), 0
    silence = Silence(Policy().patience_s, NOON, clock)
    silence.heard(Line(at=NOON, next_within_s=1))
    for clock.at_s in range(0, 1000, 10):
        said += silence.is_too_long()
    assert said == 3


def test_the_first_word_is_given_longer() -> None:
    clock = Hands()
    silence = Silence(lambda promised_s: promised_s, NOON, clock)
    clock.at_s = FIRST_PROMISE_S
    assert not silence.is_too_long()


def test_a_line_that_is_old_already_leaves_half_the_patience() -> None:
    """A bot that is restarted again and again would else never find out."""
    for old_s, left_s in ((0, 300), (100, 200), (150, 150), (9000, 150), (-50, 300)):
        clock = Hands()
        silence = Silence(lambda _: 300.0, NOON, clock)
        silence.heard(Line(at=NOON, next_within_s=60), NOON + timedelta(seconds=old_s))
        clock.at_s = left_s
        assert not silence.is_too_long()
        clock.at_s = left_s + 1
        assert silence.is_too_long()
