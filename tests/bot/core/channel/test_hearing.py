"""Who may say what, and what is answered to the rest."""

from bot.core.events import (
    Garbled,
)
from bot.core.showing import commands
from protocol.job import Failed
from protocol.messages import (
    Command,
    Handoff,
    Lesson,
    Lessons,
    Talk,
)

SWING = Lesson(category="데이터", text="에피소드 첫 50프레임은 카메라 스윙으로 무효")
SLOWER = Lesson(category="학습", text="수렴이 느림", remedy="lr=5e-5")


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


class TestWhatTheReceiptOfAHandoffPromises:
    """What comes next is said as things stand, whichever half comes first and however late it is."""

    def test_watcher_s_half_does_not_wait_for_data_that_is_named(self, play) -> None:
        play.watcher_hands_over()
        assert next_step(play) == "PLAN.md와 레슨런 확인, 데이터 HANDOFF 대기"
        play.developer_hands_over()
        assert next_step(play) == "PLAN.md와 레슨런 확인, 데이터 다운로드와 무결성 검증"
        play.terms_are_read()
        play.watcher_hands_over(SWING)
        assert next_step(play) == "레슨런은 학습 시작 전에 판단해 보고, 이미 받은 데이터로 계속"

    def test_after_a_refusal_other_data_is_waited_for(self, play) -> None:
        play.watcher_hands_over()
        play.terms_are_read()
        play.developer_hands_over()
        play.data_is_fetched()
        play.data_is_checked(ok=False)
        play.watcher_hands_over()
        assert next_step(play) == "새 데이터 HANDOFF 대기"

    def test_lessons_that_come_when_training_has_begun_are_not_carried_over_in_silence(
        self, training
    ) -> None:
        training.watcher_hands_over(SLOWER, Lesson(category="학습", text="지난번처럼"))
        receipt, question = training.posted()[-2:]
        assert receipt.understood[-2:] == (
            "레슨런: 수렴이 느림 → 다음 cycle에 적용: lr 5e-5",
            "레슨런: 지난번처럼 → 질문함",
        )
        assert receipt.next_step == "레슨런은 다음 cycle의 설정에 반영, 이미 시작한 학습은 그대로 진행"
        assert "지난번처럼" in question.question, "asked now, not in the next cycle"
        training.watcher_hands_over()
        assert next_step(training) == "이미 시작한 학습은 그대로 진행"


class TestWhatTheReceiptOfLessonsPromises:
    def test_those_of_a_later_cycle_wait_for_it(self, play) -> None:
        play.watcher_hands_over(cycle=1)
        play.terms_are_read()
        play.says(play.watcher, Lessons(cycle=2, lessons=(SLOWER,)))
        assert next_step(play) == "다음 cycle의 설정에 반영"
        assert play.cycle.terms.config.training.lr == 1e-4
        play.says(play.watcher, Lessons(cycle=1, lessons=(SWING,)))
        assert play.cycle.terms.config.dataset.skip_first_frames == 50

    def test_a_held_run_goes_on_with_one_and_leaves_the_other_to_the_next_cycle(self, training) -> None:
        training.job_ends(Failed(failure="out_of_memory", message="out of memory"))
        training.says(training.watcher, Lessons(lessons=(SLOWER, SWING)))
        assert next_step(training) == "1건은 학습 시작 전에 판단해 보고, 1건은 다음 cycle의 설정에 반영"


def next_step(play) -> str:
    return play.posted("receipt")[-1].next_step
