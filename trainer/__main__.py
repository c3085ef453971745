"""`python -m trainer`: what `training-claw` starts for all that computes."""

import signal
import sys
from collections.abc import Sequence

if __name__ == "__main__":  # who thinks better of it while all is being loaded gets no traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import click

from trainer.commands.admit import convert_command, validate_command
from trainer.commands.errors import one_line_errors
from trainer.commands.evaluate import evaluate_command
from trainer.commands.simulate import simulate_command
from trainer.commands.weights import weights_command
from trainer.commands.work import run_command, take_command, train_command

AT_THE_DOOR = (simulate_command, validate_command, convert_command, train_command, evaluate_command)
"""What `training-claw` passes on to us, under the same names."""
FOR_SUPERVISORS = (run_command, take_command, weights_command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The computing side of training-claw: no network, no chat."""


for command in (*AT_THE_DOOR, *FOR_SUPERVISORS):
    main.add_command(command)


def program(arguments: Sequence[str]) -> str:
    """What to type to get here again: a usage line must not name a command that is not there."""
    at_the_door = arguments and arguments[0] in {command.name for command in AT_THE_DOOR}
    return "training-claw" if at_the_door else "python -m trainer"


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with one_line_errors():  # a disk that is full behind `> FILE`
        main(prog_name=program(sys.argv[1:]))
