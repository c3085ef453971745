"""`validate` and `convert`: is this data fit to train on, and into what is trained on."""

import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

import click

from protocol.job import Checked, Converted, ExitCode
from protocol.training import TrainingConfig
from trainer.checking.check import KEPT_NOWHERE, Judgement, Keeping, judge
from trainer.checking.report import write_report
from trainer.commands.errors import one_line_errors
from trainer.commands.options import CONFIG_OPTION, EXISTING_FOLDER, FOLDER, Examples
from trainer.config_file import read_config
from trainer.converting.convert import convert, must_lie_outside
from trainer.converting.draft import discard
from trainer.converting.lerobot_export import export
from trainer.process.attempt import JobError, exit_code
from trainer.process.bar import progress_bar


@click.command(
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
        if report:
            must_lie_outside(report, path)
        judgement = judged(path, config)
        if report:
            write_report(report, path, judgement, config)
    verdict = judgement.verdict
    if as_json:
        click.echo(verdict.model_dump_json(exclude={"kind"}))
    else:
        show(path, verdict)
    sys.exit(exit_code(verdict))


@click.command(
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
    with one_line_errors(output):
        config = config_of(config_path)
        must_be_a_place_for(form, output)
        must_lie_outside(output, path)
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


def must_be_a_place_for(form: str, output: Path) -> None:
    """What stands at OUT is replaced as a whole: a device would be a file from then on, for every program.

    Raises:
        JobError("bad_job"): that is no place for it.
    """
    if form == "hdf5" and output.is_dir():
        raise JobError("bad_job", f"{output}: is a folder; name a file, or say --to lerobot")
    if output.exists() and not (output.is_file() or output.is_dir()):
        raise JobError("bad_job", f"{output}: is no file but a device or a pipe; name a file")


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
