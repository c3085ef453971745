"""A training is killed a hundred times at random moments and must come to the very bits of one that was not.

    make drill-trainer
    make drill-trainer ARGS="--kills 500 --seed 7 --folder /var/tmp/drill"

Stopped at any time (Ctrl-C) it goes on where it was when it is started again with the same folder.
"""

import json
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

import click
import numpy as np
import torch
from safetensors.torch import load_file

from protocol.folders import RunFolder
from protocol.job import TrainJob
from protocol.progress import Saved, read_line
from protocol.saved import damage
from protocol.training import TrainingConfig
from trainer.data import store
from trainer.process.bar import progress_bar
from trainer.saving.checkpoint import read_state

from .kills import Afresh, Forked, Kill, Process, carry_out, planned

SMALL = {
    "policy.chunk_size": 4,
    "policy.n_action_steps": 4,
    "training.batch_size": 8,
    "model.pretrained_backbone_weights": None,
    "model.transformer_layers": 1,
    "model.dim_model": 16,
    "model.n_heads": 2,
    "model.dim_feedforward": 16,
    "dataset.image_size": (16, 24),
}

AFRESH_EVERY = 10
"""One life in so many is a new interpreter, the others are forked from one that has loaded all."""

RESUME_POINT_EVERY_S = 0.3
TENSORS = ("pretrained_model/model.safetensors", "training_state/optimizer_state.safetensors")


