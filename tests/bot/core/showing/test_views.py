"""What people see when they ask, in each phase."""

import pytest

from bot.core import step
from bot.core.effects import read_effect
from bot.core.events import (
    CheckpointPublished,
    FetchFailed,
    Garbled,
    Gauges,
    Heard,
    JobEnded,
    LessonsFile,
    TermsUnreadable,
)
from bot.core.policy import Policy
from bot.core.rhythm import ticks
from bot.core.saying import endings, reports
from bot.core.showing import checkpoints, commands, phases, progress
from bot.core.showing.headline import headline
from bot.core.state import State, expected_job
from protocol.job import Failed
from protocol.messages import (
    Command,
    Handoff,
    Lesson,
    Lessons,
    Order,
    PhaseReport,
    ProposalPosted,
    ProposedChange,
    Talk,
)
from protocol.plan import Plan
from protocol.progress import Gpu, Stepped
from protocol.training import Change, TrainingConfig

A_LINE = ProposedChange(
    number=1,
    changes=(Change(field="training.batch_size", before=64, after=32),),
    reason="OOM",
    lesson="OOM",
)
SWING = Lesson(category="데이터", text="에피소드 첫 50프레임은 카메라 스윙으로 무효")


def newest_step(at, **fields) -> Stepped:
    figures = {
        "epoch": 150,
        "epochs": 500,
        "step": 59850,
        "samples": 3825000,
        "loss": 0.024,
        "l1": 0.02,
        "kl": 0.0004,
        "lr": 1e-4,
        "grad_norm": 1.0,
        "samples_per_s": 4000,
    }
    return Stepped.model_validate({"at": at, **figures, **fields})


def asked(play, name: str, gauges: Gauges | None = None) -> str:
    return commands.READS[name](play.state, gauges or Gauges(), play.at, play.policy)


