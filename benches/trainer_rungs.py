"""The rungs of bench_trainer: what is measured, each with its figures by name."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benches.lerobot_side import lerobot_loader, lerobot_rate
from benches.trainer_scenes import Scene
from protocol.job import RunFolder
from protocol.progress import Progress, Saved, Started, Stepped, read_line
from trainer.learning import device as devices
from trainer.learning import feed as feeds
from trainer.learning import learn
from trainer.learning.feed import Feed
from trainer.learning.history import TrainerState
from trainer.learning.learner import Learner, build
from trainer.learning.pace import Pace
from trainer.learning.passes import pass_by
from trainer.learning.recipe import STOCK, Recipe
from trainer.learning.tuning import options, usual
from trainer.learning.variety import Transform, as_it_is
from trainer.loop.train import train
from trainer.process.attempt import Attempt
from trainer.saving.saves import Saves

type Figures = dict[str, float]


@dataclass(frozen=True)
class Bench:
    """`rounds` turns, each of `steps` steps."""

    scene: Scene
    device: torch.device
    rounds: int
    steps: int
    clock: Callable[[], float] = time.perf_counter

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


# --- the rungs ----------------------------------------------------------------------


class Resident(Feed):
    """A feed whose one batch has been made before."""

    def batch(self, samples: torch.Tensor, varied: Transform = as_it_is) -> dict[str, torch.Tensor]:
        if "made" not in vars(self):
            object.__setattr__(self, "made", super().batch(samples, varied))
        return vars(self)["made"]


def loop(bench: Bench) -> Figures:
    """The loop gathers, normalises, adds up, looks whether to stop, says lines; the bare step does not."""
    feed, learner = bench.feed(), bench.learner().by(usual(bench.device))
    resident = Resident(**vars(feed))
    samples = torch.arange(bench.batch_size, device=bench.device) % len(feed)
    training = bench.scene.config.training
    turn = iter(range(10_000))

    def bare() -> None:
        for _ in range(bench.steps):
            learn.step(learner, resident, samples, training, 0)

    def whole() -> None:
        epochs = 1 + -(-bench.steps * bench.batch_size // len(feed))
        rates.append(rate_of(bench, f"loop-{next(turn)}", epochs))

    rates: list[float] = []
    bare_s = bench.alternately({"bare": bare, "whole": whole})["bare"] / bench.steps
    loop_s = bench.batch_size / statistics.median(rates[1:])
    return {"bare step, s": bare_s, "step in the loop, s": loop_s, "share of the bare step": bare_s / loop_s}


def rate_of(bench: Bench, run: str, epochs: int) -> float:
    """Samples a second of a training by the clock, from its first line to its last epoch's end: with all that
    it does between, the ends of epochs included, but without its first steps and its checkpoint."""
    every = min(epochs, 50)
    changes = {"training.epochs": epochs, "training.save_checkpoint_every": every}
    job = bench.scene.job(run, bench.device.type, **changes)
    train(job, Attempt(RunFolder(job.run).attempt(1)))
    stepped = [line for line in lines(job.run) if isinstance(line, Stepped)]
    first, last = stepped[0], stepped[-1]
    return (last.samples - first.samples) / (last.at - first.at).total_seconds()


def recipes(bench: Bench) -> Figures:
    """Forward, backward and the optimizer's step."""
    feed, learner, stock = bench.feed(), bench.learner(), bench.learner(stock=True)
    samples = torch.arange(bench.batch_size, device=bench.device) % len(feed)
    training = bench.scene.config.training
    tried = {"usual": usual(bench.device)}
    for option in options(bench.device, 0.0):
        name = "+".join(f"{field} {choice}" for field, choice in option.items())
        tried[name] = usual(bench.device).but(**option)

    def by(recipe: Recipe) -> Callable[[], None]:
        one_pass = pass_by(recipe)

        def take() -> None:
            going = learner.by(recipe)
            for number in range(bench.steps):
                learn.step(going, feed, samples, training, number, one_pass)

        return take

    def lerobot() -> None:
        batch = feed.batch(samples)
        for _ in range(bench.steps):
            loss, _said = stock.policy.forward({key: value.contiguous() for key, value in batch.items()})
            loss.backward()
            torch.nn.utils.clip_grad_norm_(stock.policy.parameters(), training.grad_clip_norm).item()
            stock.optimizer.step()
            stock.optimizer.zero_grad()

    took = bench.alternately({"lerobot": lerobot, **{name: by(recipe) for name, recipe in tried.items()}})
    base = took["lerobot"]
    return {"lerobot's step, s": base / bench.steps} | {
        f"times lerobot: {name}": base / seconds for name, seconds in took.items() if name != "lerobot"
    }


def likeness(bench: Bench) -> Figures:
    """Largest difference of the L1, in normalised units, averaged over quarters of the steps."""
    config = bench.scene.config
    stock = course(bench, STOCK, config.training.seed)
    ways = {
        "usual": usual(bench.device),
        "usual in bf16": usual(bench.device).but(precision="bf16", norm="folded"),
    }
    found = {name: course(bench, recipe, config.training.seed) for name, recipe in ways.items()}
    found["another seed"] = course(bench, STOCK, config.training.seed + 1)
    return {f"off the stock course: {name}": float((way - stock).abs().max()) for name, way in found.items()}


