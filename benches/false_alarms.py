"""Clean data sets of many kinds, none of which may raise an alarm: what an encoder does is no damage.

    python benches/false_alarms.py --sets 200
    python benches/false_alarms.py --sets 200 --log /tmp/sets.jsonl     goes on where the log ends

Lengths, bitrates, distances of key frames, B-frames, encoders and sizes are drawn. A set so short that some
quantity never changes in it is none of them: that it is warned of is true. Every set goes to the
log, a line each; exits 1 when one raised an alarm, and says how to see it again.
"""

import json
import shutil
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import av
import click
from av.video.frame import VideoFrame

from protocol.training import TrainingConfig
from trainer.checking.check import check
from trainer.process.bar import progress_bar
from trainer.simulation.simulate import simulate
from trainer.simulation.video_faults import Pictures, planes_of

EPISODES = 3
SIZES = ((640, 480), (640, 480), (320, 240))
"""Two of three are of the card's size; the rule of the others is set by the config."""

ANOTHER = 1_000_000
"""Added to a seed that drew a set in which something never changes."""

type Options = dict[str, str]
type Seen = dict[str, Any]


def encoder(draw: Random) -> tuple[str, Options]:
    """One of those that Developer may use, and how."""
    distance = draw.choice([1, 2, 12, 30, 250])
    match draw.choice(["libx264", "libx264", "mpeg4", "libsvtav1", "libx265"]):
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


def encode(path: Path, planes: Pictures, codec: str, options: Options, size: tuple[int, int]) -> None:
    """In a thread of its own: for root, SVT-AV1 makes the one that calls it a real-time thread, for good."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(write, path, planes, codec, options, size).result()


def write(path: Path, planes: Pictures, codec: str, options: Options, size: tuple[int, int]) -> None:
    with av.open(path, "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=30, options=options)
        assert isinstance(stream, av.VideoStream)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        for picture in planes:
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode())


def act(folder: Path, *, frames: int, seed: int, lead_in: int) -> None:
    """Simulate, once more with another seed where something stood still all the time."""
    simulate(folder, episodes=EPISODES, frames=frames, seed=seed, lead_in=lead_in)
    if frozen(folder):
        shutil.rmtree(folder)
        act(folder, frames=frames, seed=seed + ANOTHER, lead_in=lead_in)


def frozen(folder: Path) -> set[str]:
    """Fields that have one value in all episodes, by the rows themselves."""
    rows = [json.loads(line) for log in sorted(folder.glob("*/actions.jsonl")) for line in log.open()]
    return {name for name in rows[0] if len({row[name] for row in rows}) == 1}


def looked_at(folder: Path, seed: int) -> Seen:
    """The clean set that `seed` draws, and what is said of it."""
    began = time.monotonic()
    draw = Random(seed)  # noqa: S311  # a set is to be drawn again
    frames, lead_in, size = draw.choice([12, 30, 75, 150]), draw.choice([0, 5]), draw.choice(SIZES)
    codec, options = encoder(draw)
    act(folder, frames=frames, seed=seed, lead_in=lead_in)
    for episode in folder.iterdir():
        video = episode / "ego.mp4"
        encode(video, planes_of(video, *size), codec, options, size)
    config = TrainingConfig().with_changes({"dataset.min_episodes": EPISODES, "dataset.video_size": size})
    alarms = [f"{each.episode}: {each.message}" for each in check(folder, config).problems]
    took_s = round(time.monotonic() - began, 2)
    drawn = {"codec": codec, "options": options, "frames": frames, "lead_in": lead_in, "size": size}
    return {"seed": seed, **drawn, "alarms": alarms, "took_s": took_s}


def done_before(log: Path | None) -> dict[int, Seen]:
    if log is None or not log.exists():
        return {}
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return {line["seed"]: line for line in lines}


@click.command()
@click.option("--sets", default=200, show_default=True)
@click.option("--first", default=0, show_default=True, help="Seed of the first set.")
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="What was seen, a line a set.")
def main(sets: int, first: int, log: Path | None) -> None:
    seen = done_before(log)
    with progress_bar("clean sets") as told:
        for done, seed in enumerate(range(first, first + sets), start=1):
            if seed not in seen:
                with TemporaryDirectory(prefix="clean-set-") as folder:
                    seen[seed] = looked_at(Path(folder), seed)
                if log:
                    with log.open("a") as lines:
                        lines.write(json.dumps(seen[seed]) + "\n")
            told(done, sets)
    wanted = [seen[seed] for seed in range(first, first + sets)]
    alarmed = [each for each in wanted if each["alarms"]]
    for each in alarmed:
        click.echo(f"{each}\nagain with --first {each['seed']} --sets 1", err=True)
    for codec, count in Counter(each["codec"] for each in wanted).most_common():
        click.echo(f"{count:5} {codec}")
    full = sum(tuple(each["size"]) == SIZES[0] for each in wanted)
    click.echo(
        f"{sets} clean sets, {full} of them {SIZES[0][0]}x{SIZES[0][1]}: {len(alarmed)} raised an alarm"
    )
    sys.exit(bool(alarmed))


if __name__ == "__main__":
    main()
