"""In each phase it is said what is waited for."""

import pytest

from bot.core.events import (
    Gauges,
)
from bot.core.saying import reports
from bot.core.showing import phases
from bot.core.showing.headline import headline
from bot.core.state import State
from protocol.job import Failed
from protocol.messages import (
    GpuMemory,
    Order,
    PhaseReport,
    TrainingReport,
)
from protocol.progress import Gpu


@pytest.mark.parametrize(
    ("steps", "phase", "progress"),
    [
        (0, "awaiting_data", []),
        (1, "awaiting_data", []),
        (2, "fetching", []),
        (3, "checking", ["진행: 에피소드 3/85"]),
        (4, "converting", ["진행: 에피소드 3/85"]),
        (5, "starting", ["준비: 가장 빠른 계산 방식을 찾는 중 (3/85)"]),
    ],
)
def test_every_phase_before_training_has_its_report(
    play, steps: int, phase: str, progress: list[str]
) -> None:
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
    assert [note for note in report.notes if "3/85" in note] == progress


def test_data_before_the_terms_waits_for_them(play) -> None:
    play.developer_hands_over()
    play.data_is_fetched()
    assert phases.waiting(play.cycle)[0] == "awaiting_handoff"


def test_what_holds_is_named(training) -> None:
    training.operator_asks("stop")
    assert phases.waiting(training.cycle)[0] == "held"
    training.job_ends(Failed(failure="stopped", message="stopped"))
    assert "중지: operator" in training.shown("status")
    training.operator_asks("stop")
    assert len(training.cycle.on_hold) == 1


def test_a_stop_before_the_start_keeps_it_from_starting(play) -> None:
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


def test_while_it_cools_or_ends_the_report_says_so(training) -> None:
    training.checkpoint_is_saved(500)
    training.ticks()
    assert headline(State(), Gauges()) == "대기 중"
    training.job_ends(None)
    training.ticks(1)
    assert phases.waiting(training.cycle)[0] == "starting"


def test_a_training_without_a_step_is_called_starting(training) -> None:
    assert phases.waiting(training.cycle) == ("starting", "첫 step", training.cycle.run.since, "ACT 학습")


@pytest.mark.parametrize(("device", "memory"), [("cuda", "unknown"), ("cpu", None)])
def test_a_gpu_that_nobody_has_told_of_yet_is_not_called_a_cpu(
    training, device: str, memory: str | None
) -> None:
    policy = training.policy.model_copy(update={"device": device})
    report = reports.report(training.cycle, Gauges(), training.at, (), policy)
    assert isinstance(report, TrainingReport)
    assert report.gpu == memory


def test_what_a_trainer_tells_of_its_gpu_is_reported_in_gb(training, stepped) -> None:
    line = stepped(training.at, gpu=Gpu(used_bytes=19 * 2**29, total_bytes=40 * 2**30, busy_share=0.97))
    report = reports.report(training.cycle, Gauges(stepped=line), training.at, (), training.policy)
    assert isinstance(report, TrainingReport)
    assert report.gpu == GpuMemory(used_gb=9.5, total_gb=40)
