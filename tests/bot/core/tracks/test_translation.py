"""What a translator makes of a lesson: proposed at most, else asked about, applied by nobody's silence."""

from typing import Any

import pytest

from bot.core.events import LessonTranslated
from bot.core.policy import Policy
from bot.core.rhythm import ticks
from bot.core.state import State
from protocol.messages import Approval, Lesson, Rejection

ODD = Lesson(category="학습", text="배치크기를 사십팔로")
OOM = Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족")


@pytest.fixture
def asked(stage_class):
    """Watcher has said what we do not understand, and a translator is there."""
    play = stage_class(Policy(translator=True))
    play.watcher_hands_over(ODD)
    play.terms_are_read()
    return play


def answers(play, changes: dict[str, Any], entry: int = 0):
    cycle = play.cycle.number
    return play.happened(LessonTranslated(at=play.later(), cycle=cycle, entry=entry, changes=changes))


class TestALessonThatIsNotUnderstood:
    def test_is_put_to_the_translator_before_it_is_asked_about(self, asked):
        (order,) = asked.ordered("translate_lesson")
        assert (order.cycle, order.entry, order.lesson) == (1, 0, ODD)
        assert asked.posted("question") == []

    def test_is_asked_about_at_once_where_there_is_no_translator(self, play):
        play.watcher_hands_over(ODD)
        play.terms_are_read()
        assert play.ordered("translate_lesson") == []
        assert len(play.posted("question")) == 1

    def test_keeps_the_start_waiting_until_the_translator_has_answered(self, asked):
        asked.developer_hands_over(episodes=85)
        asked.device_is_proven()
        asked.data_is_admitted()
        assert asked.cycle.run.phase == "unstarted"
        asked.operator_asks("status")
        asked.ticks()
        assert asked.posted("phase_report")[-1].waiting_for == "레슨런 번역"
        answers(asked, {})
        assert asked.cycle.run.phase == "starting"


class TestAnAnswer:
    def test_becomes_a_line_of_the_proposal_and_nothing_more(self, asked):
        before = asked.cycle.terms.config
        answers(asked, {"training.batch_size": 48})
        (proposal,) = asked.posted("proposal")
        assert proposal.lines[0].reason == "번역기의 제안: batch_size 48"
        assert asked.cycle.terms.config == before
        assert asked.posted("question") == []

    def test_is_applied_by_watcher_s_word(self, asked):
        answers(asked, {"training.batch_size": 48})
        asked.says(asked.watcher, Approval())
        assert asked.cycle.terms.config.training.batch_size == 48
        assert asked.posted("change_report")[-1].changes[0].approved_by.startswith("Watcher")

    def test_is_dropped_by_watcher_s_word(self, asked):
        answers(asked, {"training.batch_size": 48})
        asked.says(asked.watcher, Rejection())
        assert asked.cycle.terms.config.training.batch_size == 64

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"training.warmup": 5},
            {"warmup": 5},
            {"training.batch_size": 0},
            {"training.batch_size": "many"},
            {"training.save_checkpoint_every": 200},
            {"training.batch_size": 64},
            {"training.lr": 1e-5, **{f"dataset.{n}": n for n in range(9)}},
        ],
    )
    def test_that_is_none_leads_to_the_question_as_without_a_translator(self, asked, changes):
        answers(asked, changes)
        assert asked.posted("proposal") == []
        (question,) = asked.posted("question")
        assert "사십팔" in question.question
        assert asked.cycle.terms.phase == "settled"

    def test_that_contradicts_another_lesson_leads_to_the_question(self, stage_class):
        play = stage_class(Policy(translator=True))
        play.watcher_hands_over(OOM, ODD)
        play.terms_are_read()
        answers(play, {"training.batch_size": 48}, entry=1)
        assert len(play.posted("question")) == 1

    def test_counts_once_and_only_for_a_lesson_that_waits_for_it(self, asked):
        answers(asked, {"training.batch_size": 48})
        for entry in (0, 7):
            assert answers(asked, {"training.batch_size": 16}, entry) == ()

    def test_of_another_cycle_or_before_the_terms_are_known_is_nobody_s(self, play):
        play.watcher_hands_over(ODD)
        assert answers(play, {"training.batch_size": 48}) == ()


class TestSilence:
    """APPROVAL=notice."""

    @pytest.fixture
    def noticed(self, stage_class):
        play = stage_class(Policy(translator=True, approval="notice", notice_grace_s=600))
        play.watcher_hands_over(OOM, Lesson(category="학습", text="시드를 팔로"))
        play.terms_are_read()
        answers(play, {"training.seed": 8}, entry=1)
        return play

    def test_approves_what_we_inferred_and_nothing_that_a_translator_said(self, noticed):
        noticed.ticks(600)
        config = noticed.cycle.terms.config.training
        assert (config.batch_size, config.seed) == (32, 42)
        (line,) = noticed.cycle.proposal.lines
        assert line.translated
        noticed.ticks(6000)
        assert noticed.cycle.terms.config.training.seed == 42

    def test_wakes_nobody_for_a_line_that_it_cannot_approve(self, noticed):
        noticed.ticks(600)
        due = ticks.wake_at(noticed.state, noticed.policy)
        assert due == noticed.state.report_due_at

    def test_is_not_what_the_proposal_says_it_starts_by(self, noticed):
        assert noticed.posted("proposal")[-1].blocking


def test_a_restart_in_between_changes_nothing(asked) -> None:
    asked.state = State.model_validate_json(asked.state.model_dump_json())
    answers(asked, {"training.batch_size": 48})
    assert len(asked.posted("proposal")) == 1
