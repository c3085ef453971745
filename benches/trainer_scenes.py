"""What the trainer's benches train on: a model and noise of its size, converted; and the same for LeRobot."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from protocol.folders import RunFolder
from protocol.job import TrainJob
from protocol.training import TrainingConfig
from trainer.data import store
from trainer.data.store import FrameStore

EPISODE = 50

MODELS: dict[str, dict[str, object]] = {
    "small": {
        "dataset.image_size": (64, 64),
        "model.dim_model": 128,
        "model.n_heads": 4,
        "model.dim_feedforward": 256,
        "model.transformer_layers": 2,
    },
    "card": {},
}
"""The card's own model has 52 million weights, the small one 12, of which the backbone has 11."""


@dataclass(frozen=True)
class Scene:
    """`folder` holds the converted data and whatever a bench leaves."""

    folder: Path
    config: TrainingConfig

    @property
    def data(self) -> Path:
        return self.folder / "data.h5"

    def store(self) -> FrameStore:
        return FrameStore.open(self.data)

    def job(self, run: str, device: str, **changes: object) -> TrainJob:
        config = self.config.with_changes(changes)
        told = {"data": self.data, "run": self.folder / run, "config": config, "device": device}
        job = TrainJob.model_validate(told)
        RunFolder(job.run).attempt(1).path.mkdir(parents=True)
        return job


@contextmanager
def scene(model: str, frames: int, batch_size: int) -> Iterator[Scene]:
    """Noise for `model` (a name in MODELS); weights are random, too: nothing is fetched.

    At most `frames` frames, and whole batches of them: a last step of a few samples takes nearly as long as a
    full one, and what is one step of eight hundred on real data would be one of thirty here.
    """
    changes = MODELS[model] | {
        "model.pretrained_backbone_weights": None,
        "training.batch_size": batch_size,
    }
    with TemporaryDirectory(prefix="bench-trainer-") as made:
        made_here = Scene(Path(made), TrainingConfig().with_changes(changes))
        write_noise(made_here.data, made_here.config, max(frames // batch_size, 1) * batch_size)
        yield made_here


def write_noise(path: Path, config: TrainingConfig, frames: int) -> None:
    rng = np.random.default_rng(0)
    ends = [*range(EPISODE, frames, EPISODE), frames]
    pictures = store.create(
        path,
        config=config,
        state=rng.normal(size=(frames, config.observation.state_dim)).astype(np.float32),
        action=rng.uniform(-1, 1, (frames, config.model.action_dim)).astype(np.float32),
        episode_ends=ends,
        episode_names=[f"episode_{number:03d}" for number in range(len(ends))],
    )
    for picture in pictures.values():
        for start in range(0, frames, EPISODE):
            part = picture[start : start + EPISODE]
            part[:] = rng.integers(0, 256, part.shape, dtype=np.uint8)
