"""How fast a data set is admitted, as ratios to what decoding alone costs on the same cores in the same run.

    python benches/bench_admission.py --episodes 8 --frames 300

Every figure is the median of rounds in which all ways take turns, so that a busy machine slows all alike.
"""

import importlib
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import av
import click
from av.video.frame import VideoFrame

from protocol.training import TrainingConfig
from trainer.attempt import Stop, hears_nothing
from trainer.bar import progress_bar
from trainer.check import judge
from trainer.convert import convert
from trainer.episodes import find_episodes
from trainer.fingerprint import hash_file
from trainer.rows import read_table
from trainer.simulate import simulate
from trainer.video import count_packets
from trainer.video_faults import planes_of
from trainer.workers import cores, in_processes

DONE_WITHIN_S = 0.02


def decode_only(path: Path) -> None:
    """The limit: what any reader of every picture must do, and nothing else."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for _ in container.decode(stream):
            pass


def encode_as_usual(path: Path) -> None:
    """With x264's own defaults: the simulator's own videos are made fast, and are decoded twice as fast."""
    planes = planes_of(path, 640, 480)
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "medium", "crf": "20"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for picture in planes:
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode())


def import_torch(_: Path) -> None:
    importlib.import_module("trainer.pixels")


def quick_rows(config: TrainingConfig, episode: Path) -> None:
    """The quick tier: the container's counts, rows with types and double keys, the hash of every file."""
    count_packets(episode / "ego.mp4")
    read_table(episode / "actions.jsonl", {}, config)
    for path in episode.iterdir():
        hash_file(path)


@click.command()
@click.option("--episodes", default=8, show_default=True)
@click.option("--frames", default=300, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def main(episodes: int, frames: int, rounds: int) -> None:
    config = TrainingConfig().with_changes({"dataset.min_episodes": 1})
    with TemporaryDirectory(prefix="bench-admission-") as made:
        data, output = Path(made, "set"), Path(made, "data.h5")
        with progress_bar("simulating") as told:
            simulate(data, episodes=episodes, frames=frames, told=told)
        for source in find_episodes(data):
            encode_as_usual(source.path / "ego.mp4")
        folders = [source.path for source in find_episodes(data)]
        videos = [folder / "ego.mp4" for folder in folders]
        in_all = partial(in_processes, stop=Stop(), told=hears_nothing)

        def fresh() -> None:
            output.unlink(missing_ok=True)
            convert(data, output, config, "bench")

        ways: dict[str, Callable[[], object]] = {
            "decode only": lambda: in_all(decode_only, videos),
            "check, deep": lambda: judge(data, config),
            "ingest, strict": fresh,
            "ingest again": lambda: convert(data, output, config, "bench"),
            "container, 1 core": lambda: [count_packets(video) for video in videos],
            "quick tier, 1 core": lambda: [quick_rows(config, folder) for folder in folders],
            "start of workers": lambda: in_all(Path.exists, videos),
            "start with torch": lambda: in_all(import_torch, videos),
        }
        took = _measured(ways, rounds)
        _show(took, episodes * frames)
        click.echo(f"largest worker's own memory while ingesting: {_memory_of(fresh) / 2**20:.0f} MiB")


def _measured(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    took: dict[str, list[float]] = {name: [] for name in ways}
    with progress_bar("measuring") as told:
        for turn in range(rounds):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                took[name].append(time.perf_counter() - began)
            told(turn + 1, rounds)
    return {name: statistics.median(seconds) for name, seconds in took.items()}


STARTS = {
    "decode only": "start of workers",
    "check, deep": "start of workers",
    "ingest, strict": "start with torch",
}


def _show(took: dict[str, float], frames: int) -> None:
    click.echo(f"{frames} frames, {cores()} cores; the start of workers is taken off, and shown by itself")
    alone = {name: seconds - took.get(STARTS.get(name, ""), 0.0) for name, seconds in took.items()}
    for name, seconds in alone.items():
        ratio = alone["decode only"] / seconds
        click.echo(f"{name:20} {seconds:7.2f} s {frames / seconds:10.0f} frames/s {ratio:8.2f} of the limit")


def _memory_of(work: Callable[[], object]) -> int:
    """The most anonymous memory that one child process of ours had while `work` ran, in bytes."""
    over = Event()
    with ThreadPoolExecutor(1) as watcher:
        largest = watcher.submit(_watch, over)
        work()
        over.set()
        return largest.result()


def _watch(over: Event) -> int:
    largest = 0
    while not over.wait(DONE_WITHIN_S):
        for children in Path("/proc/self/task").glob("*/children"):
            for child in children.read_text().split():
                largest = max(largest, _anonymous_bytes(child))
    return largest


def _anonymous_bytes(process: str) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


if __name__ == "__main__":
    main()
