"""`python -m trainer`: what `training-claw` starts for all that computes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from protocol.job import EXIT_OF_FAILURE
from trainer.attempt import JobError
from trainer.bar import progress_bar
from trainer.faults import FAULTS, Fault
from trainer.simulate import simulate

FOLDER = click.Path(file_okay=False, path_type=Path)


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
  training-claw simulate held-out --episodes 6 --first 60 --seed 0
  training-claw simulate broken --episodes 50 --fault frame_count:23""",
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
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:EPISODE]",
    help=f"Spoil an episode (the middle one unless numbered). NAME: {', '.join(FAULTS)}.",
)
def simulate_command(
    *, out: Path, episodes: int, frames: int, seed: int, first: int, lead_in: int, faults: tuple[str, ...]
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
            faults=spoiled,
            told=told,
        )
    click.echo(f"{episodes} episodes of {frames} frames in {out}")


def read_fault(text: str, default_episode: int) -> Fault:
    """`NAME` or `NAME:EPISODE`, the episode by number."""
    name, _, number = text.partition(":")
    if name not in FAULTS:
        raise click.BadParameter(f"{name!r} is not one of {', '.join(FAULTS)}", param_hint="--fault")
    if number and not number.isdecimal():
        raise click.BadParameter(f"{number!r} is not an episode's number", param_hint="--fault")
    return Fault(name, int(number) if number else default_episode)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What a person can do something about is said in one line, with the exit code that goes with it."""
    try:
        yield
    except JobError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_OF_FAILURE[error.failed.failure])


if __name__ == "__main__":
    main(prog_name="training-claw")
