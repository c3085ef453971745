"""How near our result is to lerobot-train's: the same data, model, seed and batch, step for step.

    python -m benches.bench_parity
    python -m benches.bench_parity --model card --frames 64 --batch 4 --epochs 1 --seeds 1

    printed    at how many steps loss and gradient norm of --reference are those that lerobot-train prints
    weights    how far the weights end from lerobot-train's, over how far those went: of --reference, and of
               lerobot-train itself with one thread instead of all
    learning   the L1 of the last epoch: of --reference with several seeds, of the ordinary fast training

Everything is a process of its own, one after the other.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from safetensors.torch import load_file
from torch import Tensor

from benches.lerobot_side import lerobot_train
from benches.trainer_scenes import MODELS, Scene, scene
from protocol.folders import RunFolder
from protocol.job import Trained, read_outcome
from trainer.learning.act import fresh_policy
from trainer.process.bar import progress_bar
from trainer.process.workers import cores

PRINTED = re.compile(r"step:(\d+)\b.*? loss:([\d.]+) grdn:([\d.]+)")
LAST_DIGIT = 0.0011
"""A number next to where rounding changes may be printed either way."""

type Weights = dict[str, Tensor]
type Losses = dict[int, tuple[float, float]]


@dataclass(frozen=True)
class Ended:
    """A training that came to its end: its weights, loss and gradient norm by step as printed."""

    weights: Weights
    printed: Losses
    last_l1: float | None = None


def lerobot(made: Scene, steps: int, threads: int) -> Ended:
    out = made.folder / f"theirs-{threads}"
    command = lerobot_train(made, "cpu", steps, out, f"--save_freq={steps}", "--num_workers=0")
    done = subprocess.run(command, env=with_threads(threads), capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"lerobot-train failed: {done.stderr[-2000:]}")
    (saved,) = out.glob("checkpoints/[0-9]*")
    return Ended(weights_in(saved), losses_in(done.stdout + done.stderr))


def ours(made: Scene, name: str, *options: str, **changes: object) -> Ended:
    """With `--reference` among the options as lerobot-train, without as always."""
    job = made.job(name, "cpu", **changes)
    run = RunFolder(job.run)
    attempt = run.attempt(1)
    attempt.job.write_text(job.model_dump_json())
    command = [sys.executable, "-m", "trainer", "run", str(attempt.job), *options]
    subprocess.run(command, env=with_threads(cores()), check=True)
    outcome = read_outcome(attempt.outcome.read_bytes())
    assert isinstance(outcome, Trained), "or the process had failed"
    printed = losses_in(attempt.log.read_text())
    return Ended(weights_in(run.checkpoint(job.config.training.epochs)), printed, outcome.last_l1)


def with_threads(threads: int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}


def weights_in(checkpoint: Path) -> Weights:
    return load_file(checkpoint / "pretrained_model" / "model.safetensors")


def losses_in(log: str) -> Losses:
    return {int(step): (float(loss), float(norm)) for step, loss, norm in PRINTED.findall(log)}


def alike(mine: Losses, theirs: Losses) -> int:
    """At how many steps both numbers are the same to their last printed digit."""
    return sum(
        step in mine and all(abs(a - b) < LAST_DIGIT for a, b in zip(mine[step], printed, strict=True))
        for step, printed in theirs.items()
    )


def apart(one: Weights, other: Weights) -> float:
    return float(
        torch.stack([(one[name] - other[name]).double().square().sum() for name in one]).sum().sqrt()
    )


@click.command(help="How near our result is to lerobot-train's on the same data, step for step.")
@click.option("--model", type=click.Choice([*MODELS]), default="small", show_default=True)
@click.option("--frames", default=800, show_default=True)
@click.option("--batch", default=16, show_default=True)
@click.option("--epochs", default=6, show_default=True)
@click.option(
    "--seeds", default=3, show_default=True, help="So many trainings by --reference, for the spread."
)
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path))
def main(model: str, frames: int, batch: int, epochs: int, seeds: int, json_path: Path | None) -> None:
    steps = epochs * -(-frames // batch)
    count = iter(range(1, 100))
    with scene(model, frames, batch) as made, progress_bar("trainings") as told:
        changes = {"training.epochs": epochs, "training.save_checkpoint_every": min(epochs, 50)}

        def done[Result](result: Result) -> Result:
            told(next(count), 3 + seeds)
            return result

        theirs, one_thread = (done(lerobot(made, steps, threads)) for threads in (cores(), 1))
        first = made.config.training.seed
        stock = [
            done(ours(made, f"stock-{seed}", "--reference", **changes, **{"training.seed": first + seed}))
            for seed in range(seeds)
        ]
        fast = done(ours(made, "fast", **changes))
        start: Weights = dict(fresh_policy(made.config, "cpu").state_dict())
    way = apart(theirs.weights, start)
    figures = {
        "steps": steps,
        "printed_alike": alike(stock[0].printed, theirs.printed),
        "printed_alike_one_thread": alike(one_thread.printed, theirs.printed),
        "weights_reference": apart(stock[0].weights, theirs.weights) / way,
        "weights_one_thread": apart(one_thread.weights, theirs.weights) / way,
        "last_l1_reference": [each.last_l1 for each in stock],
        "last_l1_fast": fast.last_l1,
    }
    for name, value in figures.items():
        click.echo(f"{name:26} {value}")
    if json_path:
        json_path.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
