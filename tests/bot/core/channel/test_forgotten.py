"""A machine without memory asks; it does not guess."""

import pytest

from bot.core.channel.forgotten import unfinished
from bot.core.events import CycleForgotten
from bot.core.state import Finished, State
from protocol.messages import Said
from protocol.training import TrainingConfig


def forget(play, cycle: int = 1) -> list[str]:
    play.effects.clear()
    play.happened(CycleForgotten(at=play.later(), cycle=cycle))
    return play.kinds()


class TestWhatWasNotEnded:
    def test_is_read_from_our_own_words(self, training, trained):
        said = [*training.posted()]
        assert unfinished(said) == 1
        training.ticks()
        assert unfinished(training.posted("training_report")) == 1, "as a note of the periodic report"
        training.trainer_says(training.saved("best", 500))
        training.job_ends(trained)
        training.best_is_published(500)
        training.is_handed_on()
        assert unfinished(training.posted()) is None
        assert unfinished(training.posted()[:-1]) == 1, "Evaluation was never told"

    def test_is_nothing_in_an_empty_channel(self):
        assert unfinished(list[Said]()) is None

    def test_is_asked_about(self, play):
        assert forget(play) == ["question"]
        (question,) = play.posted()
        assert "Cycle 1" in question.question
        assert question.to == (play.watcher,)

    def test_is_no_question_while_a_cycle_is_open(self, training):
        assert forget(training) == []

    def test_is_no_question_if_it_was_finished_here(self, play):
        over = Finished(number=1, done=True, source="", certificate="", config=TrainingConfig())
        play.state = State(finished=(over,))
        assert forget(play) == []


@pytest.mark.parametrize("answers", [0])
def test_the_question_is_said_whatever_the_budget(stage_class, answers: int):
    from bot.core.policy import Policy  # noqa: PLC0415

    play = stage_class(Policy(answers_a_minute=answers))
    assert forget(play) == ["question"]
