"""One cycle, from the first HANDOFF to the last, as a play in which only the core is on stage."""

from datetime import timedelta

import pytest

from bot.core.effects import Post
from bot.core.events import DaemonWoke, Gauges
from bot.core.state import Finished, State
from protocol.job import Failed
from protocol.messages import Approval, Handoff, Lesson
from protocol.training import TrainingConfig

OOM = Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족으로 학습 중단 발생")
SWING = Lesson(category="데이터", text="에피소드 첫 50프레임은 카메라 스윙으로 무효")


def ends(play, trained) -> None:
    """The open cycle comes to its DONE."""
    play.trainer_says(play.saved("best", 500))
    play.job_ends(trained)
    play.best_is_published(500)
    play.is_handed_on()


class TestTheWholeStory:
    def test_two_handoffs_two_lessons_one_approval_one_training(self, play, trained) -> None:
        play.watcher_hands_over(OOM, SWING)
        assert play.kinds() == ["receipt"]
        assert play.ordered("read_terms")[0].cycle == 1

        play.terms_are_read()
        assert play.kinds()[1:] == ["change_report", "proposal"]
        (proposal,) = play.posted("proposal")
        (change,) = play.posted("change_report")[0].changes
        assert (change.change.field, change.change.after) == ("dataset.skip_first_frames", 50)

        play.developer_hands_over(episodes=85)
        play.data_is_admitted()
        assert play.cycle.data.phase == "admitted"
        assert play.cycle.run.phase == "unstarted", "it waits for Watcher's word"

        play.says(play.watcher, Approval(proposal=proposal.hash))
        (order,) = [job for job in play.ordered("start_job") if job.work == "train"]
        assert order.config.training.batch_size == 32
        assert order.config.training.gradient_accumulation == 2
        assert order.config.dataset.skip_first_frames == 50
        assert order.config.hash == proposal.hash

        play.training_starts()
        (start,) = play.posted("start_report")
        assert (start.episodes, start.frames) == (85, 25500)

        for epoch in (50, 100, 150, 200, 250):
            play.trainer_says(play.saved("best", epoch))
            play.checkpoint_is_saved(epoch)
            play.checkpoint_is_published(epoch)
            play.best_is_published(epoch)
        assert [order.epoch for order in play.ordered("forget_checkpoint")] == [50, 100]

        from_trainer = play.cycle.shelf.best
        assert from_trainer is not None
        assert from_trainer.safe_epoch == 250
        play.job_ends(trained)
        assert play.ordered("hand_on")[0].cycle == 1
        assert "done" not in play.kinds(), "nothing is promised before it is in the bucket"

        play.is_handed_on()
        (done,), (handoff,) = play.posted("done"), play.posted("final_handoff")
        assert [lesson.mark for lesson in done.lessons] == ["applied", "applied"]
        assert done.best == "gs://ralphton-handoff/checkpoints/cycle01/act_best/"
        assert handoff.best == "gs://ralphton-handoff/checkpoints/act_best/"
        assert play.state.cycle is None

    def test_a_best_that_came_after_the_last_checkpoint_is_sent_before_the_end(
        self, training, trained
    ) -> None:
        training.checkpoint_is_saved(50)
        training.checkpoint_is_published(50)
        training.trainer_says(training.saved("best", 51))
        training.job_ends(trained)
        assert [order.epoch for order in training.ordered("publish_best")] == [51]
        assert training.ordered("hand_on") == []
        training.best_is_published(51)
        assert len(training.ordered("hand_on")) == 1

    def test_every_message_has_a_reference_of_its_own(self, training) -> None:
        refs = [effect.message.ref for effect in training.effects if isinstance(effect, Post)]
        assert len(set(refs)) == len(refs)
        assert all(ref.startswith("h0-") for ref in refs)

    def test_the_next_of_the_queue_begins_when_its_forerunner_is_over(self, training, trained) -> None:
        training.developer_hands_over(cycle=2)
        assert "대기열 1번째" in training.posted("receipt")[-1].next_step
        training.developer_hands_over(cycle=2)
        assert len(training.state.queue) == 1, "the same HANDOFF keeps its place"
        training.trainer_says(training.saved("best", 50))
        training.checkpoint_is_saved(50)
        training.checkpoint_is_published(50)
        training.best_is_published(50)
        training.job_ends(trained)
        training.is_handed_on()
        assert training.cycle.number == 2
        assert training.cycle.data.phase == "fetching"

    @pytest.mark.parametrize("watcher_first", [True, False])
    def test_both_halves_of_a_cycle_that_waits_begin_together(self, training, trained, watcher_first) -> None:
        slower = Lesson(category="학습", text="수렴이 느림", remedy="lr=5e-5")
        halves = [
            lambda: training.watcher_hands_over(slower, cycle=2),
            lambda: training.developer_hands_over(cycle=2),
        ]
        for hand_over in halves if watcher_first else reversed(halves):
            hand_over()
        assert "대기열 1번째" in training.posted("receipt")[-1].next_step, "at one place, for it is one cycle"
        ends(training, trained)
        assert training.state.queue == ()
        assert training.cycle.number == 2
        assert training.cycle.data.phase == "fetching", "nobody need hand it over again"
        training.terms_are_read()
        assert training.cycle.terms.config.training.lr == 5e-5, "on Watcher's word"

    def test_what_is_handed_over_once_more_with_another_lesson_is_not_lost_in_the_queue(
        self, training, trained
    ) -> None:
        training.watcher_hands_over(OOM, cycle=2)
        training.watcher_hands_over(OOM, SWING, cycle=2)
        training.developer_hands_over(cycle=3)
        assert "대기열 2번째" in training.posted("receipt")[-1].next_step
        ends(training, trained)
        training.terms_are_read()
        assert [entry.heard.lesson for entry in training.cycle.terms.ledger] == [OOM, SWING]
        assert [waiting.handoff.cycle for waiting in training.state.queue] == [3]

    def test_a_cycle_that_cannot_begin_does_not_hold_up_those_behind_it(self, training, trained) -> None:
        training.developer_hands_over(cycle=2)
        training.developer_hands_over(cycle=3)
        over = Finished(number=2, done=True, source="", certificate="", config=TrainingConfig())
        training.state = training.state.model_copy(update={"finished": (over,)})
        ends(training, trained)
        assert training.posted("question")[-1].question.startswith("Cycle 2은 이미 끝났습니다")
        assert training.cycle.number == 3

    def test_a_path_that_is_missing_is_asked_for_before_its_cycle_waits(self, training) -> None:
        training.developer_hands_over(data=None, cycle=2)
        assert training.posted("question")[-1].question == "HANDOFF에 데이터 경로가 없습니다."
        assert training.state.queue == ()

    def test_a_finished_number_is_not_used_again_without_a_question(self, training, trained) -> None:
        training.trainer_says(training.saved("best", 500))
        training.job_ends(trained)
        training.best_is_published(500)
        training.is_handed_on()
        training.developer_hands_over(cycle=1)
        assert training.posted("question")[-1].how_to_answer.startswith("새 cycle이면 `Cycle 2`")
        assert training.state.cycle is None


