"""`python -m trainer`: what `training-claw` starts for all that computes."""

import errno
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

import click

from protocol.job import EXIT_OF_FAILURE, Checked, Converted, ExitCode
from protocol.training import TrainingConfig
from trainer.checking.check import KEPT_NOWHERE, Judgement, Keeping, judge
from trainer.checking.report import write_report
from trainer.config_file import read_config
from trainer.converting.convert import convert
from trainer.converting.draft import discard
from trainer.converting.lerobot_export import export
from trainer.jobs import do, do_as_reference
from trainer.process.attempt import JobError, exit_code, run_attempt
from trainer.process.bar import progress_bar
from trainer.process.take import take
from trainer.process.watched import run_watched
from trainer.simulation.faults import FAULTS, Fault, catalogue
from trainer.simulation.robots import ROBOTS
from trainer.simulation.simulate import simulate

FOLDER = click.Path(file_okay=False, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
CONFIG_OPTION = click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="YAML with the card's sections, or a PLAN.md that holds some. Default: the card's own config.",
)

REFERENCE_OPTION = click.option(
    "--reference",
    is_flag=True,
    help="Take each step as lerobot-train does and print its numbers to trainer.log: slow, to compare.",
)


def rank_among(environ: Mapping[str, str]) -> int:
    """Which of the processes that torchrun started this is; 0 where it started none."""
    return int(environ.get("RANK", "0"))


class Examples(click.Command):
    """Shows `epilog` as it was written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write(f"\nExamples:\n{self.epilog}\n")


@click.group()
def main() -> None:
    """The computing side of training-claw: no network, no chat."""


@main.command(
    "simulate",
    cls=Examples,
    epilog="""\
  training-claw simulate data --episodes 60 --frames 50 --lead-in 5
  training-claw simulate arm --robot arm
  training-claw simulate held-out --episodes 6 --first 60 --seed 0
  training-claw simulate broken --episodes 50 --fault frame_count:23

