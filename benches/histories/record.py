"""Record the histories that are missing: many short runs of the real trainer in one process.

    nice -n 19 python -m benches.histories.record [--only noisy_steering] [--out DIR] [--list]

Each takes some seconds of one core. What is recorded already is left alone, so it can be stopped and
started again at any time.
"""

import shutil
import time
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import click

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that LeRobot pulls in
    from trainer.loop.train import train
    from trainer.watching import curve, lookout

import numpy as np
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock

from benches.histories.plants import PLANTS, Plant
from benches.histories.recording import FOLDER, HEALTHY, Half, Recording
from benches.histories.world import HEIGHT, WIDTH, simulated
from protocol.folders import RunFolder
from protocol.job import TrainJob
from protocol.training import TrainingConfig
from trainer.learning.feed import Feed
from trainer.learning.history import Epoch
from trainer.process.attempt import Attempt, JobError, Stop
from trainer.process.bar import progress_bar
from trainer.watching.facts import Figures, Seen

EPOCHS, RESUMED_AT = 40, 20
HEALTHY_TUNED_BY, HEALTHY_COUNTED = 50, 10
DIGITS = 5

SMALL = {
    "policy.chunk_size": 5,
    "policy.n_action_steps": 5,
    "training.epochs": EPOCHS,
    "training.save_checkpoint_every": RESUMED_AT,
    "model.pretrained_backbone_weights": None,
    "model.transformer_layers": 1,
    "model.dim_model": 32,
    "model.n_heads": 2,
    "model.dim_feedforward": 64,
    "dataset.image_size": (HEIGHT, WIDTH),
}


@dataclass(frozen=True)
class Wanted:
    cause: str
    seed: int
    half: Half

    def place(self, folder: Path) -> Path:
        return folder / f"{self.cause}-{self.seed}.json.gz"

    @property
    def plant(self) -> Plant:
        return PLANTS.get(self.cause, Plant(()))


WIDTHS = (4, 8, 16, 32)
"""Of the network that stands in for resnet18, which has 64 to 512: its eleven million weights would cost a
run half a minute."""


def narrow(**how: Any) -> nn.Sequential:
    """ResNet-18 but for its widths, with the names that LeRobot looks for; `how` as for torchvision's own."""
    norm, before = how["norm_layer"], WIDTHS[0]
    layers: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(3, before, 7, stride=2, padding=3, bias=False),
        "bn1": norm(before),
        "relu": nn.ReLU(inplace=True),
        "maxpool": nn.MaxPool2d(3, stride=2, padding=1),
    }
    for number, width in enumerate(WIDTHS, start=1):
        stride = 1 if number == 1 else 2
        shortcut = nn.Sequential(nn.Conv2d(before, width, 1, stride=stride, bias=False), norm(width))
        changes = stride != 1 or before != width
        layers[f"layer{number}"] = nn.Sequential(
            BasicBlock(before, width, stride, shortcut if changes else None, norm_layer=norm),
            BasicBlock(width, width, norm_layer=norm),
        )
        before = width
    return nn.Sequential(OrderedDict({**layers, "fc": nn.Linear(before, 1)}))


def no_curve(*_: object) -> None:
    """Nobody looks at it, and to draw it takes longer than to learn."""


class AskedAfterEpoch(Stop):
    """Somebody asks us to leave in the first step after so many epochs."""

    def __init__(self, steps: int) -> None:
        self._steps_left = steps

    def __getattribute__(self, name: str) -> object:
        if name != "asked":
            return super().__getattribute__(name)
        self._steps_left -= 1
        return self._steps_left <= 0


def wanted() -> list[Wanted]:
    """The half that thresholds are chosen by comes first."""
    first = HEALTHY_TUNED_BY
    return [
        *(Wanted(HEALTHY, seed, "tuning") for seed in range(first)),
        *(Wanted(HEALTHY, seed, "counted") for seed in range(first, first + HEALTHY_COUNTED)),
        *(Wanted(cause, seed, "tuning") for seed in (100, 101, 102, 103) for cause in PLANTS),
        *(Wanted(cause, 104, "counted") for cause in PLANTS),
    ]


