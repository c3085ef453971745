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

    Epochs here are short, so what their ends cost, drawing and all, is measured apart and counted as often as
    it comes on real data.
    """
    feed, learner = bench.feed(), bench.learner().by(usual(bench.device))
    resident = Resident(**vars(feed))
    samples = torch.arange(bench.batch_size, device=bench.device) % len(feed)
    training = bench.scene.config.training
    courses: list[Course] = []

    def bare() -> None:
        for _ in range(bench.steps):
            learn.step(learner, resident, samples, training, 0)

    def whole() -> None:
        courses.append(course_of(bench, f"loop-{len(courses)}"))

    bare_s = bench.alternately({"bare": bare, "whole": whole})["bare"] / bench.steps
    step_s = statistics.median(each.step_s for each in courses[1:])
    end_s = statistics.median(each.epoch_end_s for each in courses[1:])
    return {
        "bare step, s": bare_s,
        "step in the loop, s": step_s,
        "an epoch's end, s": end_s,
        "share of the bare step": bare_s / (step_s + end_s * bench.batch_size / FRAMES),
        "of the loop's own time, in the model": statistics.median(each.in_model for each in courses[1:]),
        "share of the time frames are waited for": waited_share(bench, learner),
    }


@dataclass(frozen=True)
class Course:
    """What a step took in mid-epoch, an epoch's end on top of its steps, and the share of mid-epoch that was
    the model's: of a step all but the batch."""

    step_s: float
    epoch_end_s: float
    in_model: float


type Heard = tuple[float, int, float]


@dataclass
class Timed(Attempt):
    """Notes when a training said how far it is, by finished epochs: the time, its steps, and of that time the
    model's."""

    clock: Callable[[], float] = time.perf_counter
    in_model_s: float = 0.0
    heard: dict[int, list[Heard]] = field(default_factory=dict[int, list[Heard]])

    def say(self, line: Line) -> None:
        if isinstance(line, Stepped):
            heard = self.clock(), line.step, self.in_model_s
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


def course_of(bench: Bench, run: str) -> Course:
    """Of a training of three epochs, with lines at each second."""
    job = bench.scene.job(
        run, bench.device.type, **{"training.epochs": 3, "training.save_checkpoint_every": 3}
    )
    attempt = Timed(RunFolder(job.run).attempt(1), clock=bench.clock)
    with (
        patch.object(pace, "LINE_EVERY_S", 1.0),
        patch.object(learn, "step", attempt.during(learn.step, 1)),
        patch.object(Feed, "batch", attempt.during(Feed.batch, -1)),
    ):
        train(job, attempt)
    mid_epoch, (first_end, *_), (second_end, *_) = (attempt.heard[epoch] for epoch in range(3))
    (began, step, model_then), *_, (ended, last, model_now) = mid_epoch
    step_s = (ended - began) / (last - step)
    epoch_s, steps = second_end[0] - first_end[0], second_end[1] - first_end[1]
    end_s = max(0.0, epoch_s - steps * step_s)
    return Course(step_s, end_s, (model_now - model_then) / (ended - began))


def waited_share(bench: Bench, learner: Learner) -> float:
    frames = bench.feed()
    order = feeds.epoch_order(len(frames), 0, 0).to(bench.device)

    def steps() -> None:
        for samples, _ in zip(feeds.steps(order, 0, bench.batch_size), range(bench.steps), strict=False):
            learn.step(learner, frames, samples, bench.scene.config.training, 0)
        devices.finish(bench.device)

    took_s = seconds_of(steps)
    return frames.waits.since_last_s() / took_s
