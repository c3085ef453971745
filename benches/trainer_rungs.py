"""The rungs of bench_trainer: what is measured, each with its figures by name."""

import statistics
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from benches.lerobot_side import lerobot_loader
from benches.trainer_loop import loop
from benches.trainer_processes import start, whole
from benches.trainer_turns import Bench, Figures, seconds_of
from protocol.folders import RunFolder
from trainer.learning import device as devices
from trainer.learning import learn
from trainer.learning.feed import Feed
from trainer.learning.history import TrainerState
from trainer.learning.learner import Learner, build
from trainer.learning.pace import Pace
from trainer.learning.passes import pass_by
from trainer.learning.recipe import STOCK, Recipe
from trainer.learning.tuning import COMPILED_FROM_S, Option, options, usual
from trainer.saving.saves import Saves


def recipes(bench: Bench) -> Figures:
    """Forward, backward and the optimizer's step."""
    feed, stock = bench.feed(), bench.learner(stock=True)
    samples = torch.arange(bench.batch_size, device=bench.device) % len(feed)
    training = bench.scene.config.training
    tried = {"usual": usual(bench.device)} | {
        "+".join(f"{field} {choice}" for field, choice in option.items()): usual(bench.device).but(**option)
        for option in ways(bench.device)
    }

    def by(recipe: Recipe) -> Callable[[], None]:
        going, one_pass = (
            bench.learner().by(recipe),
            pass_by(recipe),
        )  # what is compiled belongs to one policy

        def take() -> None:
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
    base, fastest = took["lerobot"], min(took.values())
    work, most = work_of(bench.learner(), feed, samples), products_a_second(bench.device)
    return {"lerobot's step, s": base / bench.steps} | {
        **{f"times lerobot: {name}": base / seconds for name, seconds in took.items() if name != "lerobot"},
        "a step's work, GFLOP": work / 1e9,
        "matrix products in bfloat16, TFLOP/s": most / 1e12,
        "share of that roof, the fastest": work / (fastest / bench.steps) / most,
    }


def ways(device: torch.device) -> list[Option]:
    """What is tried on top of the usual. To compile takes minutes, and pays on a GPU if anywhere."""
    if device.type == "cpu":
        return options(device, 0.0)
    graph, compiled = options(device, COMPILED_FROM_S)
    return [graph, compiled, {**graph, **compiled}]


def work_of(learner: Learner, feed: Feed, samples: torch.Tensor) -> int:
    """Floating point operations of a pass forward and backward, as torch counts them."""
    valid, count = feed.valid_frames(samples), torch.full((), len(samples), device=feed.device)
    with FlopCounterMode(display=False) as counter:
        pass_by(learner.recipe)(learner, feed, samples, valid, count, 0)
    learner.optimizer.zero_grad()
    return counter.get_total_flops()


def products_a_second(device: torch.device) -> float:
    """Operations a second of large matrix products: what nothing that multiplies matrices can exceed."""
    size = 8192 if device.type == "cuda" else 2048
    square = torch.randn(size, size, device=device).bfloat16()  # ones are multiplied with less power

    def multiply() -> None:
        torch.mm(square, square)
        devices.finish(device)

    return 2 * size**3 / min(seconds_of(multiply) for _ in range(5))


def likeness(bench: Bench) -> Figures:
    """Largest difference of the L1, in normalised units, averaged over quarters of the steps."""
    config = bench.scene.config
    stock = course(bench, STOCK, config.training.seed)
    ways = {"usual": usual(bench.device), "usual in bf16": usual(bench.device).but(precision="bf16")}
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
        ours.pictures(samples)
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
    kept, run = Pace(), RunFolder(bench.scene.folder / "saves")
    state = TrainerState(
        episodes=1, frames=len(feed), config=bench.scene.config, certificate="", num_threads=1, versions={}
    )
    meanwhile, written_s = [], 0.0
    with Saves(run, lambda _line: None, kept) as keeper:
        for number in range(bench.rounds):
            began = time.perf_counter()
            keeper.resume_point(learner, state.model_copy(update={"step": number}))
            while keeper.is_busy:
                meanwhile.append(seconds_of(step))
            written_s = time.perf_counter() - began
        keeper.wait()
    pause_s = kept.stood_still_s / bench.rounds
    epoch_s = 25_500 / bench.batch_size * quiet_s
    return {
        "the loop stands still, s": pause_s,
        "until it is written, s": written_s,
        "share of an epoch of 25,500 frames": pause_s / epoch_s,
        "a step meanwhile, times one at rest": statistics.median(meanwhile or [quiet_s]) / quiet_s,
    }


RUNGS: dict[str, Callable[[Bench], Figures]] = {
    rung.__name__: rung for rung in (loop, recipes, likeness, feed, whole, saves, start)
}
