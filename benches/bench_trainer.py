"""How fast training is, as ratios measured in one run.

    make bench
    make bench ARGS="--model card --frames 256 --batch 16 --only loop,recipes,saves"
    make bench ARGS="--device cuda --model card --frames 25500 --json bench.json"

    loop      the whole loop against the bare step on a batch that is there already
    recipes   each way to compute a step against LeRobot's own; how near the fastest is to the roofline
    likeness  how far each way's course is from the stock one's, beside that of another seed
    feed      batches from memory against LeRobot's loader on the same data
    whole     our trainer against lerobot-train, same data, same model, same batch
    saves     how long the loop stands still for a checkpoint, and what writing it costs the steps meanwhile
    start     from the process's start to its first step

Ways that are compared take turns, so that a busy machine slows all alike; times are medians. With another
device than a CPU the same rungs run there; without one `--device cuda` says so and measures nothing.
"""

import json
from pathlib import Path

import click
import torch

from benches.trainer_rungs import RUNGS
from benches.trainer_scenes import MODELS, scene
from benches.trainer_turns import Bench, Figures
from trainer.learning import device as devices
from trainer.process.bar import progress_bar


@click.command()
@click.option("--model", type=click.Choice(list(MODELS)), default="small", show_default=True)
@click.option("--frames", default=500, show_default=True, type=click.IntRange(50))
@click.option("--batch", default=32, show_default=True, type=click.IntRange(1))
@click.option("--steps", default=8, show_default=True, type=click.IntRange(1), help="In each turn.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(2), help="Turns.")
@click.option("--device", "kind", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--processor-time",
    is_flag=True,
    help="On a CPU others use, too: count what is taken of it, not what passes meanwhile.",
)
@click.option("--only", default=",".join(RUNGS), show_default=True, metavar="RUNG,…")
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write them here, too."
)
def main(
    model: str,
    frames: int,
    batch: int,
    steps: int,
    rounds: int,
    kind: str,
    processor_time: bool,
    only: str,
    json_path: Path | None,
) -> None:
    """Measure the trainer; a table, and JSON where asked for."""
    if kind == "cuda" and not torch.cuda.is_available():
        click.echo("cuda: no usable GPU here, its rungs are skipped")
        return
    wanted = only.split(",")
    if strangers := set(wanted) - set(RUNGS):
        raise click.UsageError(f"there is no rung {', '.join(strangers)}; there are {', '.join(RUNGS)}")
    measured: dict[str, Figures] = {}
    device = devices.pick(kind)
    click.echo(f"{model} model, batch {batch}, {devices.name(device)}, {torch.get_num_threads()} threads")
    with scene(model, frames, batch) as made, progress_bar("measuring") as told:
        bench = Bench(made, device, rounds, steps, processor_time)
        for number, name in enumerate(wanted):
            told(number, len(wanted))
            measured[name] = RUNGS[name](bench)
            for figure, value in measured[name].items():
                click.echo(f"{name:8} {figure:40} {value:12.4g}")
    if json_path:
        json_path.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
