"""Two bots that answer each other stop; what matters is said all the same."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.events import Heard
from bot.core.policy import Policy
from protocol.messages import Acknowledgement, Lesson, Talk

OPERATOR = 300000000000000001
LIMIT = 3


@pytest.fixture
def play(stage_class):
    return stage_class(Policy(operators=(OPERATOR,), answers_a_minute=LIMIT))


def test_answers_beyond_the_budget_are_withheld_and_operators_told_once(play) -> None:
    for _ in range(10):
        play.says(play.developer, Talk(about="status"))
    assert play.kinds() == ["answer"] * LIMIT + ["alert"]


def test_another_asker_has_a_budget_of_his_own(play) -> None:
    for _ in range(10):
        play.says(play.developer, Talk(about="status"))
    play.operator_asks("status")
    assert play.posted()[-1].to == (OPERATOR,)


def test_after_a_quiet_minute_there_are_answers_again(play) -> None:
    for _ in range(10):
        play.says(play.developer, Talk(about="status"))
    play.later(60)
    play.says(play.developer, Talk(about="status"))
    assert play.kinds()[-1] == "answer"


def test_a_lesson_that_is_not_understood_is_asked_about_all_the_same(play) -> None:
    for _ in range(10):
        play.says(play.watcher, Talk(about="status"))
    play.watcher_hands_over(Lesson(category="학습", text="무언가 이상함"))
    play.terms_are_read()
    assert play.kinds()[-1] == "question"


def test_without_operators_nobody_is_told(stage_class) -> None:
    play = stage_class(Policy(answers_a_minute=LIMIT))
    for _ in range(10):
        play.says(play.developer, Talk(about="status"))
    assert play.kinds() == ["answer"] * LIMIT


def test_what_comes_in_is_taken_in_and_what_matters_is_said(play) -> None:
    for _ in range(10):
        play.says(play.watcher, Talk(about="status"))
    play.watcher_hands_over()
    play.ticks()
    assert play.cycle.number == 1
    assert play.kinds()[-1] == "phase_report"


@pytest.mark.parametrize("text", ["[DONE] Cycle 1", "[REPORT] ACT 평가 완료.\n결과: 0.1", "✅ [ANSWER] 네"])
def test_what_only_tells_is_not_answered(play, text: str) -> None:
    play.says(play.developer, Talk(text=text))
    assert play.kinds() == []


def test_an_acknowledgement_is_not_answered(play) -> None:
    play.says(play.watcher, Acknowledgement())
    play.says(play.developer, Acknowledgement())
    assert play.kinds() == []


def test_what_is_remembered_of_it_stays_small(stage_class) -> None:
    play = stage_class(Policy(answers_a_minute=1_000_000))
    for _ in range(1000):
        heard = Heard(at=play.later(0.01), author=play.developer, message=Talk(about="status"))
        play.happened(heard)
    assert len(play.kinds()) == 1000
    assert len(play.state.answered) <= 12


@settings(max_examples=80, deadline=None)
@given(gaps=st.lists(st.floats(0, 40), max_size=40), limit=st.integers(1, 5))
def test_nobody_is_answered_more_often_than_that_in_any_minute(stage_class, gaps, limit) -> None:
    play = stage_class(Policy(answers_a_minute=limit))
    answered = []
    for gap in gaps:
        heard = Heard(at=play.later(gap), author=play.developer, message=Talk(about="status"))
        answered += [heard.at] * len(play.happened(heard))
    for at in answered:
        assert sum(at - timedelta(minutes=1) < other <= at for other in answered) <= limit
