"""Runs of a tiny policy on a tiny store, and the ways in which tests cut and damage them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from protocol.folders import RunFolder
from protocol.job import Trained, TrainJob
from protocol.progress import Progress, read_line
from protocol.training import TrainingConfig
from trainer.data import store
from trainer.process.attempt import Attempt, JobError, Stop
from trainer.saving.checkpoint import read_state

EPISODE_ENDS = (9, 14, 21)
"""Episodes of 9, 5 and 7 frames: with a batch of 8 the last one of an epoch is short."""
FRAMES = EPISODE_ENDS[-1]
STEPS_PER_EPOCH, EPOCHS = 3, 4

SMALL = {
    "policy.chunk_size": 4,
    "policy.n_action_steps": 4,
    "training.batch_size": 8,
    "training.lr": 1e-3,
    "training.epochs": EPOCHS,
    "training.save_checkpoint_every": 2,
    "model.pretrained_backbone_weights": None,
    "model.transformer_layers": 1,
    "model.dim_model": 16,
    "model.n_heads": 2,
    "model.dim_feedforward": 16,
    "dataset.image_size": (16, 24),
}


class AskedAtStep(Stop):
    """Somebody asks us to leave while the given step runs."""

    def __init__(self, step: int) -> None:
        self._steps_left = step

    def __getattribute__(self, name: str) -> object:
        if name != "asked":
            return super().__getattribute__(name)
        self._steps_left -= 1
        return self._steps_left <= 0

    def leave_if_asked(self) -> None:
        """Passes that are tried before the first step ask, too; they are none."""


TENSORS = ("pretrained_model/model.safetensors", "training_state/optimizer_state.safetensors")


@dataclass(frozen=True)
class Run:
    """A run's folder and what can be done with it. Each `train` is an attempt of its own."""

    folder: RunFolder
    data: Path
    config: TrainingConfig

    def train(self, stop: Stop | None = None, **changes: object) -> Trained:
        from trainer.loop.train import train  # noqa: PLC0415  after the fixture that quiets its import

        attempt = self.folder.attempt(1 + len(list((self.folder.path / "attempts").glob("*"))))
        attempt.path.mkdir(parents=True)
        return train(self.job(**changes), Attempt(attempt, stop or Stop()))

    def job(self, **changes: object) -> TrainJob:
        job = TrainJob(data=self.data, run=self.folder.path, config=self.config, device="cpu")
        return job.model_copy(update=changes)

    def stop_at(self, step: int, **changes: object) -> JobError:
        return self.fail(AskedAtStep(step), **changes)

    def fail(self, stop: Stop | None = None, **changes: object) -> JobError:
        with pytest.raises(JobError) as failed:
            self.train(stop, **changes)
        return failed.value

    def lines(self, attempt: int = 1) -> list[Progress]:
        return [read_line(line) for line in self.folder.attempt(attempt).events.read_bytes().splitlines()]


def assert_same_ending(run: Run, unbroken: Run, epochs: int = EPOCHS) -> None:
    """Weights, optimizer and state, to the last bit."""
    ours, theirs = (each.folder.checkpoint(epochs) for each in (run, unbroken))
    for name in TENSORS:
        mine, other = load_file(ours / name), load_file(theirs / name)
        assert mine.keys() == other.keys()
        assert all(torch.equal(mine[key], other[key]) for key in mine), name
    assert read_state(ours) == read_state(theirs)


def write_store(path: Path, config: TrainingConfig, seed: int = 5, state: float | None = None) -> Path:
    """Noise to learn from. `state` overwrites all of the robot's state."""
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(FRAMES, 4)).astype(np.float32)
    pictures = store.create(
        path,
        config=config,
        state=states if state is None else np.full_like(states, state),
        action=rng.uniform(-1, 1, (FRAMES, 4)).astype(np.float32),
        episode_ends=EPISODE_ENDS,
        episode_names=[f"episode_{number:03d}" for number in range(len(EPISODE_ENDS))],
        certificate=f"{seed:064x}",
    )
    for frames in pictures.values():
        frames[:] = rng.integers(0, 256, frames.shape, dtype=np.uint8)
    return path


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