@dataclass(frozen=True)
class Drill:
    """`folder` holds the undisturbed run, the one that is being killed, and a line for each kill so far."""

    folder: Path
    config: TrainingConfig

    @staticmethod
    def of(folder: Path, epochs: int) -> "Drill":
        every = min(50, max(1, epochs // 4))
        changes = SMALL | {"training.epochs": epochs, "training.save_checkpoint_every": every}
        drill = Drill(folder, TrainingConfig().with_changes(changes))
        folder.mkdir(parents=True, exist_ok=True)
        if not drill.data.exists():
            write_noise(drill.data.with_suffix(".part"), drill.config).rename(drill.data)
        return drill

    @property
    def data(self) -> Path:
        return self.folder / "data.h5"

    @property
    def diary(self) -> Path:
        return self.folder / "kills.jsonl"

    @property
    def undisturbed(self) -> RunFolder:
        return RunFolder(self.folder / "undisturbed")

    def killed(self, number: int) -> RunFolder:
        """A run that comes to its end before all kills are done is followed by another one."""
        return RunFolder(self.folder / f"killed-{number}")

    def rows(self) -> list[dict[str, object]]:
        lines = self.diary.read_bytes().splitlines() if self.diary.exists() else []
        return [json.loads(line) for line in lines]

    def last(self, run: RunFolder) -> Path:
        return run.checkpoint(self.config.training.epochs)

    def attempt(self, run: RunFolder, *, afresh: bool) -> tuple[int, Process]:
        """Start the next attempt of a run."""
        number = 1 + len(list((run.path / "attempts").glob("*")))
        job = TrainJob(
            data=self.data,
            run=run.path,
            config=self.config,
            device="cpu",
            resume_point_every_s=RESUME_POINT_EVERY_S,
        )
        told = run.attempt(number).job
        told.parent.mkdir(parents=True)
        told.write_text(job.model_dump_json())
        return number, Afresh.start(told) if afresh else Forked(told)

    def finish(self, run: RunFolder) -> None:
        """Undisturbed to the end.

        Raises:
            RuntimeError: it does not come to its end.
        """
        while not self.last(run).exists():
            number, process = self.attempt(run, afresh=False)
            try:
                while not process.ended(1.0):
                    pass
            except BaseException:
                process.kill()
                raise
            if not run.attempt(number).outcome.exists() or not self.last(run).exists():
                raise RuntimeError(
                    f"{run.attempt(number).log}: an attempt nobody killed did not come to its end"
                )


def undergo(drill: Drill, kills: int, seed: int) -> Iterator[int]:
    """Kill until `kills` are done, then let it end. Yields how many are; raises at the first difference."""
    drill.finish(drill.undisturbed)
    done, number = len(drill.rows()), 1
    while drill.last(drill.killed(number)).exists():
        number += 1
    while done < kills:
        run, kill = drill.killed(number), planned(seed, done)
        attempt, process = drill.attempt(run, afresh=done % AFRESH_EVERY == AFRESH_EVERY - 1)
        try:
            was_killed = carry_out(kill, process, run, attempt)
        except BaseException:
            process.kill()
            raise
        if was_killed:
            must_be_whole(run)
            write_down(drill, kill, run, number)
            done += 1
            yield done
        elif drill.last(run).exists():
            must_be_equal(drill, run)
            number += 1
        else:
            raise RuntimeError(f"{run.attempt(attempt).log}: ended by itself before its end")
    drill.finish(drill.killed(number))
    must_be_equal(drill, drill.killed(number))


def write_noise(path: Path, config: TrainingConfig) -> Path:
    """A converted data set of three episodes; an epoch's last step is a short one."""
    rng = np.random.default_rng(5)
    ends = [9, 14, 21]
    state, action = rng.normal(size=(ends[-1], 4)), rng.uniform(-1, 1, (ends[-1], 4))
    pictures = store.create(
        path,
        config=config,
        state=state.astype(np.float32),
        action=action.astype(np.float32),
        episode_ends=ends,
        episode_names=[f"episode_{number:03d}" for number in range(len(ends))],
    )
    for frames in pictures.values():
        frames[:] = rng.integers(0, 256, frames.shape, dtype=np.uint8)
    return path


def write_down(drill: Drill, kill: Kill, run: RunFolder, number: int) -> None:
    steps = [state.step for path in saves(run) if (state := read_state(path)) is not None]
    row = asdict(kill) | {"run": number, "saved_step": max(steps, default=0)}
    with drill.diary.open("a") as diary:
        diary.write(json.dumps(row) + "\n")


def saves(run: RunFolder) -> list[Path]:
    found = [*run.checkpoints.glob("epoch_*"), *run.resume.glob("step_*"), *run.best.glob("epoch_*")]
    return sorted(found, key=lambda path: path.stat().st_mtime)


def must_be_whole(run: RunFolder) -> None:
    """What has a final name is whole at any instant. Raises AssertionError."""
    for path in saves(run)[-4:]:
        assert (wrong := damage(path)) is None, wrong


def must_be_equal(drill: Drill, run: RunFolder) -> None:
    """The same bits as the undisturbed run's, and every folder announced once. Raises AssertionError."""
    assert not (found := differences(drill, run)), "\n".join(found)


def differences(drill: Drill, run: RunFolder) -> list[str]:
    ours, theirs = drill.last(run), drill.last(drill.undisturbed)
    wrong = [name for name in TENSORS if not equal_tensors(ours / name, theirs / name)]
    mine, others = read_state(ours), read_state(theirs)
    assert mine is not None
    assert others is not None
    if mine != others:
        wrong.append("trainer_state.json")
    if mine.best is None or not equal_tensors(
        run.best_at(mine.best.epoch) / "model.safetensors",
        drill.undisturbed.best_at(mine.best.epoch) / "model.safetensors",
    ):
        wrong.append("the best weights")
    twice = [name for name, times in Counter(announced(run)).items() if times > 1]
    return [f"{run.path}: {what} differs" for what in wrong] + [f"{name} announced twice" for name in twice]


def equal_tensors(ours: Path, theirs: Path) -> bool:
    mine, others = load_file(ours), load_file(theirs)
    return mine.keys() == others.keys() and all(torch.equal(mine[name], others[name]) for name in mine)


def announced(run: RunFolder) -> Iterator[str]:
    for events in run.path.glob("attempts/*/events.jsonl"):
        for line in events.read_bytes().splitlines():
            said = read_line(line)
            if isinstance(said, Saved):
                yield said.folder


def table(drill: Drill) -> str:
    rows = drill.rows()
    kinds = Counter(str(row["when"]) for row in rows)
    runs = sorted({int(str(row["run"])) for row in rows})
    lines = [
        f"{len(rows)} kills: " + ", ".join(f"{count} while {when}" for when, count in sorted(kinds.items()))
    ]
    for number in runs:
        run = drill.killed(number)
        lives = len(list((run.path / "attempts").glob("*")))
        lines.append(f"run {number}: {lives} attempts, weights, optimizer, state and best equal bit for bit")
    return "\n".join(lines)


@click.command()
@click.option("--kills", default=100, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same moments.")
@click.option("--epochs", default=100, show_default=True, type=click.IntRange(4), help="Of one training.")
@click.option(
    "--folder",
    default=Path("/tmp/drill-trainer"),  # noqa: S108  its own name, and a person's to choose
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
)
@click.option("--anew", is_flag=True, help="Forget what an earlier drill has left in the folder.")
def main(kills: int, seed: int, epochs: int, folder: Path, anew: bool) -> None:
    """Kill a small training KILLS times; exit code 1 if it ends on other bits than an undisturbed one."""
    if anew:
        shutil.rmtree(folder, ignore_errors=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended on request; start it again to go on"))
    began = monotonic()
    drill = Drill.of(folder.absolute(), epochs)
    try:
        with progress_bar("kills") as told:
            for done in undergo(drill, kills, seed):
                told(done, kills)
    except (AssertionError, RuntimeError) as error:
        sys.exit(f"after {len(drill.rows())} kills: {error}")
    click.echo(table(drill))
    click.echo(f"{monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