def course(bench: Bench, recipe: Recipe, seed: int) -> torch.Tensor:
    """(4,) mean L1 over each quarter of the steps."""
    config = bench.scene.config.with_changes({"training.seed": seed})
    learner = build(config, bench.scene.store().stats, bench.device, fresh=True).by(recipe)
    frames, one_pass, errors = bench.feed(), pass_by(recipe), []
    for number in range(4 * bench.steps):
        seen = number * bench.batch_size
        samples = torch.arange(seen, seen + bench.batch_size, device=bench.device) % len(frames)
        errors.append(
            learn.step(learner, frames, samples, config.training, seen, one_pass).l1_by_action.mean()
        )
    return torch.stack(errors).view(4, -1).mean(1)


def feed(bench: Bench) -> Figures:
    """uint8 images, state, action chunk and pad mask, before normalisation, on both sides."""
    ours = bench.feed()
    generator = torch.Generator().manual_seed(0)

    def batch() -> None:
        samples = torch.randint(len(ours), (bench.batch_size,), generator=generator).to(ours.device)
        ahead, _is_pad = ours.chunks(samples)
        for frames in ours.frames.values():
            frames.index_select(0, samples)
        ours.state.index_select(0, samples)
        ours.action[ahead].contiguous()

    loader = lerobot_loader(bench.scene)
    for _ in range(2):
        next(loader)  # workers start with the first
    rounds = 200
    took = bench.alternately(
        {"lerobot": lambda: next(loader), "ours": lambda: [batch() for _ in range(rounds)]}
    )
    ours_s = took["ours"] / rounds
    return {
        "our samples/s": bench.batch_size / ours_s,
        "lerobot's samples/s": bench.batch_size / took["lerobot"],
        "times lerobot's loader": took["lerobot"] / ours_s,
    }


def whole(bench: Bench) -> Figures:
    """Both after their start: samples a second of all but the first steps, saves not counted."""
    steps = max(8, bench.steps)
    epochs = -(-steps * bench.batch_size // bench.scene.store().num_frames)
    theirs, ours = [], []
    for turn in range(bench.rounds):
        theirs.append(lerobot_rate(bench.scene, bench.device.type, steps, turn))
        ours.append(rate_of(bench, f"whole-{turn}", epochs))
    return {
        "our samples/s": statistics.median(ours),
        "lerobot-train's samples/s": statistics.median(theirs),
        "times lerobot-train": statistics.median(ours) / statistics.median(theirs),
    }


def saves(bench: Bench) -> Figures:
    """One checkpoint of this model, taken while steps go on."""
    feed, learner = bench.feed(), bench.learner().by(usual(bench.device))
    training = bench.scene.config.training
    samples = torch.arange(bench.batch_size, device=bench.device) % len(feed)

    def step() -> None:
        learn.step(learner, feed, samples, training, 0)
        devices.finish(bench.device)

    step()
    quiet_s = statistics.median(seconds_of(step) for _ in range(bench.steps))
    pace, run = Pace(), RunFolder(bench.scene.folder / "saves")
    state = TrainerState(
        episodes=1, frames=len(feed), config=bench.scene.config, certificate="", num_threads=1, versions={}
    )
    meanwhile, written_s = [], 0.0
    with Saves(run, lambda _line: None, pace) as keeper:
        for number in range(bench.rounds):
            began = time.perf_counter()
            keeper.resume_point(learner, state.model_copy(update={"step": number}))
            while keeper.is_busy:
                meanwhile.append(seconds_of(step))
            written_s = time.perf_counter() - began
        keeper.wait()
    pause_s = pace.stood_still_s / bench.rounds
    epoch_s = 25_500 / bench.batch_size * quiet_s
    return {
        "the loop stands still, s": pause_s,
        "until it is written, s": written_s,
        "share of an epoch of 25,500 frames": pause_s / epoch_s,
        "a step meanwhile, times one at rest": statistics.median(meanwhile or [quiet_s]) / quiet_s,
    }


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def start(bench: Bench) -> Figures:
    """Of a process of its own, as the bot starts it."""
    job = bench.scene.job("start", bench.device.type, **{"training.epochs": 1})
    attempt = RunFolder(job.run).attempt(1)
    attempt.job.write_text(job.model_dump_json())
    began = time.time()
    subprocess.run([sys.executable, "-m", "trainer", "run", str(attempt.job)], check=True)
    said = lines(job.run)
    started = next(line for line in said if isinstance(line, Started))
    stepped = next(line for line in said if isinstance(line, Stepped))
    return {
        "to the first word, s": said[0].at.timestamp() - began,
        "to the started line, s": started.at.timestamp() - began,
        "to the first line of progress, s": stepped.at.timestamp() - began,
        "saved, MB": sum(line.size_bytes for line in said if isinstance(line, Saved)) / 1e6,
        "most memory held, MB": started.memory.peak_bytes / 1e6 if started.memory else 0.0,
    }


def lines(run: Path) -> list[Progress]:
    return [read_line(line) for line in RunFolder(run).attempt(1).events.read_bytes().splitlines()]


RUNGS: dict[str, Callable[[Bench], Figures]] = {
    rung.__name__: rung for rung in (loop, recipes, likeness, feed, whole, saves, start)
}
