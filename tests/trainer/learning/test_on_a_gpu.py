"""What a GPU alone can show; skipped where there is none.

`TRIED_ON=cpu` has a CPU play the GPU: so whoever changes these tests without one sees whether they hold what
a device without graphs of its own can show.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from protocol.job import Trained
from protocol.progress import Started, Stepped
from trainer.data.store import FrameStore
from trainer.learning import device as devices
from trainer.learning import feed as feeds
from trainer.learning import learn, resident, tuning
from trainer.learning.learner import build
from trainer.learning.passes import pass_by
from trainer.learning.recipe import Recipe
from trainer.saving.checkpoint import read_state

from .runs import EPOCHS, Run

KIND = os.environ.get("TRIED_ON", "cuda")
HAS_GPU = torch.cuda.is_available()
needs_gpu = pytest.mark.skipif(not HAS_GPU, reason="needs a GPU")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(KIND == "cuda" and not HAS_GPU, reason="needs a GPU"),
]

NEARLY = 5e-3
"""A GPU adds in another order each time; after four epochs that is in the fourth digit."""

HOMES = {"main memory": {"cuda": 0, "cpu": 10**12}, "the file": {"cuda": 0, "cpu": 0}}


def recipe_of(**choices: str) -> Recipe:
    return tuning.usual(torch.device(KIND)).but(**choices)


def trained(run: Run, recipe: Recipe, resume_point_every_s: float = 300.0) -> list[float]:
    """Each epoch's loss of a run by that recipe."""
    run.folder.path.mkdir(parents=True, exist_ok=True)
    run.folder.recipe.write_text(recipe.model_dump_json())
    run.train(device=KIND, resume_point_every_s=resume_point_every_s)
    started = next(line for line in run.lines() if isinstance(line, Started))
    assert started.recipe == recipe.choices
    return losses(run)


def losses(run: Run) -> list[float]:
    state = read_state(run.folder.checkpoint(EPOCHS))
    assert state is not None
    return [epoch.loss for epoch in state.history]


def nearly(values: list[float]) -> object:
    return pytest.approx(values, rel=NEARLY)


@pytest.fixture(scope="module")
def kernel_by_kernel(
    frames_file: Path, unbroken: tuple[Run, Trained], tmp_path_factory: pytest.TempPathFactory
) -> list[float]:
    folder = type(unbroken[0].folder)(tmp_path_factory.mktemp("gpu"))
    return trained(Run(folder, frames_file, unbroken[0].config), recipe_of())


def test_it_learns(kernel_by_kernel: list[float]) -> None:
    assert kernel_by_kernel[-1] < 0.9 * kernel_by_kernel[0]


@needs_gpu
@pytest.mark.parametrize("home", [None, *HOMES])
def test_a_graph_learns_what_kernel_by_kernel_is_learned(
    new_run: Callable[..., Run],
    kernel_by_kernel: list[float],
    home: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if home is not None:
        monkeypatch.setattr(resident, "rooms", lambda _: HOMES[home])
    assert trained(new_run(), recipe_of(launch="graph")) == nearly(kernel_by_kernel)


@pytest.mark.parametrize("home", HOMES)
def test_where_pictures_lie_changes_nothing(
    new_run: Callable[..., Run], kernel_by_kernel: list[float], home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "rooms", lambda _: HOMES[home])
    assert trained(new_run(), recipe_of()) == nearly(kernel_by_kernel)


@pytest.mark.parametrize("launch", ["eager", pytest.param("graph", marks=needs_gpu)])
def test_a_stopped_run_goes_on_to_the_same_losses(
    new_run: Callable[..., Run], kernel_by_kernel: list[float], launch: str
) -> None:
    run, recipe = new_run(), recipe_of(launch=launch)
    run.folder.path.mkdir(parents=True)
    run.folder.recipe.write_text(recipe.model_dump_json())
    assert run.stop_at(5, device=KIND).failed.failure == "stopped"
    run.train(device=KIND)
    assert losses(run) == nearly(kernel_by_kernel)


def test_writing_all_the_time_changes_nothing(
    new_run: Callable[..., Run], kernel_by_kernel: list[float]
) -> None:
    assert trained(new_run(), recipe_of(), resume_point_every_s=0.0) == nearly(kernel_by_kernel)


def test_lines_tell_how_full_the_device_is(new_run: Callable[..., Run]) -> None:
    run = new_run()
    run.train(device=KIND)
    started = next(line for line in run.lines() if isinstance(line, Started))
    assert started.memory is not None
    assert 0 < started.memory.peak_bytes < started.memory.total_bytes
    if HAS_GPU:
        gauged = [line.gpu for line in run.lines() if isinstance(line, Stepped)]
        assert all(gpu is not None and 0 < gpu.used_bytes <= gpu.total_bytes for gpu in gauged)


@pytest.fixture
def _small_gpu() -> Iterator[None]:
    torch.cuda.set_per_process_memory_fraction(0.03)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)


@needs_gpu
@pytest.mark.usefixtures("_small_gpu")
def test_a_batch_too_large_is_refused_with_the_largest_that_fits(new_run: Callable[..., Run]) -> None:
    refused = new_run(**{"training.batch_size": 2**17}).fail(device=KIND)
    assert refused.failed.failure == "out_of_memory"
    assert refused.failed.fits_batch_size is not None
    assert 1 <= refused.failed.fits_batch_size < 2**17


@needs_gpu
@pytest.mark.parametrize("launch", ["eager", "graph"])
def test_no_step_waits_for_the_device(unbroken: tuple[Run, Trained], launch: str) -> None:
    """All that waits raises, by torch's own witness; the first step may, to set itself up."""
    run, device = unbroken[0], devices.pick("cuda")
    store = FrameStore.open(run.data)
    feed = feeds.load(store, run.config.policy.chunk_size, device)
    learner = build(run.config, store.stats, device, fresh=True).by(recipe_of(launch=launch))
    one_pass = pass_by(learner.recipe)
    order = feed.in_order(torch.arange(16), 8)
    learn.step(learner, feed, order[:8], run.config.training, 0, one_pass)
    torch.cuda.set_sync_debug_mode("error")
    try:
        learn.step(learner, feed, order[8:], run.config.training, 8, one_pass)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # torch's, of itself
@pytest.mark.parametrize("launch", ["eager", pytest.param("graph", marks=needs_gpu)])
def test_a_compiled_pass_is_the_same_pass(unbroken: tuple[Run, Trained], launch: str) -> None:
    run, device = unbroken[0], devices.pick(KIND)
    store = FrameStore.open(run.data)
    feed = feeds.load(store, run.config.policy.chunk_size, device)
    samples, found = torch.arange(8, device=device), list[float]()
    config = run.config.with_changes({"policy.dropout": 0.0})
    for choices in ({}, {"kernels": "compiled", "launch": launch}):
        learner = build(config, store.stats, device, fresh=True).by(recipe_of(**choices))
        one_pass = pass_by(learner.recipe)
        # Compiled, the style's noise comes from numbers drawn otherwise: the first step's L1 tells enough.
        found.append(float(learn.step(learner, feed, samples, config.training, 0, one_pass).loss))
    assert found[1] == pytest.approx(found[0], rel=0.05)
