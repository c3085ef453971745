"""`simulate`: episodes to try things with, sound ones and ones that are spoiled on purpose."""

from pathlib import Path

import click

from trainer.commands.errors import one_line_errors
from trainer.commands.options import FOLDER, Examples
from trainer.process.bar import progress_bar
from trainer.simulation.faults import FAULTS, Fault, catalogue
from trainer.simulation.robots import ROBOTS
from trainer.simulation.simulate import simulate


@click.command(
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
