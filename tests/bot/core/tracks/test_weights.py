"""A run that is to start from an earlier checkpoint waits until it is here, and says so when it is not."""

import pytest

from bot.core.events import WeightsFetched, WeightsRefused
from protocol.messages import Approval, Lesson, Lessons, Order
from protocol.training import TrainingConfig

FIRST, SECOND = "checkpoints/cycle01/act_best", "checkpoints/cycle02/act_best"


def from_checkpoint(path: str) -> Lesson:
    return Lesson(category="학습", text="이전 학습 활용", remedy=f"start_from={path}")


@pytest.fixture
def asked(play):
    """Data is admitted; Watcher wants the run to start from cycle 1's best."""
    play.watcher_hands_over(from_checkpoint(FIRST), cycle=2)
    play.developer_hands_over()
    play.terms_are_read()
    play.data_is_admitted()
    return play


def comes(play, path: str):
    return play.happened(WeightsFetched(at=play.later(), cycle=play.cycle.number, path=path))


def trainings(play) -> list:
    return [order for order in play.ordered("start_job") if order.work == "train"]


def test_it_is_fetched_before_the_run_starts(asked) -> None:
    (order,) = asked.ordered("fetch_weights")
    assert (order.path, order.run) == (FIRST, asked.cycle.run_name)
    assert trainings(asked) == []
    asked.ticks()
    assert asked.posted("phase_report")[-1].waiting_for == f"{FIRST} 다운로드"
    comes(asked, FIRST)
    (started,) = trainings(asked)
    assert started.config.training.start_from == FIRST


def test_one_that_is_missing_is_a_blocked_and_a_retry_asks_again(asked) -> None:
    refused = WeightsRefused(at=asked.later(), cycle=2, path=FIRST, problem=f"{FIRST}: checkpoint가 없음")
    asked.happened(refused)
    (blocked,) = asked.posted("blocked")
    assert (blocked.cause, blocked.problems) == ("weights", (f"{FIRST}: checkpoint가 없음",))
    asked.ticks()
    assert asked.posted("phase_report")[-1].phase == "held"
    asked.happened(refused)
    assert len(asked.posted("blocked")) == 1, "said once"
    asked.says(asked.watcher, Order(verb="retry"))
    assert len(asked.ordered("fetch_weights")) == 2
    comes(asked, FIRST)
    assert len(trainings(asked)) == 1


def test_another_one_named_meanwhile_is_the_one_that_counts(asked) -> None:
    asked.says(asked.watcher, Lessons(lessons=(from_checkpoint(SECOND),)))
    assert asked.ordered("fetch_weights")[-1].path == SECOND
    comes(asked, FIRST)
    assert trainings(asked) == [], "nobody wants that one any more"
    comes(asked, SECOND)
    assert len(trainings(asked)) == 1


def test_without_one_nothing_is_fetched(training) -> None:
    assert training.ordered("fetch_weights") == []
    comes(training, FIRST)
    assert training.cycle.weights.phase == "own"


def test_the_checkpoint_before_is_the_last_cycle_s_best_and_is_proposed(training, trained) -> None:
    training.job_ends(trained)
    training.best_is_published(training.cycle.shelf.best.epoch) if training.cycle.shelf.best else None
    training.is_handed_on()
    training.watcher_hands_over(Lesson(category="학습", text="이전 checkpoint에서 이어서 학습"), cycle=2)
    training.terms_are_read()
    (line,) = training.cycle.proposal.lines
    assert line.changes[0].after == FIRST
    assert training.cycle.terms.config.training.start_from is None
    training.says(training.watcher, Approval())
    assert training.cycle.terms.config == TrainingConfig().with_changes({"training.start_from": FIRST})


def test_reports_come_more_often_once_a_lesson_says_so(asked) -> None:
    before = asked.state.report_due_at
    asked.says(asked.watcher, Lessons(lessons=(Lesson(category="학습", text="REPORT 주기를 10분으로"),)))
    assert asked.state.report_due_at < before
    said = len(asked.posted("phase_report"))
    for _ in range(3):
        asked.ticks(600)
    assert len(asked.posted("phase_report")) == said + 3
