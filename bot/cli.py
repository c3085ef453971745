"""`training-claw`: the one front door."""

import click


@click.group()
def main() -> None:
    """The Training bot of the ralphton loop."""