class TestTheRhythm:
    def test_watcher_hears_every_half_hour_from_the_first_message_on(self, play) -> None:
        play.watcher_hands_over()
        play.ticks(1799)
        assert play.posted("phase_report") == []
        play.ticks(1)
        (report,) = play.posted("phase_report")
        assert report.phase == "awaiting_data"

    def test_missed_ticks_become_one_late_report_that_names_them(self, play) -> None:
        play.watcher_hands_over()
        due = play.state.report_due_at
        play.ticks(3 * 1800 + 5)
        (report,) = play.posted("phase_report")
        assert report.missed == (due, due + timedelta(minutes=30))
        assert play.state.report_due_at == due + timedelta(minutes=90), "the rhythm does not drift"

    def test_a_training_report_has_the_card_s_figures(self, training, stepped) -> None:
        training.checkpoint_is_saved(50)
        training.checkpoint_is_published(50)
        figures = {"last_loss": 0.0234, "first_loss": 0.158, "eta_s": 3600}
        newest = stepped(training.at + timedelta(minutes=28), **figures)
        training.ticks(1800, Gauges(stepped=newest))
        (report,) = training.posted("training_report")
        assert (report.epoch, report.epochs, report.loss, report.first_loss) == (150, 500, 0.0234, 0.158)
        assert report.checkpoint == "gs://ralphton-handoff/checkpoints/act_epoch_050/"
        assert report.eta == training.at + timedelta(seconds=3600)
        assert "2분" in report.notes[1], "it does not look more alive than the trainer"

    def test_idle_says_nothing(self, play) -> None:
        assert play.ticks(10**6) == ()


