"""`run`, `take` and `train`: do a job, whoever has written it down."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from trainer.commands.errors import one_line_errors
from trainer.commands.options import EXISTING_FOLDER, REFERENCE_OPTION, Examples
from trainer.jobs import do, do_as_reference
from trainer.process.attempt import run_attempt
from trainer.process.take import take
from trainer.process.watched import run_watched


def rank_among(environ: Mapping[str, str]) -> int:
    """Which of the processes that torchrun started this is; 0 where it started none."""
    return int(environ.get("RANK", "0"))


@click.command("run")
@click.argument("job", metavar="JOB.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lock-fd", type=click.IntRange(3), help="A descriptor that holds the lock beside JOB.json.")
@REFERENCE_OPTION
def run_command(job: Path, lock_fd: int | None, *, reference: bool) -> None:
    """Do the job in JOB.json, in its own folder (see protocol/folders.py).

    On several GPUs or machines: torchrun --nproc-per-node=4 -m trainer run JOB.json
    """
    if rank_among(os.environ):
        from trainer.loop.follow import run_follower  # noqa: PLC0415  # torch and lerobot: seconds

        sys.exit(run_follower(job))
    sys.exit(run_attempt(job, lock_fd, do_as_reference if reference else do))


@click.command("take")
@click.argument("runs", metavar="RUNS", type=EXISTING_FOLDER)
def take_command(runs: Path) -> None:
    """Do the oldest job asked for in RUNS/wanted: what training-claw-trainer.service runs."""
    with one_line_errors():
        sys.exit(take(runs, do))


@click.command(
    "train",
    cls=Examples,
    epilog="""\
  training-claw train runs/mine/attempts/1/job.json
  training-claw train runs/proof/attempts/1/job.json --reference

A JOB.json says what to do and has a folder of its own, in which events.jsonl, outcome.json and trainer.log
appear; check and convert jobs are done as well. Each is one attempt: after a failure or Ctrl-C the same file
in attempts/2/ goes on. The smallest one that trains:

  {"kind": "train", "data": "data.h5", "run": "runs/mine", "device": "cpu", "config": {}}""",
)
@click.argument("job", metavar="JOB.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@REFERENCE_OPTION
def train_command(job: Path, *, reference: bool) -> None:
    """Do the job in JOB.json and show how far it is. Ctrl-C saves and leaves; the next attempt goes on."""
    with one_line_errors():
        sys.exit(run_watched(job, ["--reference"] if reference else []))
