"""What differs from the usual config is told at the start with whose word it was."""

from bot.core.policy import Policy
from protocol.messages import Lesson
from protocol.plan import Plan
from protocol.training import TrainingConfig

SMALLER = Lesson(text="메모리가 부족함\n→ 적용: batch_size=32", category="학습")


def origins(play) -> list[str]:
    return [note for note in play.posted("start_report")[-1].notes if note.startswith("변경 근거")]


def started(play, *lessons: Lesson, plan: Plan | None = None) -> None:
    play.watcher_hands_over(*lessons)
    play.developer_hands_over(episodes=85)
    play.terms_are_read(*([plan] if plan else []))
    play.data_is_admitted()
    play.training_starts()


def test_plan_and_lessons_are_told_apart(play) -> None:
    planned = TrainingConfig().with_changes({"training.epochs": 100})
    started(play, SMALLER, plan=Plan(overrides={"training.epochs": 100}, config=planned))
    assert origins(play) == ["변경 근거: PLAN.md training.epochs; 레슨런·승인 training.batch_size"]


def test_without_a_plan_only_the_lesson_is_named(play) -> None:
    started(play, SMALLER)
    assert origins(play) == ["변경 근거: 레슨런·승인 training.batch_size"]


def test_nothing_is_said_of_the_usual_config(play) -> None:
    started(play)
    assert origins(play) == []


def test_what_an_operator_s_defaults_change_is_nobody_s_plan(stage_class) -> None:
    play = stage_class(Policy(device="cpu", defaults=TrainingConfig().with_changes({"training.epochs": 3})))
    started(play)
    assert origins(play) == ["변경 근거: 봇 설정 training.epochs"]


def test_that_there_is_no_plan_is_said(play, stage_class) -> None:
    started(play)
    (looked,) = looked_for(play)
    assert looked == "확인: HANDOFF, ssot/PLAN.md 없음 (기본 설정), lessons/cycle01.md"
    planned = stage_class(Policy(device="cpu"))
    started(planned, plan=Plan(overrides={}, config=TrainingConfig()))
    assert looked_for(planned) == ["확인: HANDOFF, ssot/PLAN.md, lessons/cycle01.md"]


def looked_for(play) -> list[str]:
    return [note for note in play.posted("start_report")[-1].notes if note.startswith("확인")]
