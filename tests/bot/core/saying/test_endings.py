"""Each lesson is accounted for in the last words."""

from bot.core.events import (
    LessonsFile,
)
from bot.core.saying import endings
from protocol.messages import (
    Lesson,
)


def test_a_lesson_nobody_can_read_is_asked_back_and_shown_in_done(play) -> None:
    odd = Lesson(category="학습", text="무언가 이상함")
    rare = Lesson(category="학습", text="저장을 뜸하게", remedy="save_checkpoint_every=200")
    other = Lesson(category="시나리오", text="장애물 부족")
    play.watcher_hands_over(odd, rare)
    play.terms_are_read(None, LessonsFile(name="lessons/cycle00.md", lessons=(other, odd)))
    assert len(play.posted("question")) == 2
    play.developer_hands_over()
    play.data_is_admitted()
    marks = [outcome.mark for outcome in endings.outcomes(play.cycle)]
    assert marks == ["unanswered", "unanswered", "refused"]


def test_what_is_satisfied_already_is_said_to_be(play) -> None:
    play.watcher_hands_over(Lesson(category="학습", text="seed 고정", remedy="seed=42"))
    assert [one.mark for one in endings.outcomes(play.cycle)] == ["unanswered"]
    play.terms_are_read()
    assert [(one.mark, one.outcome) for one in endings.outcomes(play.cycle)] == [("applied", "이미 seed 42")]


def test_a_change_whose_effect_is_not_measured_claims_none(play) -> None:
    play.watcher_hands_over(Lesson(category="학습", text="seed 변경", remedy="seed=7"))
    play.terms_are_read()
    assert endings.outcomes(play.cycle)[0].outcome == ""
