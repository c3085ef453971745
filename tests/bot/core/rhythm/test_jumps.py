"""A clock that jumps: reports keep their rhythm, nobody's silence counts as an answer."""

from datetime import timedelta

from bot.core.channel.listening import LONGEST_OPEN_S
from bot.core.events import ClockJumped, DaemonWoke, Spoke
from bot.core.policy import Policy
from bot.core.rhythm import jumps
from bot.core.rhythm.cadence import MISSED_NAMED
from bot.core.state import State
from protocol.messages import Lesson, Talk

HOUR_S = 3600.0
OOM = Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생")


def jump(play, by_s: float):
    return play.happened(ClockJumped(at=play.later(by_s), by_s=by_s))


class TestAReport:
    def test_is_not_put_off_by_a_clock_set_back(self, training):
        due = training.state.report_due_at
        jump(training, -5 * HOUR_S)
        assert training.state.report_due_at == due - timedelta(hours=5)
        assert training.posted()[-1].notes[-1] == "시계가 5시간 0분 뒤로 건너뜀"
        training.ticks()
        assert training.kinds()[-2:] == ["training_report", "training_report"]

    def test_that_a_jump_ahead_made_late_names_what_was_missed(self, training):
        jump(training, 2 * HOUR_S)
        report = training.posted("training_report")[-1]
        assert report.notes[-1] == "시계가 2시간 0분 앞으로 건너뜀"
        assert len(report.missed) == 3
        assert training.state.report_due_at > training.at

    def test_that_comes_soon_after_tells_of_the_jump_too(self, training):
        """The first may not be out yet when the next is due, and then only that one is sent."""
        jump(training, -5 * HOUR_S)
        training.ticks()
        assert "건너뜀" in training.posted("training_report")[-1].notes[-1]
        training.ticks()
        assert "건너뜀" not in training.posted("training_report")[-1].notes[-1]

    def test_names_no_more_than_anybody_reads(self, training):
        jump(training, 1000 * HOUR_S)
        assert len(training.posted("training_report")[-1].missed) == MISSED_NAMED

    def test_is_not_due_for_ever_if_the_clock_was_set_back_while_nobody_looked(self, training):
        training.at -= timedelta(hours=9)
        training.happened(DaemonWoke(at=training.at, house="h0", job="alive"))
        assert training.state.report_due_at == training.at + timedelta(minutes=30)


class TestWhatElseWaits:
    def test_a_restart_comes_as_soon_as_it_would_have(self, training):
        training.job_ends(None, "SIGKILL")
        pause = training.cycle.run.until - training.at
        jump(training, -HOUR_S)
        assert training.cycle.run.until - training.at == pause
        training.at -= timedelta(hours=9)
        training.happened(DaemonWoke(at=training.at, house="h0", job="dead"))
        assert training.cycle.run.until - training.at == pause

    def test_an_unfinished_message_is_acted_on(self, play):
        said = {"author": play.watcher, "message_id": 1, "text": "<@1477243247956066414> 상태?"}
        play.happened(Spoke(at=play.later(), said_at=play.at, **said))
        due = play.state.open_messages[0].due_at
        jump(play, -HOUR_S)
        assert play.state.open_messages[0].due_at == due - timedelta(hours=1)
        assert play.posted() == [], "without a cycle nobody waits for a report"

    def test_an_unfinished_message_is_acted_on_though_nobody_saw_the_clock_set_back(self, play):
        said = {"author": play.watcher, "message_id": 1, "text": "<@1477243247956066414> 상태?"}
        play.happened(Spoke(at=play.later(), said_at=play.at, **said))
        play.at -= timedelta(hours=9)
        play.happened(DaemonWoke(at=play.at, house="h0"))
        play.ticks(LONGEST_OPEN_S)
        assert play.kinds() == ["answer"]

    def test_answers_given_in_the_future_do_not_use_up_the_budget(self, stage_class):
        play = stage_class(Policy(answers_a_minute=1))
        play.says(play.watcher, Talk(about="status"))
        play.at -= timedelta(hours=9)
        play.happened(DaemonWoke(at=play.at, house="h0"))
        play.later(61)
        play.says(play.watcher, Talk(about="status"))
        assert play.kinds() == ["answer", "answer"]

    def test_a_proposal_of_the_future_was_made_now(self, play):
        play.watcher_hands_over(OOM)
        play.terms_are_read()
        play.at -= timedelta(hours=9)
        play.happened(DaemonWoke(at=play.at, house="h0"))
        assert play.cycle.proposal.since == play.at

    def test_time_to_answer_is_not_counted_by_a_jump(self, play):
        play.watcher_hands_over(OOM)
        play.terms_are_read()
        asked = play.at - play.cycle.proposal.since
        jump(play, 9 * HOUR_S)
        assert play.at - play.cycle.proposal.since == asked

    def test_nothing_waits_without_a_cycle(self, play):
        assert jumps.clamped(State(), play.at, play.policy) == State()
        assert jump(play, -HOUR_S) == ()