class TestAfterARestart:
    def test_watcher_is_told_and_the_run_goes_on(self, training) -> None:
        training.happened(DaemonWoke(at=training.later(), house="other", job="alive"))
        (notice,) = training.posted("restart_notice")
        assert notice.repeated_epochs == 0
        assert training.state.house == "h0", "references stay this installation's"
        assert training.cycle.run.phase == "training"

    def test_before_any_training_nothing_is_done_again(self, play) -> None:
        play.watcher_hands_over()
        play.happened(DaemonWoke(at=play.later(), house="other"))
        assert play.posted("restart_notice")[-1].repeated_epochs == 0

    def test_the_state_survives_the_trip_through_the_disk(self, training) -> None:
        assert State.model_validate_json(training.state.model_dump_json()) == training.state


class TestTheDataSet:
    def test_refused_data_is_blocked_with_the_card_s_words(self, play) -> None:
        play.watcher_hands_over()
        play.terms_are_read()
        play.developer_hands_over()
        play.data_is_fetched()
        problem = {
            "severity": "refuse",
            "check": "frame_count",
            "episode": "episode_023",
            "message": "프레임 수 불일치 (비디오 300프레임, 액션 298프레임)",
        }
        play.data_is_checked(ok=False, problems=(problem,))
        (blocked,) = play.posted("blocked")
        assert blocked.problems == ("episode_023의 프레임 수 불일치 (비디오 300프레임, 액션 298프레임)",)
        assert blocked.request == "Developer에게 재생성 요청"
        play.developer_hands_over()
        assert play.cycle.data.phase == "fetching", "Developer's next HANDOFF begins anew"

    def test_announced_and_found_episodes_must_agree(self, play) -> None:
        play.watcher_hands_over()
        play.terms_are_read()
        play.developer_hands_over(episodes=90)
        play.data_is_fetched()
        play.data_is_checked(episodes=85)
        assert play.posted("blocked")[0].problems == ("에피소드 수 불일치 (HANDOFF 90개, 실제 85개)",)

    @pytest.mark.parametrize("first", ["announced", "named", "fetched", "checking"])
    def test_a_number_that_only_watcher_announces_counts_too(self, play, first) -> None:
        play.developer_hands_over(cycle=1) if first != "announced" else None
        if first in ("fetched", "checking"):
            play.data_is_fetched()
        if first == "checking":
            play.terms_are_read()
        play.says(play.watcher, Handoff(cycle=1, episodes=90))
        if first == "announced":
            play.developer_hands_over()
        if first in ("announced", "named"):
            play.data_is_fetched()
        if first != "checking":
            play.terms_are_read()
        play.data_is_checked(episodes=85)
        assert play.posted("blocked")[0].problems == ("에피소드 수 불일치 (HANDOFF 90개, 실제 85개)",)

    @pytest.mark.parametrize(("remaining", "absent"), [(84, ()), (85, ("episode_017",))])
    def test_what_a_lesson_excludes_is_counted_where_it_is_there(self, play, remaining, absent) -> None:
        out = Lesson(category="데이터", text="episode_017 제외", remedy="exclude_episodes=[episode_017]")
        play.watcher_hands_over(out)
        play.terms_are_read()
        play.developer_hands_over(episodes=85)
        play.data_is_fetched()
        warned = {"severity": "warn", "check": "excluded_names"}
        problems = tuple(warned | {"message": f"제외할 에피소드가 없음 ({name})"} for name in absent)
        play.data_is_checked(episodes=remaining, problems=problems)
        assert play.cycle.data.config.dataset.exclude_episodes == ("episode_017",)
        assert play.posted("blocked") == []

    def test_developer_s_number_stands_above_watcher_s(self, play) -> None:
        play.says(play.watcher, Handoff(cycle=1, episodes=90))
        play.developer_hands_over(episodes=85)
        play.says(play.watcher, Handoff(cycle=1, episodes=91))
        play.terms_are_read()
        play.data_is_fetched()
        play.data_is_checked(episodes=85)
        assert play.posted("blocked") == []
        play.says(play.watcher, Handoff(cycle=1, episodes=92))
        assert play.cycle.data.phase == "converting", "there is a verdict"

    def test_the_same_handoff_again_gets_the_status_and_no_second_run(self, training) -> None:
        orders = len(training.ordered("start_job"))
        training.developer_hands_over(episodes=85)
        assert "이미 접수한 HANDOFF" in training.posted("answer")[-1].body
        assert len(training.ordered("start_job")) == orders

    def test_a_handoff_without_a_path_gets_a_question(self, play) -> None:
        play.developer_hands_over(data=None)
        assert play.posted("question")[0].to == (play.developer,)
        assert play.state.cycle is None

    def test_a_crashed_check_is_tried_again_then_blocked(self, play) -> None:
        play.watcher_hands_over()
        play.terms_are_read()
        play.developer_hands_over()
        play.data_is_fetched()
        for _ in range(3):
            play.job_ends(None, "Killed")
        assert len(play.ordered("start_job")) == 3
        assert play.posted("blocked")[0].cause == "trainer"

    def test_a_data_rule_said_after_admission_is_checked_again(self, play) -> None:
        play.watcher_hands_over(OOM)
        play.developer_hands_over()
        play.terms_are_read()
        play.data_is_admitted()
        play.watcher_hands_over(SWING)
        (proposal,) = play.posted("proposal")[-1:]
        play.says(play.watcher, Approval(proposal=proposal.hash))
        assert play.cycle.data.phase == "checking"
        assert play.cycle.data.config.dataset.skip_first_frames == 50

    def test_developer_s_half_may_come_first(self, play) -> None:
        play.developer_hands_over()
        play.data_is_fetched()
        assert play.cycle.data.phase == "fetched"
        play.terms_are_read()
        assert play.cycle.data.phase == "checking"
        play.says(play.watcher, Handoff(lessons=(SWING,)))
        assert play.cycle.terms.config.dataset.skip_first_frames == 50