class TestStatus:
    def test_idle(self, play) -> None:
        assert "열린 cycle이 없습니다" in asked(play, "status")

    def test_of_what_was_uploaded_it_says_when_and_that_it_was_then(self, training) -> None:
        assert "저장된 checkpoint 없음" in asked(training, "checkpoints")
        training.checkpoint_is_saved(50)
        assert "epoch 50: 업로드 대기" in asked(training, "checkpoints")
        training.checkpoint_is_published(50)
        (kept,) = training.cycle.shelf.checkpoints
        shown = asked(training, "checkpoints")
        assert "epoch 50: 업로드됨 (12:00)" in shown
        assert "`training-claw bucket verify`" in shown
        training.later(86400)
        assert "epoch 50: 업로드됨 (03-01 12:00)" in asked(training, "checkpoints")
        known_before = kept.model_copy(update={"safe_at": None})
        shelf = training.cycle.shelf.model_copy(update={"checkpoints": (known_before,)})
        cycle = training.cycle.model_copy(update={"shelf": shelf})
        state = training.state.model_copy(update={"cycle": cycle})
        assert "epoch 50: 업로드됨\n" in checkpoints.checkpoints(
            state, Gauges(), training.at, training.policy
        )

    def test_the_disk_is_shown_and_a_full_one_comes_first(self, play) -> None:
        assert "디스크" not in asked(play, "status"), "what is not known is not shown"
        assert "디스크: 3.0/40GB 남음" in asked(play, "status", Gauges(disk=(3 << 30, 40 << 30)))
        play.watcher_hands_over()
        shown = asked(play, "status", Gauges(disk=(4096, 40 << 30)))
        assert shown.startswith("디스크 가득: ")

    def test_in_training_it_shows_what_the_trainer_shows(self, training) -> None:
        training.checkpoint_is_saved(100)
        training.checkpoint_is_published(100)
        training.checkpoint_is_saved(150)
        training.operator_asks("status")
        line = newest_step(
            training.at,
            last_loss=0.0234,
            first_loss=0.158,
            best_loss=0.0229,
            best_epoch=149,
            gpu=Gpu(used_bytes=int(28.5 * 2**30), total_bytes=40 * 2**30, busy_share=0.97),
            eta_s=5400,
        )
        shown = asked(training, "status", Gauges(stepped=line))
        assert "epoch 150/500" in shown
        assert "Loss: 0.0234 (초기 0.158), best 0.0229 (epoch 149)" in shown
        assert "28.5/40GB, 사용률 97%" in shown
        assert "1시간 30분" in shown
        assert "act_epoch_100/" in shown
        assert "업로드 대기: epoch 150" in shown
        assert training.posted("answer")[-1].to == (300000000000000001,)
        assert training.ordered("post")[-1].show == ("loss_curve",)

    def test_before_the_first_step_nothing_is_made_up(self, training) -> None:
        assert "최근 step: 없음" in progress.age_of(None, training.at)
        assert "학습 중, epoch 0/500" in asked(training, "status")
        shown = asked(training, "status", Gauges(stepped=newest_step(training.at)))
        assert "CPU" in shown
        assert "계산 중" in shown

    @pytest.mark.parametrize(
        ("steps", "phase"),
        [
            (0, "awaiting_data"),
            (1, "awaiting_data"),
            (2, "fetching"),
            (3, "checking"),
            (4, "converting"),
            (5, "starting"),
        ],
    )
    def test_every_phase_before_training_has_its_report(self, play, steps: int, phase: str) -> None:
        story = (
            play.terms_are_read,
            play.developer_hands_over,
            play.data_is_fetched,
            play.data_is_checked,
            play.data_is_converted,
        )
        play.watcher_hands_over()
        for scene in story[:steps]:
            scene()
        assert phases.waiting(play.cycle)[0] == phase
        counted = Gauges(counted=(3, 85, "episode"), transfer=("dataset", 5_000_000, 10_000_000))
        report = reports.report(play.cycle, counted, play.at, (), play.policy)
        assert isinstance(report, PhaseReport)
        assert report.phase == phase
        assert "전송: dataset 5/10MB" in report.notes

    def test_data_before_the_terms_waits_for_them(self, play) -> None:
        play.developer_hands_over()
        play.data_is_fetched()
        assert phases.waiting(play.cycle)[0] == "awaiting_handoff"

    def test_what_holds_is_named(self, training) -> None:
        training.operator_asks("stop")
        assert phases.waiting(training.cycle)[0] == "held"
        training.job_ends(Failed(failure="stopped", message="stopped"))
        assert "중지: operator" in asked(training, "status")
        training.operator_asks("stop")
        assert len(training.cycle.on_hold) == 1

    def test_a_stop_before_the_start_keeps_it_from_starting(self, play) -> None:
        play.watcher_hands_over()
        play.says(play.watcher, Order(verb="stop"))
        play.terms_are_read()
        play.developer_hands_over()
        play.data_is_admitted()
        assert phases.waiting(play.cycle)[0] == "held"
        play.ticks()
        assert play.posted("phase_report")[-1].phase == "held"
        play.says(play.watcher, Order(verb="resume"))
        assert play.cycle.run.phase == "starting"

    def test_the_end_waits_for_the_bucket_and_says_so(self, training) -> None:
        training.checkpoint_is_saved(500)
        training.job_ends(Failed(failure="bad_job", message="왜"))
        assert training.posted("blocked")[0].cause == "trainer"


