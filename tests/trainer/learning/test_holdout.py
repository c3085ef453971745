"""Whole episodes are kept from training, drawn by a pure function, and decide which epoch is the best."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from matplotlib.image import imread

from protocol.progress import Saved, Stepped
from trainer.data.store import FrameStore
from trainer.evaluate import load
from trainer.learning.history import Running, TrainerState
from trainer.learning.holdout import held_out, split
from trainer.process.attempt import JobError
from trainer.saving.checkpoint import read_state

from .runs import EPISODE_ENDS, EPOCHS, FRAMES, Run

LENGTHS = some.lists(some.integers(1, 900), min_size=2, max_size=90)
SEEDS = some.integers(0, 2**32 - 1)
HOLDING = {"dataset.holdout": 0.34, "dataset.holdout_every": 2}
"""One of the three episodes, looked at twice in four epochs."""


@settings(deadline=None)
@given(LENGTHS, some.floats(0.01, 0.5), SEEDS)
def test_the_share_is_kept_and_the_draw_follows_from_the_seed(
    lengths: list[int], share: float, seed: int
) -> None:
    chosen = held_out(lengths, share, seed)
    assert len(set(chosen)) == len(chosen) == max(1, round(share * len(lengths)))
    assert set(chosen) <= set(range(len(lengths)))
    assert chosen == held_out(lengths, share, seed)


@settings(deadline=None)
@given(some.integers(4, 30), SEEDS)
def test_every_length_has_its_share(each: int, seed: int) -> None:
    lengths = [100] * 2 * each + [300] * 2 * each
    chosen = held_out(lengths, 0.5, seed)
    assert sum(lengths[number] == 100 for number in chosen) == each


def test_seeds_draw_differently() -> None:
    assert len({held_out([10] * 40, 0.2, seed) for seed in range(5)}) > 1


def test_nothing_is_held_out_unless_it_is_asked_for(frames: FrameStore) -> None:
    parts = split(frames, frames.config)
    assert torch.equal(parts.trained, torch.arange(FRAMES))
    assert (len(parts.held_out), parts.held_out_names, parts.num_trained_episodes) == (0, (), 3)


def test_something_must_be_left_to_learn_from(frames: FrameStore) -> None:
    one = FrameStore(**{**vars(frames), "episode_ends": frames.episode_ends[-1:]})
    with pytest.raises(JobError, match="no episode is left to train on"):
        split(one, frames.config.with_changes({"dataset.holdout": 0.5}))


def test_best_is_by_what_was_held_out(frames: FrameStore) -> None:
    first = state_of(frames, held_out=("episode_001",))
    learned = [(3.0, None), (2.0, 0.5), (1.0, None), (0.5, 0.6)]
    for loss, error in learned:
        first = first.during(running(loss), first.step + 1).after_epoch(error)
    assert first.best is not None
    assert (first.best.epoch, first.best.loss, first.best.held_out_l1) == (2, 2.0, 0.5)


@pytest.mark.parametrize(("errors", "best"), [((None, 0.5, None, 0.6), 2), ((None, None, None, None), 4)])
def test_whose_weights_are_gone_was_the_best_all_the_same(
    frames: FrameStore, errors: tuple[float | None, ...], best: int
) -> None:
    learned = state_of(frames, held_out=("episode_001",) if any(errors) else ())
    for loss, error in zip((3.0, 2.0, 1.0, 0.5), errors, strict=True):
        learned = learned.during(running(loss), learned.step + 1).after_epoch(error)
    assert learned.best_epoch == best
    assert learned.model_copy(update={"best": None}).best_epoch == best


@pytest.fixture(scope="module")
def frames(frames_file: object) -> FrameStore:
    return FrameStore.open(frames_file)  # pyright: ignore[reportArgumentType]


def state_of(frames: FrameStore, held_out: tuple[str, ...]) -> TrainerState:
    return TrainerState(
        episodes=2,
        frames=12,
        held_out=held_out,
        config=frames.config,
        certificate="",
        num_threads=1,
        versions={},
    )


def running(loss: float) -> Running:
    return Running(samples=1, steps=1, loss=loss, l1_by_action=(loss,))


class TestARunThatHoldsOut:
    @pytest.fixture
    def run(self, new_run: Callable[..., Run]) -> Run:
        return new_run(**HOLDING)

    def test_learns_from_the_other_episodes_and_is_measured_by_these(
        self, run: Run, frames: FrameStore
    ) -> None:
        trained = run.train()
        state = read_state(run.folder.checkpoint(EPOCHS))
        assert state is not None
        (name,) = state.held_out
        number = frames.episode_names.index(name)
        length = int(np.diff(EPISODE_ENDS, prepend=0)[number])
        assert (trained.episodes, trained.frames) == (state.episodes, state.frames) == (2, FRAMES - length)
        measured = [epoch.held_out_l1 for epoch in state.history]
        assert [error is None for error in measured] == [True, False, True, False]
        assert trained.best_held_out_l1 == min(error for error in measured if error is not None)
        assert trained.best_epoch in (2, 4)
        assert [each.epoch for each in run.lines() if isinstance(each, Saved) and each.what == "best"]
        last = [each for each in run.lines() if isinstance(each, Stepped)][-1]
        assert last.held_out_l1 == measured[-1]
        assert name in (run.folder.checkpoint(EPOCHS) / "README.md").read_text("utf-8")
        wide, narrow = imread(run.folder.loss_curve).shape[1], 960
        assert wide > narrow
        assert measured[-1] == pytest.approx(measured_by_lerobot(run, frames, number), rel=1e-4)

    def test_goes_on_only_with_the_same_episodes_held_out(self, run: Run) -> None:
        run.stop_at(step=2)
        other = run.config.with_changes({"dataset.holdout": 0.5})
        assert run.fail(config=other).failed.failure == "bad_job"
        without = run.config.with_changes({"dataset.holdout": 0.0})
        assert "start a new run" in str(run.fail(config=without))


def measured_by_lerobot(run: Run, frames: FrameStore, number: int) -> float:
    """The same error by plain LeRobot: the checkpoint loaded from its files, in action units throughout."""
    loaded = load(run.folder.checkpoint(EPOCHS) / "pretrained_model")
    start, end = ([0, *EPISODE_ENDS][number], EPISODE_ENDS[number])
    images = torch.from_numpy(np.array(frames.frames["ego"][start:end])).permute(0, 3, 1, 2) / 255.0
    observation = {
        "observation.images.ego": images,
        "observation.state": torch.from_numpy(frames.state[start:end]),
    }
    foreseen = loaded.postprocessor(loaded.policy.predict_action_chunk(loaded.preprocessor(observation)))
    errors = [
        float((foreseen[at, ahead] - torch.from_numpy(frames.action[start + at + ahead])).abs().mean())
        for at in range(end - start)
        for ahead in range(min(foreseen.shape[1], end - start - at))
    ]
    return float(np.mean(errors))
