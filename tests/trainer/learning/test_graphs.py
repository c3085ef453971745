"""A pass that is captured once and replayed is the pass that is told kernel by kernel."""

from collections.abc import Callable

import pytest
import torch
from safetensors.torch import load_file

from protocol.job import Trained
from trainer.learning import tuning
from trainer.learning.recipe import Recipe

from .graphs_played import Graph, captured, graphs
from .runs import EPOCHS, STEPS_PER_EPOCH, TENSORS, Run

__all__ = ["graphs"]

GRAPH = tuning.usual(torch.device("cpu")).but(launch="graph")


def by(recipe: Recipe, run: Run) -> Run:
    run.folder.path.mkdir(parents=True)
    run.folder.recipe.write_text(recipe.model_dump_json())
    return run


def assert_same_tensors(run: Run, other: Run) -> None:
    for name in TENSORS:
        mine, theirs = (load_file(each.folder.checkpoint(EPOCHS) / name) for each in (run, other))
        assert all(torch.equal(mine[key], theirs[key]) for key in theirs), name


def test_a_run_of_graphs_ends_on_the_same_bits(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained], graphs: list[Graph]
) -> None:
    run = by(GRAPH, new_run())
    run.train()
    assert_same_tensors(run, unbroken[0])
    probing, full, short_last = graphs
    assert (probing.replays, full.replays, short_last.replays) == (1, 8, 4)
    assert full.replays + short_last.replays == EPOCHS * STEPS_PER_EPOCH


def test_a_step_of_several_passes_adds_them_up(new_run: Callable[..., Run], graphs: list[Graph]) -> None:
    """Captured in mid-step, too, where the weights have a gradient already: an epoch's last part is short."""
    parts = {"training.batch_size": 4, "training.gradient_accumulation": 3}
    graphed, plain = by(GRAPH, new_run("graphed", **parts)), new_run("plain", **parts)
    graphed.train()
    plain.train()
    assert len(graphs) == 3
    assert_same_tensors(graphed, plain)


def test_a_run_of_graphs_goes_on_where_it_was_stopped(
    new_run: Callable[..., Run], unbroken: tuple[Run, Trained], graphs: list[Graph]
) -> None:
    run = by(GRAPH, new_run())
    run.stop_at(5)
    run.train()
    assert_same_tensors(run, unbroken[0])
    assert all(graph.replays for graph in graphs)


def test_what_is_played_forbids_what_a_capture_forbids() -> None:
    numbers = torch.ones(3)
    with pytest.raises(RuntimeError, match="not permitted"), captured(Graph()):
        numbers.sum().item()


def test_what_is_played_does_again_what_the_device_was_told_and_nothing_else() -> None:
    numbers, told = torch.ones(3), list[float]()
    graph = Graph()
    with captured(graph):
        sums = numbers.sum() * 2
        told.append(1.0)
    numbers.fill_(5)
    graph.replay()
    assert (float(sums), told) == (30.0, [1.0])
