"""What training teaches: once a run, each fact complete, what comes within a minute in one message."""

from datetime import timedelta

import pytest

from bot.core.events import ClockJumped, DaemonWoke
from bot.core.rhythm import ticks
from bot.core.state import State
from protocol.job import Failed
from protocol.progress import Found

MINUTE_S = 60.0
CLIPPED: dict[str, float | int | str] = {"clipped_share": 0.97, "grad_norm": 31.0}
IDLE: dict[str, float | int | str] = {"busy_share": 0.3}
PLATEAU: dict[str, float | int | str] = {"epochs": 50, "best_before": 0.0231, "best_since": 0.02309}


def finds(play, fact: str, figures: dict[str, float | int | str], picture: str | None = None):
    return play.trainer_says(Found(at=play.at, fact=fact, figures=figures, picture=picture))


def problems(play) -> list[list[str]]:
    return [[one.problem for one in message.insights] for message in play.posted("lesson_found")]


class TestWithinAMinute:
    def test_insights_go_out_in_one_message_in_the_order_they_were_found(self, training):
        finds(training, "device_idle", IDLE)
        training.later(40)
        finds(training, "gradient_clipped", CLIPPED)
        training.ticks(MINUTE_S - 41)
        assert problems(training) == [["GPU 사용률 30%", "최근 epoch의 step 97%에서 gradient clipping 발생"]]

    def test_the_first_is_waited_for_no_longer_because_more_come(self, training):
        finds(training, "device_idle", IDLE)
        first_at = training.at
        training.later(58)
        finds(training, "gradient_clipped", CLIPPED)
        assert ticks.wake_at(training.state, training.policy) == first_at + timedelta(seconds=MINUTE_S)

    def test_what_comes_after_it_goes_out_by_itself(self, training):
        finds(training, "device_idle", IDLE)
        training.later(MINUTE_S)
        finds(training, "gradient_clipped", CLIPPED)
        assert problems(training) == [["GPU 사용률 30%"]]
        training.ticks(MINUTE_S)
        assert [len(each) for each in problems(training)] == [1, 1]

    def test_their_pictures_go_along_each_once(self, training):
        finds(training, "plateau", PLATEAU)
        finds(training, "diverging", {"loss": 0.5, "best": 0.1, "best_epoch": 40, "epoch": 60})
        finds(training, "device_idle", IDLE, "findings/x.png")
        (told,) = training.ticks(MINUTE_S)
        assert (told.show, told.run) == (("loss_curve", "findings/x.png"), training.cycle.run_name)


class TestAFact:
    def test_is_told_once_a_run(self, training):
        finds(training, "device_idle", IDLE)
        finds(training, "device_idle", IDLE)
        training.ticks(MINUTE_S)
        finds(training, "device_idle", IDLE)
        training.ticks(MINUTE_S)
        assert [len(each) for each in problems(training)] == [1]

    def test_without_words_is_not_told(self, training):
        finds(training, "unheard_of", {})
        training.ticks(MINUTE_S)
        assert training.posted("lesson_found") == []


@pytest.mark.parametrize("outcome", [None, Failed(failure="diverged", message="NaN")])
def test_when_the_process_ends_what_was_found_comes_first(training, outcome) -> None:
    finds(training, "gradient_clipped", CLIPPED)
    training.job_ends(outcome)
    assert training.kinds()[training.kinds().index("start_report") + 1] == "lesson_found"
    assert training.kinds()[-1] != "lesson_found"


def test_the_last_insights_come_before_done(training, trained) -> None:
    finds(training, "gradient_clipped", CLIPPED)
    training.job_ends(trained)
    assert training.kinds()[-1] == "lesson_found"


class TestAfterARestart:
    def test_they_are_told_once_their_minute_is_over(self, training):
        finds(training, "device_idle", IDLE)
        training.state = State.model_validate_json(training.state.model_dump_json())
        training.happened(DaemonWoke(at=training.later(3600), house="h0", job="alive"))
        assert training.kinds()[-2:] == ["lesson_found", "restart_notice"]

    def test_a_clock_that_was_put_back_makes_them_a_minute_late_at_most(self, training):
        finds(training, "device_idle", IDLE)
        training.at -= timedelta(hours=5)
        training.happened(DaemonWoke(at=training.at, house="h0", job="alive"))
        training.ticks(MINUTE_S)
        assert "lesson_found" in training.kinds()


@pytest.mark.parametrize("by_s", [-3600.0, 3600.0])
def test_a_clock_that_jumps_keeps_them_no_longer(training, by_s: float) -> None:
    finds(training, "device_idle", IDLE)
    training.happened(ClockJumped(at=training.later(by_s), by_s=by_s))
    training.ticks(MINUTE_S)
    assert problems(training) == [["GPU 사용률 30%"]]
