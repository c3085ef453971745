"""`evaluate`: how good a checkpoint is, on episodes that it has not seen."""

import json
from pathlib import Path

import click

from trainer.commands.errors import one_line_errors
from trainer.commands.options import EXISTING_FOLDER, Examples
from trainer.process.bar import progress_bar


@click.command(
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
