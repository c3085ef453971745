"""A recipe is chosen by trying, and what does not fit is known before the first step."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import torch

from protocol.folders import RunFolder
from protocol.progress import Counted, Started
from protocol.training import TrainingConfig
from trainer.data.store import FrameStore
from trainer.learning import feed as feeds
from trainer.learning import tuning
from trainer.learning.feed import Feed
from trainer.learning.learner import Learner, build
from trainer.learning.probing import must_fit
from trainer.learning.recipe import STOCK, Recipe
from trainer.process.attempt import JobError, Stop, Told, hears_nothing

from .runs import Run

CPU = torch.device("cpu")

BF16, FOLDED = {"precision": "bf16"}, {"norm": "folded"}


def seconds(**gains: float) -> Callable[[Recipe], float | None]:
    """A device on which each choice named multiplies the time of a pass; 0: it is not possible."""

    def took(recipe: Recipe) -> float | None:
        product = 1.0
        for choice in recipe.choices.values():
            product *= gains.get(choice, 1.0)
        return product or None

    return took


def best_of(
    tried: list[dict[str, str]], took: Callable[[Recipe], float | None], told: Told = hears_nothing
) -> Recipe:
    return tuning.chosen(STOCK, took(STOCK), tried, took, told)


def test_what_makes_a_pass_faster_is_taken_and_what_does_not_is_left() -> None:
    assert best_of([BF16, FOLDED], seconds(bf16=0.5, folded=1.1)) == STOCK.but(**BF16)


def test_options_are_tried_on_top_of_each_other() -> None:
    assert best_of([BF16, FOLDED], seconds(bf16=0.5, folded=0.9)) == STOCK.but(**BF16, **FOLDED)


def test_a_gain_within_the_wavering_of_a_busy_machine_is_none() -> None:
    assert best_of([BF16], seconds(bf16=0.97)) == STOCK


def test_a_machine_that_becomes_quiet_is_no_gain() -> None:
    seconds_left = iter([2.0, 1.0, 1.0])  # busy at the start; then both take as long
    assert best_of([BF16], lambda _: next(seconds_left)) == STOCK


def test_what_is_not_possible_here_is_left_out() -> None:
    assert best_of([BF16, FOLDED], seconds(bf16=0, folded=0.5)) == STOCK.but(**FOLDED)


def test_a_compilation_is_tried_only_for_trainings_of_hours() -> None:
    def kernels(forecast_s: float) -> list[str | None]:
        return [option.get("kernels") for option in tuning.options(CPU, forecast_s)]

    assert "compiled" not in kernels(3600.0)
    assert "compiled" in kernels(24 * 3600.0)


def up_to(most: int, error: Exception) -> Callable[[int], None]:
    def attempt(size: int) -> None:
        if size > most:
            raise error

    return attempt


MEMORY_ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    MemoryError(),
]


@pytest.mark.parametrize("error", MEMORY_ERRORS, ids=lambda error: str(error)[:30] or "MemoryError")
def test_a_batch_that_does_not_fit_is_refused_with_the_largest_that_does(error: Exception) -> None:
    with pytest.raises(JobError, match="batch_size 16 fits, and with gradient_accumulation 4") as refused:
        must_fit(64, up_to(20, error))
    assert refused.value.failed.failure == "out_of_memory"
    assert refused.value.failed.fits_batch_size == 16


def test_a_batch_that_fits_is_tried_once() -> None:
    sizes: list[int] = []
    must_fit(64, sizes.append)
    assert sizes == [64]


def test_where_nothing_fits_nothing_is_proposed() -> None:
    with pytest.raises(JobError, match="even with batch_size 1") as refused:
        must_fit(64, up_to(0, MEMORY_ERRORS[0]))
    assert refused.value.failed.fits_batch_size is None


def test_an_error_that_is_not_of_memory_is_not_taken_for_one() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        must_fit(64, up_to(0, RuntimeError("shapes do not match")))


@pytest.fixture(scope="module")
def material(frames_file: Path, small_config: TrainingConfig) -> tuple[Learner, Feed]:
    store = FrameStore.open(frames_file)
    learner = build(small_config, store.stats, CPU, fresh=True)
    return learner, feeds.load(store, small_config.policy.chunk_size, CPU)


def test_a_short_training_takes_what_usually_suits(material: tuple[Learner, Feed]) -> None:
    assert tuning.tuned(*material, batch_size=8, passes_left=12) == tuning.usual(CPU)


def test_a_trial_says_how_far_it_is() -> None:
    heard = list[tuple[int, int]]()
    best_of([BF16, FOLDED], seconds(), lambda done, total: heard.append((done, total)))
    assert heard == [(0, 2), (1, 2), (2, 2)]


def test_who_is_asked_to_leave_does_so_between_two_passes(
    material: tuple[Learner, Feed], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, passes = Stop(), count()

    def look() -> None:
        stop.asked = next(passes) == 7  # the option is on trial
        stop.leave_if_asked()

    monkeypatch.setattr(tuning, "options", lambda *_: [FOLDED])
    with pytest.raises(JobError, match="stopped on request") as left:
        tuning.tuned(*material, batch_size=8, passes_left=10**6, onlookers=tuning.Onlookers(look=look))
    assert left.value.failed.failure == "stopped"
    assert next(passes) == 8


def test_a_long_training_tries_and_leaves_nothing_behind(
    material: tuple[Learner, Feed], monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, feed = material
    before = {name: weight.clone() for name, weight in learner.policy.state_dict().items()}
    monkeypatch.setattr(tuning, "options", lambda *_: [FOLDED, {"launch": "graph"}])
    recipe = tuning.tuned(learner, feed, batch_size=8, passes_left=10**6)
    assert recipe.launch == "eager", "there is no graph without a GPU"
    assert all(torch.equal(before[name], weight) for name, weight in learner.policy.state_dict().items())
    assert all(weight.grad is None for weight in learner.policy.parameters())
    assert not learner.optimizer.state


def test_a_training_that_tries_says_so_before_it_starts(
    new_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "TRIED_FROM_S", 0.0)
    monkeypatch.setattr(tuning, "options", lambda *_: [FOLDED])
    run = new_run(**{"training.epochs": 2})
    run.train()
    tried, rest = [], run.lines()
    while isinstance(rest[0], Counted):
        tried.append(rest.pop(0))
    assert [(line.done, line.total, line.unit) for line in tried] == [(0, 1, "recipe"), (1, 1, "recipe")]
    assert isinstance(rest[0], Started)
    assert RunFolder(run.folder.path).recipe.exists()
