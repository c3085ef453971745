"""The rung that asks what the loop around a step costs."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from unittest.mock import patch

import torch

from benches.trainer_turns import Bench, Figures, seconds_of
from protocol.folders import RunFolder
from protocol.progress import Line, Stepped
from trainer.learning import device as devices
from trainer.learning import feed as feeds
from trainer.learning import learn, pace
from trainer.learning.feed import Feed
from trainer.learning.learner import Learner
from trainer.learning.tuning import usual
from trainer.learning.variety import Transform, as_it_is
from trainer.loop.train import train
from trainer.process.attempt import Attempt

CPU = torch.device("cpu")

FRAMES = 25_500
"""Of the card's 85 episodes: so many lie between the ends of two epochs."""


class Resident(Feed):
    """A feed whose one batch has been made before."""

    def batch(self, samples: torch.Tensor, varied: Transform = as_it_is) -> dict[str, torch.Tensor]:
        if "made" not in vars(self):
            object.__setattr__(self, "made", super().batch(samples, varied))
        return vars(self)["made"]


def loop(bench: Bench) -> Figures:
    """The loop gathers, normalises, adds up, looks whether to stop, says lines; the bare step does not.

    Both are taken in turns in one training, so that a machine that wavers slows both. Epochs here are short:
    what their ends cost, drawing and all, is measured apart and counted as often as it comes on real data.
    """
    feed, learner = bench.feed(), bench.learner().by(usual(bench.device))
    resident = Resident(**vars(feed))
    samples = torch.arange(bench.batch_size, device=bench.device) % len(feed)
    take = learn.step

    def bare() -> None:
        take(learner, resident, samples, bench.scene.config.training, 0)

    bare()
    _first, *courses = (course_of(bench, f"loop-{number}", bare) for number in range(1 + bench.rounds))
    bare_s = statistics.median(each.bare_s for each in courses)
    step_s = statistics.median(each.step_s for each in courses)
    end_s = statistics.median(each.epoch_end_s for each in courses)
    return {
        "bare step, s": bare_s,
        "step in the loop, s": step_s,
        "an epoch's end, s": end_s,
        "share of the bare step": statistics.median(each.bare_share for each in courses),
        "least share of it": min(each.bare_share for each in courses),
        "of the loop's own time, in the model": statistics.median(each.in_model for each in courses),
        "share of the time frames are waited for": waited_share(bench, learner),
    }


@dataclass(frozen=True)
class Course:
    """In mid-epoch: what a step took, what a bare one did, and the share of the loop's time that was the
    model's: of a step all but the batch. And what an epoch's end took on top of its steps."""

    step_s: float
    bare_s: float
    in_model: float
    epoch_end_s: float
    batch_size: int

    @property
    def bare_share(self) -> float:
        return self.bare_s / (self.step_s + self.epoch_end_s * self.batch_size / FRAMES)


@dataclass(frozen=True)
class Heard:
    """How far a training was when it said a line: the loop's own time, its steps, the model's part of that
    time; and the bare steps beside it."""

    at_s: float
    steps: int
    in_model_s: float
    bare_s: float
    bare_steps: int


@dataclass
class Timed(Attempt):
    """Notes, by finished epochs, when a training said how far it is. After `every` steps come as many bare
    ones, whose time is not the loop's."""

    device: torch.device = CPU
    every: int = 1
    clock: Callable[[], float] = time.perf_counter
    in_model_s: float = 0.0
    bare_s: float = 0.0
    steps: int = 0
    bare_steps: int = 0
    heard: dict[int, list[Heard]] = field(default_factory=dict[int, list[Heard]])

    def say(self, line: Line) -> None:
        if isinstance(line, Stepped):
            at_s = self.clock() - self.bare_s
            heard = Heard(at_s, line.step, self.in_model_s, self.bare_s, self.bare_steps)
            self.heard.setdefault(line.epoch, []).append(heard)
        super().say(line)

    def during[**P, R](self, work: Callable[P, R], sign: int) -> Callable[P, R]:
        """`work`, its time counted as the model's (1), or not as the model's (-1)."""

        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            began = self.clock()
            result = work(*args, **kwargs)
            self.in_model_s += sign * (self.clock() - began)
            return result

        return timed

    def beside[**P, R](self, step: Callable[P, R], bare: Callable[[], None]) -> Callable[P, R]:
        """`step`, followed in its turn by `bare`."""

        def both(*args: P.args, **kwargs: P.kwargs) -> R:
            result = step(*args, **kwargs)
            self.steps += 1
            if self.steps % self.every == 0:
                self._take(bare)
            return result

        return both

    def _take(self, bare: Callable[[], None]) -> None:
        devices.finish(self.device)
        began = self.clock()
        for _ in range(self.every):
            bare()
        devices.finish(self.device)
        self.bare_s += self.clock() - began
        self.bare_steps += self.every


def course_of(bench: Bench, run: str, bare: Callable[[], None]) -> Course:
    """Of a training of three epochs, with lines at each second. A GPU works while it is told what comes next:
    there turns are longer."""
    job = bench.scene.job(
        run, bench.device.type, **{"training.epochs": 3, "training.save_checkpoint_every": 3}
    )
    every = 1 if bench.device.type == "cpu" else bench.steps
    attempt = Timed(RunFolder(job.run).attempt(1), device=bench.device, every=every, clock=bench.clock)
    with (
        patch.object(pace, "LINE_EVERY_S", 1.0),
        patch.object(learn, "step", attempt.beside(attempt.during(learn.step, 1), bare)),
        patch.object(Feed, "batch", attempt.during(Feed.batch, -1)),
    ):
        train(job, attempt)
    first_epoch, (first_end, *_), (second_end, *_) = (attempt.heard[epoch] for epoch in range(3))
    began, ended = first_epoch[0], first_epoch[-1]
    went_s = ended.at_s - began.at_s
    step_s = went_s / (ended.steps - began.steps)
    epoch_s, steps = second_end.at_s - first_end.at_s, second_end.steps - first_end.steps
    return Course(
        step_s=step_s,
        bare_s=(ended.bare_s - began.bare_s) / (ended.bare_steps - began.bare_steps),
        in_model=(ended.in_model_s - began.in_model_s) / went_s,
        epoch_end_s=max(0.0, epoch_s - steps * step_s),
        batch_size=bench.batch_size,
    )


def waited_share(bench: Bench, learner: Learner) -> float:
    frames = bench.feed()
    order = frames.in_order(feeds.epoch_order(len(frames), 0, 0), bench.batch_size)

    def steps() -> None:
        for samples, _ in zip(feeds.steps(order, 0, bench.batch_size), range(bench.steps), strict=False):
            learn.step(learner, frames, samples, bench.scene.config.training, 0)
        devices.finish(bench.device)

    took_s = seconds_of(steps)
    return frames.waits.since_last_s() / took_s
