"""A HANDOFF that is said again when its cycle is over must not cost a day of the same training."""

import pytest

from protocol.messages import Handoff, Lesson, Lessons, Order

DATA = "gs://ralphton-handoff/dataset/"


@pytest.fixture
def over(training, trained):
    """Cycle 1 has come to its DONE."""
    training.trainer_says(training.saved("best", 500))
    training.job_ends(trained)
    training.best_is_published(500)
    training.is_handed_on()
    assert training.kinds()[-2:] == ["done", "final_handoff"]
    return training


def ready(play, data: str = DATA, **handoff) -> None:
    """Developer hands over, and all is there for a start."""
    play.developer_hands_over(data, **handoff)
    if play.cycle.terms.phase == "unread":
        play.terms_are_read()
    play.data_is_admitted()


def test_developer_s_handoff_said_again_is_asked_about_before_anything_trains(over) -> None:
    ready(over)
    assert over.cycle.number == 2
    assert over.cycle.run.phase == "unstarted"
    (told,) = over.posted("blocked")
    assert told.problems == (
        "Cycle 2의 데이터와 설정이 이미 끝난 cycle의 것과 같음: 같은 학습을 반복하게 됨",
    )
    assert "resume" in told.request
    over.ticks()
    assert len(over.posted("blocked")) == 1, "it is asked once"
    assert "반복할지 확인" in str(over.posted("phase_report")[-1])
    assert "지난 cycle과 같은 데이터와 설정" in over.shown("status")


def test_watcher_s_resume_means_it(over) -> None:
    ready(over)
    over.says(over.watcher, Order(verb="resume"))
    assert over.cycle.run.phase == "starting"


def test_a_number_means_it(over) -> None:
    over.says(over.watcher, Handoff(cycle=2))
    ready(over)
    assert over.cycle.run.phase == "starting"
    assert not over.posted("blocked")


def test_a_lesson_makes_it_another_training(over) -> None:
    ready(over)
    over.says(over.watcher, Lessons(lessons=(Lesson(category="학습", text="느림", remedy="lr=5e-5"),)))
    assert over.cycle.run.phase == "starting"


def test_other_data_does_too_and_the_same_again_is_asked_about_again(over) -> None:
    ready(over)
    ready(over)
    assert len(over.posted("blocked")) == 2
    over.developer_hands_over("gs://ralphton-handoff/dataset_v2/")
    over.data_is_fetched()
    over.data_is_checked(hash="d" * 64)
    over.data_is_converted()
    assert over.cycle.run.phase == "starting"


def test_after_a_cycle_that_was_given_up_nothing_is_repeated(over) -> None:
    ready(over)
    over.operator_asks("abandon", "cycle")
    ready(over)
    assert over.cycle.number == 3
    assert over.cycle.run.phase == "starting"
