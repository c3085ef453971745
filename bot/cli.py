"""`training-claw`: the one front door. Each command is imported only when it is called."""

import os
import sys
from difflib import get_close_matches
from importlib import import_module
from traceback import walk_tb
from typing import Any

import click

OURS = {
    "serve": "bot.shell.commands.serve:serve",
    "rehearse": "bot.rehearsal.command:rehearse",
    "drill": "bot.rehearsal.drill.command:drill",
    "bucket": "bot.shell.bucket.command:bucket",
    "alarm": "bot.shell.commands.alarm:alarm",
    "status": "bot.shell.commands.status:status",
    "lessons": "bot.shell.commands.lessons:lessons",
    "doctor": "bot.shell.doctor.command:doctor",
    "state": "bot.shell.commands.state:state",
}

COMPUTE = {
    "simulate": ("simulate", "Make a simulator's output: episodes with video, actions and metadata."),
    "validate": ("validate", "Is a data set fit to train on?"),
    "convert": ("convert", "Turn episodes into one HDF5 file."),
    "train": ("train", "Do the job in a JOB.json: check, convert or train."),
    "evaluate": ("evaluate", "How good is a checkpoint, on episodes that it has not seen?"),
}
"""What needs the heavy libraries: `python -m trainer <verb>`, a process of its own."""


class FrontDoor(click.Group):
    def main(self, *arguments: Any, **options: Any) -> Any:
        """A reader that has gone is click's matter; a disk that is full behind `> FILE` is not."""
        try:
            return super().main(*arguments, **options)
        except OSError as error:
            if not _while_speaking(error):
                raise
            click.echo(f"training-claw: standard output: {error.strerror}; send it elsewhere", err=True)
            _let_go_of_output()
            sys.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*OURS, *COMPUTE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in OURS:
            module, _, name = OURS[cmd_name].partition(":")
            return getattr(import_module(module), name)
        return _compute(cmd_name) if cmd_name in COMPUTE else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None


@click.group(
    cls=FrontDoor, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="training-claw")
def main() -> None:
    """The Training bot of the ralphton loop.

    \b
    training-claw rehearse                    one whole cycle on this machine
    training-claw serve --env-file FILE       the daemon
    training-claw simulate OUT --episodes 60  then: validate OUT, convert OUT data.h5
    """


def _let_go_of_output() -> None:
    """Else Python tries the rest once more as it ends, and tells of that with two lines of its own.

    Bot and trainer each have this: they share nothing but a language that touches no file.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _while_speaking(error: OSError) -> bool:
    return any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))


def _compute(name: str) -> click.Command:
    """Hands all its arguments, `--help` too, to the trainer, in whose place it goes on."""
    verb, what = COMPUTE[name]

    @click.command(
        name,
        help=what,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def hand_over(arguments: tuple[str, ...]) -> None:
        os.execv(sys.executable, [sys.executable, "-m", "trainer", verb, *arguments])  # noqa: S606

    return hand_over
