"""How fast a data set is admitted, as ratios to what decoding alone costs on the same core in the same run.

    python benches/bench_admission.py
    python benches/bench_admission.py --grain 2.15 --episodes 8 --frames 300

The grain in the pictures, in grey levels, sets the bitrate (0: 0.4 Mbit/s, 2.15: 0.8, 2.8: 2, 4: 9). The more
bits, the slower to decode, while what comes after costs the same.

Every figure is the least of rounds in which all ways take turns, in this one process: no start of a worker is
in it. Ratios are of processor time, which a busy machine stretches less than the clock. ffmpeg is started for
each file anew; the last ratio leaves that out. `bare calls` are what no way of ours could do without, as long
as pixels are to be LeRobot's own: decode, RGB at full size, resize, and nothing done with it. The last two
lines are of the real thing, with workers and their starts.
"""

import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from unittest.mock import patch

import av
import click
import numpy as np
import torch
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from torch.nn.functional import interpolate

from protocol.training import TrainingConfig
from trainer.checking.check import Keeping, judge
from trainer.checking.reading import part_of, read_part
from trainer.converting.convert import convert
from trainer.converting.draft import discard
from trainer.data.episodes import find_episodes
from trainer.data.tree import look_through
from trainer.data.video import count_packets
from trainer.process.attempt import Stop, Told
from trainer.process.bar import progress_bar
from trainer.process.workers import Crew, cores
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


def start_ffmpeg(_: Path) -> None:
    command = ["ffmpeg", "-v", "error", "-version"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def bare_calls(path: Path, *, resized: bool = True) -> None:
    """LeRobot's own pixels with the least that can be called for them."""
    reformatter = VideoReformatter()
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for frame in container.decode(stream):
            _bare_call(frame, reformatter, resized)


def _bare_call(frame: VideoFrame, reformatter: VideoReformatter, resized: bool) -> None:
    """What is made here is gone when the next one is made: two at a time would not fit into the cache."""
    rgb = reformatter.reformat(frame, frame.width, frame.height, "rgb24").to_ndarray()
    if resized:
        planes = torch.from_numpy(rgb.reshape(1, *rgb.shape)).permute(0, 3, 1, 2)
        interpolate(planes, size=[224, 224], mode="bilinear", antialias=True)


def encode_as_usual(path: Path, grain: float = 0.0) -> None:
    """With x264's own defaults: the simulator's own videos are made fast, and are decoded twice as fast."""
    planes, rng = planes_of(path, 640, 480), np.random.default_rng(0)
    with av.open(path, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "medium", "crf": "20"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for picture in planes:
            speckle = rng.normal(0, grain, picture.shape) if grain else 0
            seen = np.clip(picture + speckle, 0, 255).astype(np.uint8)
            container.mux(stream.encode(VideoFrame.from_ndarray(seen, format="yuv420p")))
        container.mux(stream.encode())


class Alone(Crew):
    """Works off here and now what a crew of processes would share."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def do[Item, Result](
        self, work: Callable[[Item], Result], items: Sequence[Item], *, told: Told
    ) -> list[Result]:
        del told
        return [work(item) for item in items]


@contextmanager
def alone(items: int, stop: Stop) -> Iterator[Alone]:
    del items
    yield Alone(stop)


@click.command()
@click.option("--episodes", default=8, show_default=True)
@click.option("--frames", default=300, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--grain", default=(0.0, 2.15, 2.8, 4.0), show_default=True, multiple=True)
def main(episodes: int, frames: int, rounds: int, grain: tuple[float, ...]) -> None:
    torch.set_num_threads(1)
    with TemporaryDirectory(prefix="bench-admission-") as made:
        plain = Path(made, "plain")
        with progress_bar("simulating") as told:
            simulate(plain, episodes=episodes, frames=frames, told=told)
        for each in grain:
            data = Path(made, f"grain-{each:g}", "set")
            shutil.copytree(plain, data)
            for video in data.glob("*/ego.mp4"):
                encode_as_usual(video, each)
            _bench(data, episodes * frames, rounds)


def _bench(data: Path, frames: int, rounds: int) -> None:
    config = TrainingConfig().with_changes({"dataset.min_episodes": 1})
    output, surveys = data.with_name("data.h5"), data.with_name("surveys")
    sources = find_episodes(data)
    videos = [source.path / "ego.mp4" for source in sources]
    tree = look_through(data)
    parts = [part_of(source, data, tree) for source in sources]

    def ingest() -> None:
        judgement = judge(data, config, keeping=Keeping(output, surveys))
        convert(data, output, config, judgement.verdict.hash, hashes=judgement.hashes)

    def fresh() -> None:
        output.unlink(missing_ok=True)
        discard(output)
        shutil.rmtree(surveys, ignore_errors=True)
        ingest()

    def quick() -> None:
        for part, video in zip(parts, videos, strict=True):
            count_packets(video)
            read_part(config, part)

    ways: dict[str, Callable[[], object]] = {
        "decode only": lambda: [decode_only(video) for video in videos],
        "decode + RGB": lambda: [bare_calls(video, resized=False) for video in videos],
        "bare calls": lambda: [bare_calls(video) for video in videos],
        "check, deep": lambda: judge(data, config),
        "check + convert": fresh,
        "handed over again": ingest,
        "container": lambda: [count_packets(video) for video in videos],
        "quick tier": quick,
    }
    if shutil.which("ffmpeg"):
        ways["ffmpeg -f null"] = lambda: [ffmpeg_null(video) for video in videos]
        ways["start of ffmpeg"] = lambda: [start_ffmpeg(video) for video in videos]
    with patch("trainer.checking.check.crew", alone):
        took = _measured(ways, rounds)
    size = sum(video.stat().st_size for video in videos)
    click.echo(f"\n{frames} frames of {size * 8 / 1e6 / (frames / 30):.1f} Mbit/s")
    _show(took, frames, size)
    began = time.perf_counter()
    memory = _memory_of(fresh) / 2**20
    click.echo(
        f"check + convert, {cores()} cores, with starts: {time.perf_counter() - began:.2f}s by the clock"
    )
    click.echo(f"largest worker's own memory in it: {memory:.0f} MiB")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of processor time, ffmpeg's included."""

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


def _show(took: dict[str, Took], frames: int, size: int) -> None:
    """A line a way; its shares are of what each of the limits takes."""
    limits = {name: took[name].cpu for name in ("bare calls", "decode only")}
    if "ffmpeg -f null" in took:
        limits["ffmpeg -f null"] = took["ffmpeg -f null"].cpu
        limits["less its start"] = took["ffmpeg -f null"].cpu - took["start of ffmpeg"].cpu
    click.echo(
        f"{'':18}{'clock':>9}{'processor':>11}{'frames/s a core':>17}{'MB/s':>7}  of: {', '.join(limits)}"
    )
    for name, each in took.items():
        shares = "  ".join(f"{limit / each.cpu:5.2f}" for limit in limits.values())
        rates = f"{frames / each.cpu:17.0f}{size / 1e6 / each.cpu:7.1f}"
        click.echo(f"{name:18}{each.wall:8.2f}s{each.cpu:10.2f}s{rates}  {shares}")


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
    """Of a child that is about to become a worker the memory is still ours."""
    try:
        if Path(f"/proc/{process}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes():
            return 0
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


if __name__ == "__main__":
    main()
