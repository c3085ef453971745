"""What the rungs of bench_trainer share: turns, what learns, how fast a training went by its lines."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benches.trainer_scenes import Scene
from protocol.folders import RunFolder
from protocol.progress import Progress, read_line
from trainer.learning import device as devices
from trainer.learning import feed as feeds
from trainer.learning.feed import Feed
from trainer.learning.learner import Learner, build

type Figures = dict[str, float]


@dataclass(frozen=True)
class Bench:
    """`rounds` turns, each of `steps` steps."""

    scene: Scene
    device: torch.device
    rounds: int
    steps: int
    by_processor: bool = False

    def clock(self) -> float:
        return time.process_time() if self.by_processor else time.perf_counter()

    def clock_of(self, process: int) -> float:
        """The same for another process and those it has started."""
        return processor_s(process) if self.by_processor else time.perf_counter()

    @property
    def batch_size(self) -> int:
        return self.scene.config.training.batch_size

    def feed(self) -> Feed:
        return feeds.load(self.scene.store(), self.scene.config.policy.chunk_size, self.device)

    def learner(self, *, stock: bool = False) -> Learner:
        stats = self.scene.store().stats
        return build(self.scene.config, stats, self.device, fresh=True, stock=stock)

    def alternately(self, ways: dict[str, Callable[[], object]]) -> dict[str, float]:
        """Median seconds of each way, the first turn not counted."""
        took: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(1 + self.rounds):
            for name, way in ways.items():
                began = self.clock()
                way()
                devices.finish(self.device)
                if turn:
                    took[name].append(self.clock() - began)
        return {name: statistics.median(seconds) for name, seconds in took.items()}


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def processor_s(process: int) -> float:
    """What a process and all below it have had of the processors."""
    stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    below = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ticks = sum(int(each) for each in stat[11:15])  # utime, stime, and those of children that have ended
    return ticks / os.sysconf("SC_CLK_TCK") + sum(processor_s(int(child)) for child in below)


def lines(run: Path) -> list[Progress]:
    """All it has said; nothing before its first word."""
    events = RunFolder(run).attempt(1).events
    return [read_line(line) for line in events.read_bytes().splitlines()] if events.exists() else []
