"""A run that is held for memory or divergence goes on once Watcher has settled otherwise."""

import pytest

from bot.core.events import Reacted
from bot.core.tracks.mending import RESUMABLE
from protocol.job import Failed
from protocol.messages import Approval, Lesson, Lessons, Rejection
from protocol.training import TrainingConfig

OOM = Failed(failure="out_of_memory", message="out of memory", epoch=39)


BEGUN_WITH = [
    *("policy.name", "policy.chunk_size", "policy.n_action_steps"),
    *("training.seed", "training.start_from"),
    *("model.backbone", "model.pretrained_backbone_weights", "model.transformer_layers"),
    *("model.dim_model", "model.n_heads", "model.dim_feedforward", "model.action_dim"),
    *("dataset.camera_names", "dataset.image_size", "dataset.video_size", "dataset.fps"),
    *("dataset.min_episodes", "dataset.action_names", "dataset.state_names", "dataset.skip_first_frames"),
    *("dataset.skip_last_frames", "dataset.exclude_episodes", "dataset.refuse_on"),
    *("dataset.frozen_frames", "dataset.repeated_share", "dataset.blank_spread"),
    *("dataset.saturated_share", "dataset.alike_levels", "dataset.held_share", "dataset.holdout"),
    *("dataset.holdout_every",),
    *("observation.images", "observation.state_dim"),
]
"""With another value of these it is another run."""

HALVED = "batch_size 32로 축소, gradient accumulation 2 적용"


def order(remedy: str) -> Lessons:
    return Lessons(lessons=(Lesson(category="학습", text="메모리 부족", remedy=remedy),))


def starts(play) -> list:
    return [one for one in play.ordered("start_job") if one.work == "train"]


@pytest.fixture
def full(training):
    """It ran out of memory in epoch 40."""
    training.job_ends(OOM)
    return training


def test_of_every_field_it_is_said_whether_a_run_may_go_on_with_another_value() -> None:
    tree = TrainingConfig().model_dump()
    fields = [f"{section}.{name}" for section, values in tree.items() for name in values]
    assert sorted([*RESUMABLE, *BEGUN_WITH]) == sorted(fields), (
        "bot.core.tracks.mending.RESUMABLE, or BEGUN_WITH here"
    )


def test_out_of_memory_is_told_and_its_cure_proposed(full) -> None:
    assert full.kinds()[-2:] == ["blocked", "proposal"]
    (line,) = full.posted("proposal")[-1].lines
    assert line.lesson == "batch_size 64에서 GPU 메모리 부족 (epoch 40)"
    assert [change.after for change in line.changes] == [32, 2]
    assert full.cycle.run.phase == "held"


def test_the_batch_that_was_tried_and_fits_is_the_one_proposed(training) -> None:
    training.job_ends(OOM.model_copy(update={"fits_batch_size": 24}))
    (line,) = training.posted("proposal")[-1].lines
    assert [change.after for change in line.changes] == [24, 3]


def test_a_yes_is_all_it_needs_to_go_on(full, trained) -> None:
    full.says(full.watcher, Approval())
    assert full.cycle.run.phase == "starting"
    assert starts(full)[-1].config.training.batch_size == 32
    assert starts(full)[-1].run == starts(full)[0].run, "the same run, from its last save"
    full.training_starts(resumed_from="checkpoints/resume", epoch=39)
    full.trainer_says(full.saved("best", 500))
    full.job_ends(trained)
    full.best_is_published(500)
    full.is_handed_on()
    (line,) = full.posted("done")[0].lessons
    assert (line.mark, line.outcome) == ("applied", "OOM 없이 완료")


def test_the_trainer_is_told_on_whose_word_each_change_was_made(full) -> None:
    full.says(full.watcher, Approval())
    (batch, passes) = starts(full)[-1].journal
    assert batch.startswith(
        "training.batch_size: 64 → 32 — batch_size 64에서 GPU 메모리 부족 (epoch 40) (Watcher"
    )
    assert passes.startswith("training.gradient_accumulation: 1 → 2")


def test_a_no_leaves_it_held_and_another_word_is_taken(full) -> None:
    full.says(full.watcher, Rejection(reason="먼저 확인"))
    assert full.cycle.run.phase == "held"
    full.says(full.watcher, order("batch_size=16, gradient_accumulation=4"))
    assert starts(full)[-1].config.training.batch_size == 16


def test_while_the_proposal_waits_an_exact_order_replaces_it(full) -> None:
    full.says(full.watcher, order("batch_size=16, gradient_accumulation=4"))
    assert full.cycle.proposal is None
    assert starts(full)[-1].config.training.samples_per_step == 64


def test_a_retry_tries_the_same_again(full) -> None:
    full.operator_asks("retry")
    assert starts(full)[-1].config.training.batch_size == 64


def test_what_needs_another_start_waits_for_the_next_cycle(full) -> None:
    for remedy in ("chunk_size=10", "seed=7", "exclude_episodes=[episode_003]"):
        before = len(full.state.carried)
        full.says(full.watcher, order(remedy))
        assert len(full.state.carried) == before + 1
    assert full.cycle.run.phase == "held"


def test_divergence_is_proposed_a_smaller_rate(training) -> None:
    training.job_ends(Failed(failure="diverged", message="NaN"))
    (line,) = training.posted("proposal")[-1].lines
    assert line.lesson == "lr 1e-4에서 loss 발산"
    training.says(training.watcher, Approval())
    assert starts(training)[-1].config.training.lr == 5e-5


