"""PLAN.md is written anew while a cycle is open: Watcher is told, and nothing of the cycle changes."""

from bot.core.events import PlanSeen
from protocol.plan import Plan
from protocol.training import TrainingConfig


def plan(**fields: int) -> Plan:
    overrides = {f"training.{name}": value for name, value in fields.items()}
    return Plan(overrides=overrides, config=TrainingConfig().with_changes(overrides))


def sees(play, found: Plan | None, *, readable: bool = True) -> list:
    """What is said when it is looked at and says this."""
    before = len(play.posted())
    play.happened(PlanSeen(at=play.later(), cycle=play.cycle.number, plan=found, readable=readable))
    return play.posted()[before:]


def test_it_is_looked_at_with_each_report_and_by_one_at_a_time(training) -> None:
    training.ticks()
    training.ticks()
    assert len(training.ordered("look_at_plan")) == 1, "the bucket has not answered yet"
    sees(training, None)
    training.ticks()
    assert len(training.ordered("look_at_plan")) == 2


def test_before_it_was_read_at_all_nobody_compares(play) -> None:
    play.watcher_hands_over()
    play.ticks()
    assert play.ordered("look_at_plan") == []
    assert sees(play, plan(epochs=7)) == []


def test_what_changed_is_told_once_and_not_applied(training) -> None:
    (told,) = sees(training, plan(epochs=300))
    assert told.to == (training.watcher,)
    assert told.understood == ("Cycle 1을 시작한 뒤에 PLAN.md가 바뀜", "training.epochs: 500 → 300")
    assert told.next_step.startswith("이번 cycle에는 적용하지 않고")
    assert training.cycle.terms.config.training.epochs == 500
    assert sees(training, plan(epochs=300)) == []
    (again,) = sees(training, plan(epochs=200))
    assert again.understood[1:] == ("training.epochs: 500 → 200",)
    (back,) = sees(training, plan())
    assert back.understood[1:] == ("시작할 때의 설정으로 돌아옴",)


def test_one_that_is_gone_is_told_if_it_had_set_something(play) -> None:
    play.watcher_hands_over()
    play.terms_are_read(plan(epochs=300))
    (told,) = sees(play, None)
    assert told.understood[1:] == ("training.epochs: 300 → 500",)


def test_what_cannot_be_read_is_the_next_cycle_s_to_ask_about(training) -> None:
    assert sees(training, None, readable=False) == []
    assert not training.cycle.looking_at_plan


def test_operators_defaults_are_nobody_s_plan(training) -> None:
    shorter = TrainingConfig().with_changes({"training.epochs": 3})
    training.policy = training.policy.model_copy(update={"defaults": shorter})
    assert sees(training, None) == []
