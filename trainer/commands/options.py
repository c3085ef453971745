"""Options that several commands share, and how a command shows its examples."""

from pathlib import Path

import click

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


class Examples(click.Command):
    """Shows `epilog` as it was written."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write(f"\nExamples:\n{self.epilog}\n")