class TestTheOtherCommands:
    def test_lessons_in_every_state(self, play) -> None:
        assert asked(play, "lessons") == "없음"
        play.says(play.watcher, Lessons(lessons=(SWING,)))
        assert asked(play, "lessons").startswith("- (다음 cycle)")
        play.watcher_hands_over()
        assert asked(play, "lessons").startswith("- (판단 전)")
        assert "1개 (판단 전)" in asked(play, "status")
        play.terms_are_read()
        assert asked(play, "lessons").startswith("- [적용]")
        assert "적용 1" in asked(play, "status")

    def test_config_names_the_source_of_each_value(self, play) -> None:
        assert asked(play, "config").startswith("기본 설정")
        play.watcher_hands_over(SWING)
        planned = TrainingConfig().with_changes({"training.epochs": 100})
        play.terms_are_read(Plan(overrides={"training.epochs": 100}, config=planned))
        shown = asked(play, "config")
        assert "training.epochs: 500 → 100 (PLAN.md)" in shown
        assert "dataset.skip_first_frames: 0 → 50 (Watcher (HANDOFF): " in shown

    def test_a_default_of_the_rehearsal_s_is_called_a_default(self, stage_class) -> None:
        play = stage_class(Policy(defaults=TrainingConfig().with_changes({"training.epochs": 3})))
        play.watcher_hands_over()
        play.terms_are_read()
        assert "(기본 설정)" in asked(play, "config")

    def test_checkpoints_and_queue(self, training) -> None:
        assert "best: 없음" in asked(training, "checkpoints")
        training.trainer_says(training.saved("best", 50))
        training.checkpoint_is_saved(50)
        assert asked(training, "checkpoints").startswith("epoch 50: 업로드 대기\nbest: epoch 50\n")
        assert asked(training, "queue") == "대기열이 비어 있습니다."
        training.developer_hands_over(cycle=2)
        assert asked(training, "queue").startswith("1. Cycle 2")
        assert "대기열: 1개" in asked(training, "status")

    def test_without_a_cycle_there_is_still_an_answer(self, play) -> None:
        assert "gs://ralphton-handoff/checkpoints/" in asked(play, "checkpoints")
        assert "`!status`" in asked(play, "help")

    def test_an_unknown_command_gets_the_nearest_name(self, play) -> None:
        play.operator_asks("statsu")
        assert "`!status`입니까?" in play.posted("answer")[-1].body
        play.operator_asks("xyzzy")
        assert "입니까" not in play.posted("answer")[-1].body

    def test_orders_without_a_cycle_are_answered(self, play) -> None:
        play.operator_asks("stop")
        assert play.posted("answer")[-1].body == "열린 cycle이 없습니다. HANDOFF를 기다립니다."

    def test_a_stranger_s_command_changes_nothing(self, training) -> None:
        training.says(training.developer, Command(name="stop"))
        assert training.cycle.run.phase == "training"


class TestPeersWhoTalk:
    def test_a_question_about_the_status_gets_the_operators_answer(self, training) -> None:
        training.says(training.developer, Talk(about="status"))
        assert training.posted("answer")[-1].body.startswith("Cycle 1: 학습 중")

    def test_anything_else_gets_what_we_understand(self, play) -> None:
        play.says(play.developer, Talk(about="other"))
        assert play.posted("answer")[-1].body == commands.WHAT_WE_UNDERSTAND

    def test_what_was_not_understood_is_asked_back(self, play) -> None:
        play.happened(Garbled(at=play.later(), author=play.developer, what="무슨 뜻인지 모르겠습니다"))
        assert play.posted("question")[0].how_to_answer == commands.WHAT_WE_UNDERSTAND

    def test_an_operator_who_is_not_understood_gets_an_answer(self, play) -> None:
        operator = play.policy.operators[0]
        play.happened(Garbled(at=play.later(), author=operator, what="무슨 뜻인지 모르겠습니다"))
        assert play.posted("answer")[0].to == (operator,)

    def test_a_handoff_from_another_peer_is_not_taken(self, play) -> None:
        play.says(play.policy.roster.evaluation, Handoff(data="gs://ralphton-handoff/dataset/"))
        assert play.state.cycle is None

    def test_lessons_said_in_time_reach_the_cycle(self, play) -> None:
        play.watcher_hands_over()
        play.says(play.watcher, Lessons(lessons=(SWING,)))
        play.terms_are_read()
        assert play.cycle.terms.config.dataset.skip_first_frames == 50
        play.says(play.watcher, Lessons(lessons=()))
        assert play.posted("receipt")[-1].understood == ("레슨런 없음",)