def record(one: Wanted, folder: Path) -> Recording:
    """Train and note down all that the detectors would have been shown."""
    draw = Random(one.seed)  # noqa: S311  nothing secret
    episodes, frames, batch = draw.choice([24, 28, 32]), draw.choice([9, 10, 12]), draw.choice([72, 96])
    lr, holdout = draw.choice([7e-4, 1e-3]), draw.choice([0.0, 0.2])
    healthy = TrainingConfig().with_changes(
        {**SMALL, "training.seed": one.seed, "training.batch_size": batch}
        | {"training.lr": lr, "training.lr_backbone": lr, "dataset.holdout": holdout}
    )
    world, run = simulated(one.seed, episodes, frames), RunFolder(folder / "run")
    spoilt, seen = healthy.with_changes(one.plant.config), list[Seen]()
    with noting(seen), late(one.plant.slow_s):
        if one.plant.at_resume:
            world.write(run.path.parent / "data.h5", healthy)
            steps = RESUMED_AT * -(-episodes * frames // batch) + 1
            _train(run, healthy, 1, AskedAfterEpoch(steps))
        one.plant.into(world)
        world.write(run.path.parent / "data.h5", spoilt)
        _train(run, spoilt, 2, Stop())
    return _recording(one, seen)


def made_up(one: Wanted, out: Path) -> Recording:
    """A healthy run of the same half, on a machine as the plant has it."""
    readings = one.plant.readings
    assert readings is not None, "there is a machine to make up"
    sound = Recording.load(
        Wanted(HEALTHY, 0 if one.half == "tuning" else HEALTHY_TUNED_BY, one.half).place(out)
    )
    rng = np.random.default_rng(one.seed)
    told = tuple(readings(epoch, rng) for epoch in range(1, len(sound.history) + 1))
    return sound.model_copy(update={"cause": one.cause, "seed": one.seed, "real": False, "readings": told})


def _recorded(one: Wanted) -> Recording:
    with TemporaryDirectory(prefix="history-", dir=_scratch()) as folder:
        return record(one, Path(folder))


def _train(run: RunFolder, config: TrainingConfig, number: int, stop: Stop) -> None:
    attempt = run.attempt(number)
    attempt.path.mkdir(parents=True)
    job = TrainJob(data=run.path.parent / "data.h5", run=run.path, config=config, device="cpu")
    try:
        train(job, Attempt(attempt, stop))
    except JobError as error:
        if error.failed.failure not in ("stopped", "diverged"):
            raise


@contextmanager
def noting(seen: list[Seen]) -> Iterator[None]:
    """The detectors look, and tell nothing."""
    former = lookout.found

    def note(now: Seen, _: tuple[str, ...]) -> dict[str, Figures]:
        seen.append(now)
        return {}

    lookout.found = note
    try:
        yield
    finally:
        lookout.found = former


@contextmanager
def late(by_s: float) -> Iterator[None]:
    """Every batch's frames come so much later."""
    former = Feed.pictures

    def pictures(self: Feed, samples: torch.Tensor) -> dict[str, torch.Tensor]:
        with self.waits:
            time.sleep(by_s)
        return former(self, samples)

    Feed.pictures = pictures if by_s else former
    try:
        yield
    finally:
        Feed.pictures = former


def _recording(one: Wanted, seen: list[Seen]) -> Recording:
    last = seen[-1]
    return Recording(
        cause=one.cause,
        half=one.half,
        seed=one.seed,
        epochs=EPOCHS,
        channels=last.known.channels,
        episodes=last.known.episodes,
        disagreement=tuple(each and _rounded(each) for each in last.known.disagreement),
        history=tuple(_short(epoch) for epoch in last.history),
        by_episode=tuple(tuple(_rounded(l1) for l1 in each.l1_by_episode[-1]) for each in seen),
        resumed_at=last.resumed_at,
        readings=last.readings if one.plant.slow_s else (),
    )


def _short(epoch: Epoch) -> Epoch:
    """With so few digits that it compresses well."""
    figures = {name: value for name, value in epoch if isinstance(value, float)}
    by_action = tuple(map(_rounded, epoch.l1_by_action))
    return Epoch.model_validate(
        {name: _rounded(value) for name, value in figures.items()} | {"l1_by_action": by_action}
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


@click.command()
@click.option("--only", help="Only this cause.")
@click.option("--seed", "seeds", type=int, multiple=True, help="Only these seeds.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, show_default=True)
@click.option("--list", "only_list", is_flag=True, help="Say what is missing, record nothing.")
def main(only: str | None, seeds: tuple[int, ...], out: Path, only_list: bool) -> None:
    """Record what is missing."""
    out.mkdir(parents=True, exist_ok=True)
    chosen = [one for one in wanted() if only in (None, one.cause) and one.seed in (seeds or (one.seed,))]
    missing = [one for one in chosen if not one.place(out).exists()]
    if only_list:
        click.echo("\n".join(f"{one.cause} {one.seed}" for one in missing) or "nothing is missing")
        return
    torch.set_num_threads(1)
    torchvision.models.resnet18 = narrow  # pyright: ignore[reportAttributeAccessIssue]
    curve.draw = no_curve
    with progress_bar("recording") as told:
        for done, one in enumerate(missing):
            told(done, len(missing))
            if one.place(out).exists():  # another process has been quicker
                continue
            made_up(one, out).save(out) if one.plant.readings else _recorded(one).save(out)
            click.echo(f"{time.strftime('%H:%M:%S')} {one.cause} {one.seed}", err=True)


def _scratch() -> str | None:
    """Memory, where there is enough of it: a run leaves a few hundred megabytes."""
    memory = Path("/dev/shm")  # noqa: S108  a scratch folder with a name of its own in it
    free = shutil.disk_usage(memory).free if memory.is_dir() else 0
    return str(memory) if free > 4 * 2**30 else None


if __name__ == "__main__":
    main()
