"""Record the histories that are missing: many short runs of the real trainer in one process.

    nice -n 19 python -m benches.histories.record [--only noisy_steering] [--out DIR] [--list]

Each takes about half a minute of one core. What is recorded already is left alone, so it can be stopped and
started again at any time.
"""

import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that LeRobot pulls in
    from trainer import lookout
    from trainer.train import train

import torch

from benches.histories.plants import PLANTS, Plant
from benches.histories.recording import FOLDER, HEALTHY, Half, Recording
from benches.histories.world import HEIGHT, WIDTH, simulated
from protocol.job import RunFolder, TrainJob
from protocol.training import TrainingConfig
from trainer.attempt import Attempt, JobError, Stop
from trainer.bar import progress_bar
from trainer.facts import Figures, Seen
from trainer.feed import Feed
from trainer.history import Epoch

EPOCHS, RESUMED_AT = 60, 30
HEALTHY_RUNS = 20
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

    @property
    def plant(self) -> Plant:
        return PLANTS.get(self.cause, Plant(()))


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
    half = HEALTHY_RUNS // 2
    return [
        *(Wanted(HEALTHY, seed, "tuning") for seed in range(half)),
        *(Wanted(cause, 100, "tuning") for cause in PLANTS),
        *(Wanted(cause, 101, "counted") for cause in PLANTS),
        *(Wanted(HEALTHY, seed, "counted") for seed in range(half, HEALTHY_RUNS)),
    ]


def record(one: Wanted, folder: Path) -> Recording:
    """Train and note down all that the detectors would have been shown."""
    draw = Random(one.seed)  # noqa: S311  nothing secret
    episodes, frames, batch = draw.choice([10, 12, 14]), draw.choice([16, 20, 24]), draw.choice([48, 64])
    lr = draw.choice([3e-4, 5e-4, 1e-3])
    healthy = TrainingConfig().with_changes(
        {**SMALL, "training.seed": one.seed, "training.batch_size": batch}
        | {"training.lr": lr, "training.lr_backbone": lr}
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
    former = Feed._gathered  # noqa: SLF001  the very place where frames come from

    def gathered(self: Feed, frames: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        with self.waits:
            time.sleep(by_s)
        return former(self, frames, samples)

    Feed._gathered = gathered if by_s else former  # noqa: SLF001
    try:
        yield
    finally:
        Feed._gathered = former  # noqa: SLF001


def _recording(one: Wanted, seen: list[Seen]) -> Recording:
    last = seen[-1]
    return Recording(
        cause=one.cause,
        half=one.half,
        seed=one.seed,
        epochs=EPOCHS,
        channels=last.known.channels,
        episodes=last.known.episodes,
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
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, show_default=True)
@click.option("--list", "only_list", is_flag=True, help="Say what is missing, record nothing.")
def main(only: str | None, out: Path, only_list: bool) -> None:
    """Record what is missing."""
    out.mkdir(parents=True, exist_ok=True)
    missing = [
        one
        for one in wanted()
        if only in (None, one.cause) and not (out / f"{one.cause}-{one.seed}.json.gz").exists()
    ]
    if only_list:
        click.echo("\n".join(f"{one.cause} {one.seed}" for one in missing) or "nothing is missing")
        return
    torch.set_num_threads(1)
    with progress_bar("recording") as told:
        for done, one in enumerate(missing):
            told(done, len(missing))
            with TemporaryDirectory(prefix="history-", dir=_scratch()) as folder:
                record(one, Path(folder)).save(out)
            click.echo(f"{time.strftime('%H:%M:%S')} {one.cause} {one.seed}", err=True)


def _scratch() -> str | None:
    """Memory, where there is enough of it: a run leaves a few hundred megabytes."""
    memory = Path("/dev/shm")  # noqa: S108  a scratch folder with a name of its own in it
    free = shutil.disk_usage(memory).free if memory.is_dir() else 0
    return str(memory) if free > 4 * 2**30 else None


if __name__ == "__main__":
    main()