class TestWhatGoesWrong:
    def test_a_broken_plan_is_blocked_and_looked_at_again_on_retry(self, play) -> None:
        play.watcher_hands_over()
        play.happened(TermsUnreadable(at=play.later(), cycle=1, errors=("PLAN.md:3: batch_siz",)))
        assert play.posted("blocked")[0].problems == ("PLAN.md:3: batch_siz",)
        play.operator_asks("retry")
        assert len(play.ordered("read_terms")) == 2
        play.terms_are_read()
        play.happened(TermsUnreadable(at=play.later(), cycle=1, errors=("late",)))
        assert len(play.posted("blocked")) == 1
        play.terms_are_read()
        assert play.cycle.terms.phase == "settled"

    def test_data_that_cannot_be_had_is_blocked_by_cause(self, play) -> None:
        play.developer_hands_over("gs://elsewhere/dataset/")
        refused = FetchFailed(at=play.later(), cycle=1, cause="foreign_bucket", problem="gs://elsewhere/")
        play.happened(refused)
        assert play.posted("blocked")[0].cause == "foreign_bucket"
        play.happened(refused)
        assert len(play.posted("blocked")) == 1
        play.data_is_fetched()
        assert play.cycle.data.phase == "refused"
        assert phases.waiting(play.cycle)[0] == "awaiting_data"
        play.operator_asks("retry")
        assert play.cycle.data.phase == "fetching"

    def test_a_conversion_that_fails_names_why(self, play) -> None:
        play.watcher_hands_over()
        play.terms_are_read()
        play.developer_hands_over()
        play.data_is_fetched()
        play.data_is_checked()
        play.job_ends(Failed(failure="no_space", message="디스크 부족"))
        assert play.posted("blocked")[0].cause == "disk"

    def test_warnings_are_passed_on_with_the_admission(self, play) -> None:
        play.watcher_hands_over()
        play.terms_are_read()
        play.developer_hands_over()
        play.data_is_fetched()
        warning = {"severity": "warn", "check": "constant", "message": "bucket 채널이 일정"}
        play.data_is_checked(problems=(warning,))
        play.data_is_converted()
        assert "주의: bucket 채널이 일정" in play.posted("receipt")[-1].understood

    def test_a_lesson_nobody_can_read_is_asked_back_and_shown_in_done(self, play) -> None:
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

    def test_an_event_of_no_cycle_changes_nothing(self, play) -> None:
        before = play.state
        failed = FetchFailed(at=play.later(), cycle=1, cause="no_data", problem="x")
        assert play.happened(failed) == ()
        assert play.state == before == State(house="h0")

    def test_what_should_be_alive(self, play) -> None:
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

    def test_the_next_wake_is_the_earliest_thing_due(self, training) -> None:
        assert ticks.wake_at(training.state, training.policy) == training.state.report_due_at
        training.job_ends(None)
        assert ticks.wake_at(training.state, training.policy) == training.cycle.run.until


class TestTheRun:
    def test_a_stop_while_it_cools_holds_it(self, training) -> None:
        training.job_ends(None)
        training.operator_asks("stop")
        assert training.cycle.run.phase == "held"

    def test_resume_does_not_wait_for_the_pause(self, training) -> None:
        training.job_ends(None)
        assert phases.waiting(training.cycle)[1] == "학습 프로세스 재시작"
        training.operator_asks("resume")
        assert training.cycle.run.phase == "starting"

    def test_epochs_that_grow_are_progress(self, training) -> None:
        training.job_ends(None)
        training.ticks(60)
        training.training_starts(resumed_from="checkpoints/resume")
        line = newest_step(training.at, last_loss=0.1, first_loss=0.2)
        training.trainer_says(line)
        assert (training.cycle.run.epoch, training.cycle.run.tries) == (150, 1)
        training.trainer_says(newest_step(training.at, epoch=149))
        assert training.cycle.run.epoch == 150
        training.job_ends(None)
        training.ticks(60)
        training.training_starts(resumed_from="checkpoints/resume", epoch=148)
        assert training.posted("restart_notice")[-1].repeated_epochs == 2
        training.trainer_says(line)
        training.ticks()
        assert training.posted("training_report")[0].loss == 0.1, "the state knows, without gauges too"
        training.later(1790)
        training.ticks(10, Gauges(stepped=newest_step(training.at)))
        assert training.posted("training_report")[1].loss == 0.024

    def test_it_may_end_while_the_order_to_stop_is_on_its_way(self, training, trained) -> None:
        training.operator_asks("stop")
        training.job_ends(trained)
        assert training.cycle.run.phase == "ended"
        assert phases.waiting(training.cycle)[0] == "uploading"

    def test_a_verdict_of_another_kind_is_held(self, training) -> None:
        training.data_is_checked()
        assert training.cycle.run.phase == "held"

    def test_a_resume_point_needs_no_upload(self, training) -> None:
        assert training.trainer_says(training.saved("resume", 3)) == ()

    def test_superseding_an_earlier_run_of_the_cycle_is_said(self, training) -> None:
        training.checkpoint_is_saved(50)
        old = "checkpoints/cycle01/act_epoch_400/"
        cycle = training.cycle.number
        training.happened(CheckpointPublished(at=training.later(), cycle=cycle, epoch=50, retired=(old,)))
        assert old in training.posted("receipt")[-1].understood[0]
        assert training.posted("receipt")[-1].to == (training.watcher,)

    def test_what_was_forgotten_is_off_the_shelf(self, training) -> None:
        training.checkpoint_is_saved(50)
        training.checkpoint_is_published(50)
        training.is_forgotten(50)
        assert training.cycle.shelf.checkpoints == ()
        assert training.best_is_published(50) == ()

    def test_every_order_has_a_key_of_its_own(self, training, trained) -> None:
        for epoch in (50, 100, 150, 200):
            training.trainer_says(training.saved("best", epoch))
            training.checkpoint_is_saved(epoch)
            training.checkpoint_is_published(epoch)
            training.best_is_published(epoch)
        training.operator_asks("stop")
        training.job_ends(trained)
        keys = [effect.key for effect in training.effects]
        assert len(set(keys)) == len(keys)
        kinds = {effect.kind for effect in training.effects}
        assert {"hand_on", "stop_job", "publish_curve", "forget_checkpoint"} <= kinds


