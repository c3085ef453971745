"""Clean data sets of many kinds, none of which may raise an alarm: what an encoder does is no damage.

    python benches/false_alarms.py --sets 200

Lengths, bitrates, distances of key frames, B-frames and encoders are drawn; exits 1 at the first alarm and
says how to see it again.
"""

import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import av
import click
from av.video.frame import VideoFrame

from protocol.training import TrainingConfig
from trainer.bar import progress_bar
from trainer.check import check
from trainer.simulate import simulate
from trainer.video_faults import Pictures, planes_of

EPISODES = 3

type Options = dict[str, str]


def encoder(draw: Random) -> tuple[str, Options]:
    """One of those that Developer may use, and how."""
    distance = draw.choice([1, 2, 12, 30, 250])
    match draw.choice(["libx264", "mpeg4", "libsvtav1", "libx265"]):
        case "mpeg4":
            made: Options = {"q:v": str(draw.choice([2, 5, 12])), "bf": str(draw.choice([0, 2]))}
            return "mpeg4", {**made, "g": str(distance)}
        case "libsvtav1":
            quality = f"log=0:keyint={max(distance, 2)}"
            return "libsvtav1", {
                "preset": "12",
                "crf": str(draw.choice([20, 35, 50])),
                "svtav1-params": quality,
            }
        case "libx265":
            made = {
                "preset": "ultrafast",
                "crf": str(draw.choice([18, 28, 35])),
                "x265-params": "log-level=error",
            }
            return "libx265", {**made, "g": str(distance)}
        case _:
            preset = draw.choice(["ultrafast", "veryfast", "medium"])
            made = {
                "preset": preset,
                "crf": str(draw.choice([12, 23, 35])),
                "bf": str(draw.choice([0, 2, 4])),
            }
            return "libx264", {**made, "g": str(distance)}


def encode(path: Path, planes: Pictures, codec: str, options: Options) -> None:
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=30, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for picture in planes:
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode())


def alarms(folder: Path, seed: int) -> tuple[str, list[str]]:
    """What is said of the clean set that `seed` draws."""
    draw = Random(seed)  # noqa: S311  # a set is to be drawn again
    frames, lead_in = draw.choice([12, 30, 75, 150]), draw.choice([0, 5])
    codec, options = encoder(draw)
    simulate(folder, episodes=EPISODES, frames=frames, seed=seed, lead_in=lead_in)
    for episode in folder.iterdir():
        encode(episode / "ego.mp4", planes_of(episode / "ego.mp4", 640, 480), codec, options)
    config = TrainingConfig().with_changes({"dataset.min_episodes": EPISODES})
    kind = f"{codec} {options}, {frames} frames, lead-in {lead_in}"
    return kind, [f"{each.episode}: {each.message}" for each in check(folder, config).problems]


@click.command()
@click.option("--sets", default=200, show_default=True)
@click.option("--first", default=0, show_default=True, help="Seed of the first set.")
def main(sets: int, first: int) -> None:
    with progress_bar("clean sets") as told:
        for done, seed in enumerate(range(first, first + sets), start=1):
            with TemporaryDirectory(prefix="clean-set-") as folder:
                kind, said = alarms(Path(folder), seed)
            if said:
                click.echo(
                    f"set {seed} ({kind}): {'; '.join(said)}\nagain with --first {seed} --sets 1", err=True
                )
                sys.exit(1)
            told(done, sets)
    click.echo(f"{sets} clean sets, no alarm")


if __name__ == "__main__":
    main()