Faults:
"""
    + catalogue(),
)
@click.argument("out", type=FOLDER)
@click.option("--episodes", default=60, show_default=True, type=click.IntRange(1), help="How many to write.")
@click.option(
    "--frames",
    default=50,
    show_default=True,
    type=click.IntRange(4),
    help="Frames in each, lead-in included.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="The same seed gives the same files."
)
@click.option(
    "--first", default=0, show_default=True, type=click.IntRange(0), help="Number of the first episode."
)
@click.option(
    "--lead-in",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="First frames of each in which the camera swings and the loader idles.",
)
@click.option(
    "--robot",
    type=click.Choice([*ROBOTS]),
    default="loader",
    show_default=True,
    help="The loader has 4 actions and one camera, the arm 10 actions and a second camera at its wrist.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:EPISODE]",
    help="Spoil an episode (the middle one unless numbered); the names are listed below.",
)
def simulate_command(
    *,
    out: Path,
    episodes: int,
    frames: int,
    seed: int,
    first: int,
    lead_in: int,
    robot: str,
    faults: tuple[str, ...],
) -> None:
    """Write a simulator's episodes to the folder OUT."""
    spoiled = [read_fault(text, default_episode=first + episodes // 2) for text in faults]
    with one_line_errors(), progress_bar("simulating") as told:
        simulate(
            out,
            episodes=episodes,
            frames=frames,
            seed=seed,
            first=first,
            lead_in=lead_in,
            robot=robot,
            faults=spoiled,
            told=told,
        )
    click.echo(f"{episodes} episodes of {frames} frames in {out}")


def read_fault(text: str, default_episode: int) -> Fault:
    """`NAME` or `NAME:EPISODE`, the episode by number."""
    name, _, number = text.partition(":")
    if name not in FAULTS:
        raise click.BadParameter(f"there is no fault {name!r}; --help lists them", param_hint="--fault")
    if number and not number.isdecimal():
        raise click.BadParameter(f"{number!r} is not an episode's number", param_hint="--fault")
    return Fault(name, int(number) if number else default_episode)


@main.command(
    "validate",
    cls=Examples,
    epilog="""\
  training-claw validate data
  training-claw validate data --report report
  training-claw validate data --config ssot/PLAN.md --json | jq .problems""",
)
@click.argument("path", type=EXISTING_FOLDER)
@CONFIG_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
@click.option("--report", type=FOLDER, metavar="DIR", help="Write JSON and pictures to this folder, too.")
def validate_command(path: Path, config_path: Path | None, as_json: bool, report: Path | None) -> None:
    """Say whether the episodes in the folder PATH are fit to train on.

    Exit code 0: they are. 4: they are refused. 2: the call was wrong.
    """
    with one_line_errors():
        config = config_of(config_path)
        judgement = judged(path, config)
        if report:
            write_report(report, path, judgement, config)
    verdict = judgement.verdict
    if as_json:
        click.echo(verdict.model_dump_json(exclude={"kind"}))
    else:
        show(path, verdict)
    sys.exit(exit_code(verdict))


@main.command(
    "convert",
    cls=Examples,
    epilog="""\
  training-claw convert data data.h5
  training-claw convert data data.h5 --config ssot/PLAN.md
  training-claw convert data dataset --to lerobot""",
)
@click.argument("path", type=EXISTING_FOLDER)
@click.argument("output", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "form",
    type=click.Choice(["hdf5", "lerobot"]),
    default="hdf5",
    show_default=True,
    help="One HDF5 file to train on, or the folder of a LeRobotDataset v3 with lossless images.",
)
@CONFIG_OPTION
def convert_command(
    path: Path, output: Path, form: Literal["hdf5", "lerobot"], config_path: Path | None
) -> None:
    """Check the episodes in the folder PATH and turn them into what is trained on, at OUT.

    PATH may hold a simulator's episodes, HDF5 files with LeRobot's keys or a LeRobotDataset v3.
    Exit code 0: done. 4: the data is refused, nothing is written. 2: the call was wrong.
    """
    with one_line_errors():
        config = config_of(config_path)
        if form == "hdf5" and output.is_dir():
            raise JobError("bad_job", f"{output}: is a folder; name a file, or say --to lerobot")
        must_take(output.parent)
        keeping = Keeping(output if form == "hdf5" else None)
        judgement = judged(path, config, keeping)
        if not judgement.verdict.ok:
            if keeping.output:
                discard(keeping.output)
            show(path, judgement.verdict)
            sys.exit(ExitCode.REFUSED)
        done = (_converted if form == "hdf5" else _exported)(path, output, config, judgement)
    click.echo(f"{done.episodes} episodes, {done.frames} frames in {done.output}")


def must_take(folder: Path) -> None:
    """Seen before the work rather than after it.

    Raises:
        JobError("bad_job"): nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise JobError(
            "bad_job", f"{folder}: cannot be written to ({error.strerror}); name another place"
        ) from None


def _converted(path: Path, output: Path, config: TrainingConfig, judgement: Judgement) -> Converted:
    certificate, hashes = judgement.verdict.hash, judgement.hashes
    with progress_bar("writing") as told:
        return convert(path, output, config, certificate, hashes=hashes, told=told)


def _exported(path: Path, output: Path, config: TrainingConfig, judgement: Judgement) -> Converted:
    with progress_bar("converting and writing") as told:
        return export(path, output, config, judgement.verdict.hash, told=told)


@main.command(
    "evaluate",
    cls=Examples,
    epilog="""\
  training-claw evaluate act_best held-out
  training-claw evaluate checkpoints/epoch_050 held-out --json""",
)
@click.argument("checkpoint", type=EXISTING_FOLDER)
@click.argument("episodes", type=EXISTING_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
def evaluate_command(checkpoint: Path, episodes: Path, as_json: bool) -> None:
    """Measure a checkpoint by the held-out episodes in the folder EPISODES, with plain LeRobot.

    The error of its predictions, in action units, beside that of always answering the mean action and that
    of the same policy with every image black.
    """
    from trainer.evaluate import evaluate  # noqa: PLC0415  # torch and lerobot: seconds, and only here

    with one_line_errors(), progress_bar("evaluating") as told:
        measured = evaluate(checkpoint, episodes, told)
    if as_json:
        click.echo(json.dumps(measured.as_dict()))
    else:
        click.echo(
            f"L1 {measured.l1:.4f} over {measured.frames} frames: {measured.better_than_mean:.0%} better "
            f"than the mean action, {measured.better_than_blank:.0%} better than on black images"
        )


@main.command("run")
@click.argument("job", metavar="JOB.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lock-fd", type=click.IntRange(3), help="A descriptor that holds the lock beside JOB.json.")
@REFERENCE_OPTION
def run_command(job: Path, lock_fd: int | None, *, reference: bool) -> None:
    """Do the job in JOB.json, in its own folder (see protocol/job.py).

    On several GPUs or machines: torchrun --nproc-per-node=4 -m trainer run JOB.json
    """
    if rank_among(os.environ):
        from trainer.loop.follow import run_follower  # noqa: PLC0415  # torch and lerobot: seconds

        sys.exit(run_follower(job))
    sys.exit(run_attempt(job, lock_fd, do_as_reference if reference else do))


@main.command("take")
@click.argument("runs", metavar="RUNS", type=EXISTING_FOLDER)
def take_command(runs: Path) -> None:
    """Do the oldest job asked for in RUNS/wanted: what training-claw-trainer.service runs."""
    with one_line_errors():
        sys.exit(take(runs, do))


@main.command(
    "train",
    cls=Examples,
    epilog="""\
  training-claw train runs/mine/attempts/1/job.json
  training-claw train runs/proof/attempts/1/job.json --reference

A JOB.json says what to do and has a folder of its own, in which events.jsonl, outcome.json and trainer.log
appear; check and convert jobs are done as well. The smallest one that trains:

  {"kind": "train", "data": "data.h5", "run": "runs/mine", "device": "cpu", "config": {}}""",
)
@click.argument("job", metavar="JOB.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@REFERENCE_OPTION
def train_command(job: Path, *, reference: bool) -> None:
    """Do the job in JOB.json and show how far it is. Ctrl-C saves and leaves; the next attempt goes on."""
    sys.exit(run_watched(job, ["--reference"] if reference else []))


@main.command(
    "weights",
    cls=Examples,
    epilog="""\
  python -m trainer weights
  TORCH_HOME=/var/lib/training-claw/torch python -m trainer weights --backbone resnet34""",
)
@click.option("--backbone", default="resnet18", show_default=True, help="Of which network.")
def weights_command(backbone: str) -> None:
    """Fetch the backbone's ImageNet weights, which training by the card's config begins with."""
    from trainer.learning import weights  # noqa: PLC0415  torchvision takes seconds to import

    wanted = weights.weights_of(backbone, "IMAGENET1K_V1")
    try:
        click.echo(weights.fetch(wanted, progress=sys.stderr.isatty()))
    except (OSError, RuntimeError) as error:
        file = weights.file_of(wanted)
        click.echo(f"{file} could not be fetched ({error}); put it there by hand from {wanted.url}", err=True)
        sys.exit(ExitCode.NO_WEIGHTS)


def config_of(path: Path | None) -> TrainingConfig:
    return read_config(path) if path else TrainingConfig()


def judged(path: Path, config: TrainingConfig, keeping: Keeping = KEPT_NOWHERE) -> Judgement:
    with progress_bar("checking") as told:
        return judge(path, config, keeping=keeping, told=told)


def show(path: Path, verdict: Checked) -> None:
    """One line a problem, then the verdict."""
    for problem in verdict.problems:
        colour = "red" if problem.severity == "refuse" else "yellow"
        where = f"{problem.episode}: " if problem.episode else ""
        click.echo(f"{click.style(problem.severity, fg=colour)} {where}{problem.message}")
    size = f"{verdict.episodes} episodes, {verdict.frames} frames"
    if verdict.ok:
        click.secho(f"admitted: {path} ({size}, sha256 {verdict.hash})", fg="green")
    else:
        refused = sum(problem.severity == "refuse" for problem in verdict.problems)
        click.secho(
            f"refused: {path} ({size}, {refused} {'problem' if refused == 1 else 'problems'})", fg="red"
        )


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What a person can do something about is said in one line, with the exit code that goes with it."""
    try:
        yield
    except JobError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_OF_FAILURE[error.failed.failure])
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {where}{error.strerror or error}", err=True)
        sys.exit(ExitCode.NO_SPACE if error.errno == errno.ENOSPC else ExitCode.FAILED)


if __name__ == "__main__":
    main(prog_name="training-claw")
