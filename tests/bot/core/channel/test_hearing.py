"""Who may say what, and what is answered to the rest."""

from bot.core.events import (
    Garbled,
)
from bot.core.showing import commands
from protocol.messages import (
    Command,
    Handoff,
    Lesson,
    Lessons,
    Talk,
)

SWING = Lesson(category="데이터", text="에피소드 첫 50프레임은 카메라 스윙으로 무효")


def test_a_question_about_the_status_gets_the_operators_answer(training) -> None:
    training.says(training.developer, Talk(about="status"))
    assert training.posted("answer")[-1].body.startswith("Cycle 1: 학습 중")


def test_anything_else_gets_what_we_understand(play) -> None:
    play.says(play.developer, Talk(about="other"))
    assert play.posted("answer")[-1].body == commands.WHAT_WE_UNDERSTAND


def test_what_was_not_understood_is_asked_back(play) -> None:
    play.happened(Garbled(at=play.later(), author=play.developer, what="무슨 뜻인지 모르겠습니다"))
    assert play.posted("question")[0].how_to_answer == commands.WHAT_WE_UNDERSTAND


def test_an_operator_who_is_not_understood_gets_an_answer(play) -> None:
    operator = play.policy.operators[0]
    play.happened(Garbled(at=play.later(), author=operator, what="무슨 뜻인지 모르겠습니다"))
    assert play.posted("answer")[0].to == (operator,)


def test_a_handoff_from_another_peer_is_not_taken(play) -> None:
    play.says(play.policy.roster.evaluation, Handoff(data="gs://ralphton-handoff/dataset/"))
    assert play.state.cycle is None


def test_lessons_said_in_time_reach_the_cycle(play) -> None:
    play.watcher_hands_over()
    play.says(play.watcher, Lessons(lessons=(SWING,)))
    play.terms_are_read()
    assert play.cycle.terms.config.dataset.skip_first_frames == 50
    play.says(play.watcher, Lessons(lessons=()))
    assert play.posted("receipt")[-1].understood == ("레슨런 없음",)


def test_a_stranger_s_command_changes_nothing(training) -> None:
    training.says(training.developer, Command(name="stop"))
    assert training.cycle.run.phase == "training"


def test_orders_without_a_cycle_are_answered(play) -> None:
    play.operator_asks("stop")
    assert play.posted("answer")[-1].body == "열린 cycle이 없습니다. HANDOFF를 기다립니다."
