"""How fast a data set is admitted, as ratios to what decoding alone costs on the same cores in the same run.

    python benches/bench_admission.py --episodes 8 --frames 300
    python benches/bench_admission.py --noise 2          grain as of a camera: more bits, slower to decode

Every figure is the least of rounds in which all ways take turns. Ratios are of processor time, the workers'
included, which a busy machine stretches less than the clock. Starting the workers is taken off, and shown.
"""

import importlib
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import av
import click
import numpy as np
from av.video.frame import VideoFrame

from protocol.training import TrainingConfig
from trainer.checking.check import Keeping, judge
from trainer.checking.reading import part_of, read_part
from trainer.converting.convert import convert
from trainer.converting.draft import discard
from trainer.data.episodes import find_episodes
from trainer.data.tree import look_through
from trainer.data.video import count_packets
from trainer.process.attempt import Stop, hears_nothing
from trainer.process.bar import progress_bar
from trainer.process.workers import cores, in_processes
from trainer.simulation.simulate import simulate
from trainer.simulation.video_faults import planes_of

DONE_WITHIN_S = 0.02


def decode_only(path: Path) -> None:
    """What any reader of every picture must do, and nothing else."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for _ in container.decode(stream):
            pass


def ffmpeg_null(path: Path) -> None:
    """The limit as a person would measure it."""
    command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(path), "-f", "null", "-"]
    subprocess.run(command, check=True)


def encode_as_usual(path: Path, noise: float = 0.0) -> None:
    """With x264's own defaults: the simulator's own videos are made fast, and are decoded twice as fast."""
    planes, rng = planes_of(path, 640, 480), np.random.default_rng(0)
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "medium", "crf": "20"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for picture in planes:
            grain = rng.normal(0, noise, picture.shape) if noise else 0
            seen = np.clip(picture + grain, 0, 255).astype(np.uint8)
            container.mux(stream.encode(VideoFrame.from_ndarray(seen, format="yuv420p")))
        container.mux(stream.encode())


def import_torch(_: Path) -> None:
    importlib.import_module("trainer.data.pixels")


@click.command()
@click.option("--episodes", default=8, show_default=True)
@click.option("--frames", default=300, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--noise", default=0.0, show_default=True, help="Grey levels of grain in the pictures.")
def main(episodes: int, frames: int, rounds: int, noise: float) -> None:
    config = TrainingConfig().with_changes({"dataset.min_episodes": 1})
    with TemporaryDirectory(prefix="bench-admission-") as made:
        data, output = Path(made, "set"), Path(made, "data.h5")
        with progress_bar("simulating") as told:
            simulate(data, episodes=episodes, frames=frames, told=told)
        sources = find_episodes(data)
        videos = [source.path / "ego.mp4" for source in sources]
        for video in videos:
            encode_as_usual(video, noise)
        tree = look_through(data)
        parts = [part_of(source, data, tree) for source in sources]
        in_all = partial(in_processes, stop=Stop(), told=hears_nothing)
        keeping = Keeping(output, Path(made, "surveys"))

        def ingest() -> None:
            judgement = judge(data, config, keeping=keeping)
            convert(data, output, config, judgement.verdict.hash, hashes=judgement.hashes)

        def fresh() -> None:
            output.unlink(missing_ok=True)
            discard(output)
            shutil.rmtree(Path(made, "surveys"), ignore_errors=True)
            ingest()

        def quick() -> None:
            for part, video in zip(parts, videos, strict=True):
                count_packets(video)
                read_part(config, part)

        ways: dict[str, Callable[[], object]] = {
            "decode only": lambda: in_all(decode_only, videos),
            "check, deep": lambda: judge(data, config),
            "check + convert": fresh,
            "handed over again": ingest,
            "container": lambda: [count_packets(video) for video in videos],
            "quick tier": quick,
            "start of workers": lambda: in_all(Path.exists, videos),
            "start with torch": lambda: in_all(import_torch, videos),
        }
        if shutil.which("ffmpeg"):
            ways["ffmpeg -f null"] = lambda: [ffmpeg_null(video) for video in videos]
        took = _measured(ways, rounds)
        megabits = sum(video.stat().st_size for video in videos) * 8 / 1e6 / (episodes * frames / 30)
        click.echo(f"{episodes * frames} frames of {megabits:.1f} Mbit/s, {cores()} cores")
        _show(took, episodes * frames)
        click.echo(f"largest worker's own memory while ingesting: {_memory_of(fresh) / 2**20:.0f} MiB")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of processor time, our workers' included."""

    wall: float
    cpu: float


def _measured(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, Took]:
    took: dict[str, list[Took]] = {name: [] for name in ways}
    with progress_bar("measuring") as told:
        for turn in range(rounds):
            for name, way in ways.items():
                began, used = time.perf_counter(), _cpu_s()
                way()
                took[name].append(Took(time.perf_counter() - began, _cpu_s() - used))
            told(turn + 1, rounds)
    return {
        name: Took(min(each.wall for each in found), min(each.cpu for each in found))
        for name, found in took.items()
    }


def _cpu_s() -> float:
    ours = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in ours)


STARTS = {
    "decode only": "start of workers",
    "check, deep": "start of workers",
    "check + convert": "start with torch",
    "handed over again": "start of workers",
}


def _show(took: dict[str, Took], frames: int) -> None:
    limits = [name for name in ("decode only", "ffmpeg -f null") if name in took]
    alone = {
        name: each.cpu - (took[STARTS[name]].cpu if name in STARTS else 0.0) for name, each in took.items()
    }
    click.echo(f"{'':18}{'clock':>9}{'processor':>11}{'frames/s a core':>17}  of: {', '.join(limits)}")
    for name, seconds in alone.items():
        ratios = "  ".join(f"{alone[limit] / seconds:5.2f}" for limit in limits)
        rate = frames / seconds
        click.echo(f"{name:18}{took[name].wall:8.2f}s{seconds:10.2f}s{rate:17.0f}  {ratios}")


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
