"""One training, however many processes it takes."""

import pytest

from bot.core.events import (
    Gauges,
)
from bot.core.showing import phases
from bot.core.state import expected_job
from protocol.job import Failed


def test_a_stop_while_it_cools_holds_it(training) -> None:
    training.job_ends(None)
    training.operator_asks("stop")
    assert training.cycle.run.phase == "held"


def test_resume_does_not_wait_for_the_pause(training) -> None:
    training.job_ends(None)
    assert phases.waiting(training.cycle)[1] == "학습 프로세스 재시작"
    training.operator_asks("resume")
    assert training.cycle.run.phase == "starting"


def test_epochs_that_grow_are_progress(training, stepped) -> None:
    training.job_ends(None)
    training.ticks(60)
    training.training_starts(resumed_from="checkpoints/resume")
    line = stepped(training.at, last_loss=0.1, first_loss=0.2)
    training.trainer_says(line)
    assert (training.cycle.run.epoch, training.cycle.run.tries) == (150, 1)
    training.trainer_says(stepped(training.at, epoch=149))
    assert training.cycle.run.epoch == 150
    training.job_ends(None)
    training.ticks(60)
    training.training_starts(resumed_from="checkpoints/resume", epoch=148)
    assert training.posted("restart_notice")[-1].repeated_epochs == 2
    training.trainer_says(line)
    training.ticks()
    assert training.posted("training_report")[0].loss == 0.1, "the state knows, without gauges too"
    training.later(1790)
    training.ticks(10, Gauges(stepped=stepped(training.at)))
    assert training.posted("training_report")[1].loss == 0.024


@pytest.mark.parametrize("word", ["resume", "retry"])
def test_who_lifts_a_stop_while_it_still_saves_is_heard(training, word) -> None:
    training.operator_asks("stop")
    training.operator_asks(word)
    assert training.cycle.run.phase == "stopping"
    training.job_ends(Failed(failure="stopped", message="stopped on request"))
    assert training.cycle.run.phase == "starting"
    training.training_starts(resumed_from="resume_059", epoch=59)
    assert training.posted("cycle_stopped") == []


def test_the_last_word_counts(training) -> None:
    for word in ("stop", "resume", "stop"):
        training.operator_asks(word)
    training.job_ends(Failed(failure="stopped", message="stopped on request"))
    assert training.cycle.run.phase == "held"


def test_it_may_end_while_the_order_to_stop_is_on_its_way(training, trained) -> None:
    training.operator_asks("stop")
    training.job_ends(trained)
    assert training.cycle.run.phase == "ended"
    assert phases.waiting(training.cycle)[0] == "uploading"


def test_a_verdict_of_another_kind_is_held(training) -> None:
    training.data_is_checked()
    assert training.cycle.run.phase == "held"


def test_a_job_that_is_no_good_is_the_trainer_s(training) -> None:
    training.job_ends(Failed(failure="bad_job", message="왜"))
    assert training.posted("blocked")[0].cause == "trainer"


def test_what_should_be_alive(play) -> None:
    assert expected_job(play.state) is None
    play.watcher_hands_over()
    assert expected_job(play.state) is None
    play.terms_are_read()
    play.developer_hands_over()
    play.data_is_fetched()
    assert expected_job(play.state) == (play.cycle.run_name, 1)
    play.data_is_checked()
    play.data_is_converted()
    assert expected_job(play.state) == (play.cycle.run_name, 3)
