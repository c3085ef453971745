"""What the other commands show, in each state."""

from bot.core.events import (
    Gauges,
)
from bot.core.policy import Policy
from bot.core.showing import checkpoints
from protocol.messages import (
    Lesson,
    Lessons,
)
from protocol.plan import Plan
from protocol.training import TrainingConfig

SWING = Lesson(category="데이터", text="에피소드 첫 50프레임은 카메라 스윙으로 무효")


def test_of_what_was_uploaded_it_says_when_and_that_it_was_then(training) -> None:
    assert "저장된 checkpoint 없음" in training.shown("checkpoints")
    training.checkpoint_is_saved(50)
    assert "epoch 50: 업로드 대기" in training.shown("checkpoints")
    training.checkpoint_is_published(50)
    (kept,) = training.cycle.shelf.checkpoints
    shown = training.shown("checkpoints")
    assert "epoch 50: 업로드됨 (12:00)" in shown
    assert "`training-claw bucket verify`" in shown
    training.later(86400)
    assert "epoch 50: 업로드됨 (03-01 12:00)" in training.shown("checkpoints")
    known_before = kept.model_copy(update={"safe_at": None})
    shelf = training.cycle.shelf.model_copy(update={"checkpoints": (known_before,)})
    cycle = training.cycle.model_copy(update={"shelf": shelf})
    state = training.state.model_copy(update={"cycle": cycle})
    assert "epoch 50: 업로드됨\n" in checkpoints.checkpoints(state, Gauges(), training.at, training.policy)


def test_lessons_in_every_state(play) -> None:
    assert play.shown("lessons") == "없음"
    play.says(play.watcher, Lessons(lessons=(SWING,)))
    assert play.shown("lessons").startswith("- (다음 cycle)")
    play.watcher_hands_over()
    assert play.shown("lessons").startswith("- (판단 전)")
    assert "1개 (판단 전)" in play.shown("status")
    play.terms_are_read()
    assert play.shown("lessons").startswith("- [적용]")
    assert "적용 1" in play.shown("status")


def test_config_names_the_source_of_each_value(play) -> None:
    assert play.shown("config").startswith("기본 설정")
    play.watcher_hands_over(SWING)
    planned = TrainingConfig().with_changes({"training.epochs": 100})
    play.terms_are_read(Plan(overrides={"training.epochs": 100}, config=planned))
    shown = play.shown("config")
    assert "training.epochs: 500 → 100 (PLAN.md)" in shown
    assert "dataset.skip_first_frames: 0 → 50 (Watcher (HANDOFF): " in shown


def test_a_default_of_the_rehearsal_s_is_called_a_default(stage_class) -> None:
    play = stage_class(Policy(defaults=TrainingConfig().with_changes({"training.epochs": 3})))
    play.watcher_hands_over()
    play.terms_are_read()
    assert "(기본 설정)" in play.shown("config")


def test_checkpoints_and_queue(training) -> None:
    assert "best: 없음" in training.shown("checkpoints")
    training.trainer_says(training.saved("best", 50))
    training.checkpoint_is_saved(50)
    assert training.shown("checkpoints").startswith("epoch 50: 업로드 대기\nbest: epoch 50, 업로드 대기\n")
    assert training.shown("queue") == "대기열이 비어 있습니다."
    training.developer_hands_over(cycle=2)
    assert training.shown("queue").startswith("1. Cycle 2")
    assert "대기열: 1개" in training.shown("status")


def test_without_a_cycle_there_is_still_an_answer(play) -> None:
    assert "gs://ralphton-handoff/checkpoints/" in play.shown("checkpoints")
    assert "`!status`" in play.shown("help")


def test_an_unknown_command_gets_the_nearest_name(play) -> None:
    play.operator_asks("statsu")
    assert "`!status`입니까?" in play.posted("answer")[-1].body
    play.operator_asks("xyzzy")
    assert "입니까" not in play.posted("answer")[-1].body