def test_a_full_disk_is_nothing_a_config_mends(training) -> None:
    training.job_ends(Failed(failure="no_space", message="disk"))
    assert training.posted("proposal") == []
    training.says(training.watcher, order("lr=5e-5"))
    assert training.cycle.run.phase == "held", "the disk is still full"
    training.operator_asks("retry")
    assert starts(training)[-1].config.training.lr == 5e-5


def test_a_run_that_an_operator_stopped_stays_so_whatever_is_settled(full) -> None:
    full.operator_asks("stop")
    full.says(full.watcher, Approval())
    assert full.cycle.run.phase == "held"
    full.operator_asks("resume")
    assert starts(full)[-1].config.training.batch_size == 32


class TestAYesThatComesWhenTheRunHasGoneOnWithout:
    """An operator has made room and said `!retry`; Watcher answers the proposal only then."""

    @pytest.fixture
    def gone_on(self, full):
        full.operator_asks("retry")
        full.training_starts(resumed_from="checkpoints/resume", epoch=39)
        return full

    @pytest.mark.parametrize("way", ["in words", "by a reaction", "delegated"])
    def test_changes_nothing_of_it_and_is_not_claimed_to(self, gone_on, trained, way) -> None:
        match way:
            case "in words":
                gone_on.says(gone_on.watcher, Approval())
            case "by a reaction":
                ref = gone_on.cycle.proposal.refs[0]
                gone_on.happened(Reacted(at=gone_on.later(), author=gone_on.watcher, ref=ref, yes=True))
            case _:
                gone_on.policy = gone_on.policy.model_copy(update={"operators_may_approve": True})
                gone_on.operator_asks("approve")
        assert "지금 설정 그대로" in gone_on.posted("receipt")[-1].next_step
        assert gone_on.posted("change_report") == [], "nothing was changed"
        gone_on.trainer_says(gone_on.saved("best", 500))
        gone_on.job_ends(trained)
        gone_on.best_is_published(500)
        gone_on.is_handed_on()
        (line,) = gone_on.posted("done")[0].lessons
        assert line.mark == "refused"
        assert line.outcome.startswith("승인 전에 재개된 학습이라 이번에는 적용하지 않음")
        assert gone_on.state.finished[-1].config.training.batch_size == 64, "what it was trained with"

    def test_is_the_next_cycle_s(self, gone_on) -> None:
        gone_on.says(gone_on.watcher, Approval())
        (carried,) = gone_on.state.carried
        assert carried.lesson.text == "batch_size 64에서 GPU 메모리 부족 (epoch 40)"

    def test_is_one_in_time_if_it_is_held_again(self, gone_on) -> None:
        gone_on.job_ends(OOM)
        gone_on.says(gone_on.watcher, Approval())
        assert starts(gone_on)[-1].config.training.batch_size == 32

    def test_each_report_goes_on_asking_and_operators_are_told_the_truth(self, gone_on) -> None:
        gone_on.ticks(1800)
        proposal = gone_on.cycle.proposal.hash
        assert any(f"[APPROVE] {proposal}" in note for note in gone_on.posted("training_report")[-1].notes)
        gone_on.ticks(7200)
        assert "지금 설정 그대로 진행 중" in gone_on.posted("alert")[-1].body

    def test_silence_is_no_yes_either(self, gone_on) -> None:
        gone_on.policy = gone_on.policy.model_copy(update={"approval": "notice"})
        gone_on.ticks(7200)
        assert gone_on.cycle.terms.config.training.batch_size == 64
        assert len(gone_on.state.carried) == 1


class TestALessonInMidTraining:
    def test_it_is_judged_at_once_and_answered(self, training) -> None:
        lessons = (
            Lesson(category="학습", text="수렴이 느림", remedy="lr=5e-5"),
            Lesson(category="학습", text="batch_size 64에서 GPU 메모리 부족"),
            Lesson(category="학습", text="seed를 42로 고정"),
        )
        training.says(training.watcher, Lessons(lessons=lessons))
        receipt = training.posted("receipt")[-1]
        assert receipt.understood == (
            "레슨런: 수렴이 느림 → 다음 cycle에 적용: lr 5e-5",
            f"레슨런: {lessons[1].text} → 다음 cycle에 승인 요청: {HALVED}",
            "레슨런: seed를 42로 고정 → 이미 seed 42",
        )
        assert training.cycle.run.config.training.lr == 1e-4, "the run goes on as it was"
        assert len(training.state.carried) == 3

    def test_one_that_nobody_understands_is_asked_about_now_not_in_the_next_cycle(self, training) -> None:
        training.says(training.watcher, Lessons(lessons=(Lesson(category="학습", text="지난번처럼"),)))
        assert training.posted("receipt")[-1].understood == ("레슨런: 지난번처럼 → 질문함",)
        assert "지난번처럼" in training.posted("question")[-1].question

    def test_without_a_cycle_it_waits_unjudged(self, play) -> None:
        play.says(play.watcher, Lessons(lessons=(Lesson(category="학습", text="지난번처럼"),)))
        assert play.posted("receipt")[-1].understood == ("레슨런: 지난번처럼",)
        assert play.posted("question") == []
