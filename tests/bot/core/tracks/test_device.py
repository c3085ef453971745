"""No data is touched for a GPU that is not there."""

import pytest

from bot.core.policy import Policy
from bot.core.showing import phases
from bot.core.state import expected_job
from protocol.job import Failed
from protocol.messages import Order

BROKEN = Failed(failure="no_device", message="cuda is not usable; driver: none; torch 2.11.0")


@pytest.fixture
def on_gpu(stage_class):
    play = stage_class(Policy(device="cuda"))
    play.watcher_hands_over()
    play.terms_are_read()
    play.developer_hands_over()
    return play


def test_the_device_is_proven_before_anything_is_fetched(on_gpu) -> None:
    assert on_gpu.ordered("fetch_data") == []
    (order,) = on_gpu.ordered("start_job")
    assert order.work == "probe"
    assert expected_job(on_gpu.state) == (on_gpu.cycle.run_name, 1)
    assert phases.waiting(on_gpu.cycle)[1] == "학습 장치 확인"
    on_gpu.device_is_proven()
    assert len(on_gpu.ordered("fetch_data")) == 1


def test_a_cpu_needs_no_proof(play) -> None:
    play.developer_hands_over()
    assert play.cycle.data.phase == "fetching"
    assert play.ordered("start_job") == []


def test_a_gpu_that_is_not_there_is_blocked_by_name(on_gpu) -> None:
    on_gpu.job_ends(BROKEN)
    (blocked,) = on_gpu.posted("blocked")
    assert blocked.cause == "gpu"
    assert "torch 2.11.0" in blocked.problems[0]
    assert phases.waiting(on_gpu.cycle)[0] == "held"
    assert on_gpu.ordered("fetch_data") == []


def test_a_retry_probes_again(on_gpu) -> None:
    on_gpu.job_ends(BROKEN)
    on_gpu.says(on_gpu.watcher, Order(verb="retry"))
    assert [order.work for order in on_gpu.ordered("start_job")] == ["probe", "probe"]
    on_gpu.device_is_proven()
    assert on_gpu.cycle.data.phase == "fetching"


def test_a_probe_that_dies_is_tried_again_then_told(on_gpu) -> None:
    for _ in range(3):
        on_gpu.job_ends(None, "Killed")
    assert len(on_gpu.ordered("start_job")) == 3
    assert on_gpu.posted("blocked")[0].cause == "trainer"


def test_the_proof_lasts_for_the_cycle(on_gpu) -> None:
    on_gpu.device_is_proven()
    on_gpu.data_is_fetched()
    on_gpu.data_is_checked(ok=False)
    on_gpu.developer_hands_over()
    assert on_gpu.cycle.data.phase == "fetching"
    assert [order.work for order in on_gpu.ordered("start_job")] == ["probe", "check"]