class TestWhenTheTrainerDies:
    def test_a_crash_is_tried_again_after_a_pause(self, training) -> None:
        training.job_ends(None, "Segmentation fault")
        assert training.cycle.run.phase == "cooling"
        (notice,) = training.posted("restart_notice")
        assert "Segmentation fault" in notice.cause
        log = f"runs/{training.cycle.run_name}/attempts/{training.cycle.attempts}/trainer.log"
        assert log in notice.cause
        assert notice.checkpoint is None, "nothing is saved yet"
        training.ticks(29)
        assert training.cycle.run.phase == "cooling"
        training.ticks(2)
        assert training.cycle.run.phase == "starting"
        training.training_starts(resumed_from="checkpoints/resume", epoch=3)
        assert training.cycle.run.epoch == 3
        assert training.posted("restart_notice")[-1].repeated_epochs == 0
        assert len(training.posted("start_report")) == 1

    def test_the_save_it_will_go_on_from_is_named(self, training) -> None:
        training.checkpoint_is_saved(50)
        training.trainer_says(training.saved("resume", 59))
        training.job_ends(None, "SIGKILL")
        assert training.posted("restart_notice")[-1].checkpoint == "resume_059 (epoch 59)"

    def test_three_crashes_without_progress_are_blocked(self, training) -> None:
        for _ in range(3):
            training.job_ends(None, "Killed")
            training.ticks(1000)
            if training.cycle.run.phase == "starting":
                training.training_starts(resumed_from="checkpoints/resume")
        assert training.cycle.run.phase == "held"
        assert training.posted("blocked")[0].cause == "trainer"

    @pytest.mark.parametrize(
        ("failure", "cause"),
        [("out_of_memory", "memory"), ("diverged", "divergence"), ("no_space", "disk"), ("no_device", "gpu")],
    )
    def test_what_a_retry_cannot_mend_is_held_and_told(self, training, failure: str, cause: str) -> None:
        training.job_ends(Failed(failure=failure, message="왜"))  # type: ignore[arg-type]
        assert training.cycle.run.phase == "held"
        assert training.posted("blocked")[0].cause == cause
        training.operator_asks("retry")
        assert training.cycle.run.phase == "starting"

    def test_a_stop_between_two_processes_is_told_like_any_other(self, training) -> None:
        training.job_ends(None, "Segmentation fault")
        training.operator_asks("stop")
        assert training.cycle.run.phase == "held"
        assert "저장하고 멈췄습니다" in training.posted("answer")[-1].body
        (told,) = training.posted("cycle_stopped")
        assert (told.by, told.epoch) == (f"operator {training.policy.operators[0]}", 0)

    def test_a_stop_is_not_a_failure(self, training) -> None:
        training.operator_asks("stop")
        assert training.posted("answer")[-1].to == training.policy.operators
        assert training.posted("receipt")[-1].to == (training.watcher,)
        assert training.ordered("stop_job")[0].attempt == training.cycle.attempts
        training.job_ends(Failed(failure="stopped", message="stopped"))
        assert training.posted("cycle_stopped")[0].by.startswith("operator")
        assert training.posted("blocked") == []
        training.operator_asks("resume")
        assert training.cycle.run.phase == "starting"


def test_a_receipt_shows_the_fields_we_do_not_know(play) -> None:
    play.developer_hands_over(extra={"생성 도구": "sim v2.1"})
    (receipt,) = play.posted("receipt")
    assert "생성 도구: sim v2.1 (참고만 함)" in receipt.understood