class TestOddsAndEnds:
    def test_idle_and_patient_states_ask_for_no_early_wake(self, play, stage_class) -> None:
        assert ticks.wake_at(play.state, play.policy) is None
        hasty = stage_class(Policy(approval="notice", notice_grace_s=60))
        hasty.watcher_hands_over(Lesson(category="학습", text="OOM"))
        hasty.terms_are_read()
        woken = ticks.wake_at(hasty.state, hasty.policy)
        assert (woken - hasty.cycle.proposal.since).total_seconds() == 60

    def test_what_is_satisfied_already_is_said_to_be(self, play) -> None:
        play.watcher_hands_over(Lesson(category="학습", text="seed 고정", remedy="seed=42"))
        assert [one.mark for one in endings.outcomes(play.cycle)] == ["unanswered"]
        play.terms_are_read()
        assert [(one.mark, one.outcome) for one in endings.outcomes(play.cycle)] == [
            ("applied", "이미 seed 42")
        ]

    def test_a_change_whose_effect_is_not_measured_claims_none(self, play) -> None:
        play.watcher_hands_over(Lesson(category="학습", text="seed 변경", remedy="seed=7"))
        play.terms_are_read()
        assert endings.outcomes(play.cycle)[0].outcome == ""

    def test_facts_of_another_cycle_or_run_change_nothing(self, training, trained) -> None:
        before = training.state
        training.is_handed_on(cycle=7)
        failed = FetchFailed(at=training.later(), cycle=7, cause="no_data", problem="x")
        training.happened(failed)
        training.happened(JobEnded(at=training.later(), run="other", attempt=1, outcome=trained))
        assert training.state == before

    def test_a_checkpoint_without_a_loss_is_published_all_the_same(self, training) -> None:
        line = training.saved("checkpoint", 50).model_copy(update={"loss": None})
        training.trainer_says(line)
        assert "loss" not in training.ordered("publish_checkpoint")[0].meta

    def test_while_it_cools_or_ends_the_report_says_so(self, training) -> None:
        training.checkpoint_is_saved(500)
        training.ticks()
        assert headline(State(), Gauges()) == "대기 중"
        training.job_ends(None)
        training.ticks(1)
        assert phases.waiting(training.cycle)[0] == "starting"

    def test_a_training_without_a_step_is_called_starting(self, training) -> None:
        assert phases.waiting(training.cycle) == ("starting", "첫 step", training.cycle.run.since, "ACT 학습")

    def test_an_owed_order_comes_back_from_the_disk_as_it_was(self, training) -> None:
        assert [read_effect(one.model_dump_json()) for one in training.effects] == training.effects

    def test_a_proposal_that_is_no_longer_open_carries_no_reference(self, play) -> None:
        posted = ProposalPosted(cycle=1, hash="abc", lines=(A_LINE,), ref="h0-9")
        assert step._carried_by(play.state, posted) == play.state


@pytest.mark.parametrize(
    ("words", "lines"), [((), 10), (("3",), 3), (("many",), 10), (("99",), 12), (("0",), 0)]
)
def test_logs_are_the_newest_lines(play, words, lines) -> None:
    gauges = Gauges(journal=tuple(f"line {n}" for n in range(12)))
    command = Command(name="logs", arguments=words)
    play.happened(Heard(at=play.later(), author=play.policy.operators[0], message=command, gauges=gauges))
    answer = play.posted("answer")[-1]
    assert answer.block.splitlines() == (
        [f"line {n}" for n in range(12)][-lines:] if lines else ["기록이 없습니다."]
    )
