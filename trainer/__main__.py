"""`python -m trainer`: what `training-claw` starts for all that computes."""

import click

from trainer.commands.admit import convert_command, validate_command
from trainer.commands.evaluate import evaluate_command
from trainer.commands.simulate import simulate_command
from trainer.commands.weights import weights_command
from trainer.commands.work import run_command, take_command, train_command


@click.group()
def main() -> None:
    """The computing side of training-claw: no network, no chat."""


for command in (
    simulate_command,
    validate_command,
    convert_command,
    evaluate_command,
    run_command,
    take_command,
    train_command,
    weights_command,
):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="training-claw")
