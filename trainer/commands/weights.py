"""`weights`: the backbone's ImageNet weights, fetched before they are needed."""

import sys

import click

from protocol.job import ExitCode
from trainer.commands.options import Examples


@click.command(
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
