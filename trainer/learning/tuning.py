"""Which recipe suits the device, decided by trying: the real pass over a real batch, before the first step.

A short training is not worth the trying and takes what usually suits. Whatever cannot be done here, say a
compilation without a compiler, is left out with a line in the log.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import torch

from trainer.learning import device as devices
from trainer.learning.feed import Feed
from trainer.learning.learner import Learner
from trainer.learning.passes import pass_by
from trainer.learning.recipe import STOCK, Recipe
from trainer.process.attempt import JobError, Told, hears_nothing

TRIED_FROM_S = 1800.0
"""Trainings that would take at least so long: trying takes seconds, and gains tenths."""

COMPILED_FROM_S = 6 * 3600.0
"""A compilation takes two minutes, and again in each process that goes on."""

ROUNDS = 3
WORTH = 0.96
"""A change is made when it takes less than this share of the time: a busy machine wavers by hundredths."""

log = logging.getLogger(__name__)

type Option = Mapping[str, str]


def usual(device: torch.device) -> Recipe:
    """What suits such devices on the whole. On a GPU every kernel saved counts; on a CPU memory that is gone
    through once less does, and bfloat16 is another rounding that only some CPUs are fast at."""
    fewer_kernels = STOCK.but(device=devices.name(device), positions="cached")
    if device.type == "cuda":
        return fewer_kernels.but(attention="sdpa", precision="bf16", norm="folded")
    return fewer_kernels.but(
        attention="plain", dropout="bits", convolution="product", norm="fused", clipping="fused"
    )


def options(device: torch.device, forecast_s: float) -> list[Option]:
    """What else may be faster, in the order of trying."""
    tried: list[Option] = []
    if device.type == "cuda":
        tried += [{"launch": "graph"}]
    else:
        tried += [{"precision": "bf16"}] if has_bf16() else []
        tried += [{"norm": "folded"}, {"attention": "sdpa"}, {"convolution": "stock"}]
    # The compiler has a dropout of its own; of ours it does not know how random bits are drawn.
    compiled = {"kernels": "compiled", "dropout": "stock"}
    return tried + ([compiled] if forecast_s >= COMPILED_FROM_S else [])


def has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 itself; emulated it is many times slower than float32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001  no public way


@dataclass(frozen=True)
class Onlookers:
    """Who follows a trial, which on a slow device takes minutes. `told` hears how many options have been
    tried, of how many; `look` is called before each pass and may raise JobError: we are asked to leave."""

    told: Told = hears_nothing
    look: Callable[[], None] = lambda: None


NOBODY = Onlookers()


def chosen(
    best: Recipe,
    best_s: float | None,
    tried: Sequence[Option],
    took: Callable[[Recipe], float | None],
    told: Told = hears_nothing,
) -> Recipe:
    """The best of `best`, which takes `best_s`, and each option on top of the best so far. `took`: seconds
    a pass; None: it is not possible.

    What wins is compared once more with the best so far: perhaps only the machine had become quiet.
    """

    def wins(seconds: float | None, against: float | None) -> bool:
        return against is None or (seconds is not None and seconds < WORTH * against)

    for number, option in enumerate(tried):
        told(number, len(tried))
        candidate = best.but(**option)
        candidate_s = took(candidate)
        if wins(candidate_s, best_s) and wins(candidate_s, best_s and took(best)):
            best, best_s = candidate, candidate_s
    told(len(tried), len(tried))
    return best


def tuned(
    learner: Learner, feed: Feed, batch_size: int, passes_left: int, onlookers: Onlookers = NOBODY
) -> Recipe:
    """For a training of so many passes of `batch_size` samples still to come.

    Raises:
        JobError: what `onlookers` raise.
    """
    start = usual(feed.device)
    took = stopwatch(learner, feed, batch_size, onlookers.look)
    once_s = took(start)
    if once_s is None or once_s * passes_left < TRIED_FROM_S:
        return start
    return chosen(start, once_s, options(feed.device, once_s * passes_left), took, onlookers.told)


def stopwatch(
    learner: Learner, feed: Feed, batch_size: int, look: Callable[[], None]
) -> Callable[[Recipe], float | None]:
    def took(recipe: Recipe) -> float | None:
        seconds = pass_s(learner, feed, batch_size, recipe, look)
        log.info("%s: %s a pass", recipe, "not possible" if seconds is None else f"{seconds:.4f} s")
        return seconds

    return took


def pass_s(
    learner: Learner, feed: Feed, batch_size: int, recipe: Recipe, look: Callable[[], None]
) -> float | None:
    """The fastest of some passes by `recipe`, the first not counted; None if it cannot be done."""
    try:
        return min(_seconds(learner.by(recipe), feed, batch_size, look))
    except JobError:
        raise
    except Exception as error:
        log.warning("%s is left out: %s: %.300s", recipe, type(error).__name__, error)
        return None
    finally:
        learner.optimizer.zero_grad()


def _seconds(learner: Learner, feed: Feed, batch_size: int, look: Callable[[], None]) -> Iterator[float]:
    """Both sizes that an epoch has are tried, the short one once: what fails must fail here."""
    one_pass = pass_by(learner.recipe)

    def timed(size: int) -> float:
        samples = torch.arange(size, device=feed.device) % len(feed)
        valid, count = feed.valid_frames(samples), torch.full((), size, device=feed.device)
        look()
        began = perf_counter()
        one_pass(learner, feed, samples, valid, count, 0)
        devices.finish(feed.device)
        return perf_counter() - began

    timed(max(1, batch_size // 2))
    timed(batch_size)
    return (timed(batch_size) for _ in range(ROUNDS))
