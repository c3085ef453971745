"""`loss_curve.png`: the course of the loss, drawn beside the training and never in its way."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from trainer.learning.history import Best, Epoch
from trainer.process.background import step_back

DRAW_EVERY_S = 10.0
DRAW_SHARE = 0.005
"""Of a core's time, at most, for drawing: with two cores that learn, what one draws the other waits for."""
LOG_SCALE_FROM = 5.0
"""Losses that differ by more than this factor are drawn on a logarithmic scale."""

log = logging.getLogger(__name__)


@dataclass
class Curve:
    """Draws at most every DRAW_EVERY_S and no more than DRAW_SHARE of the time, in a thread; a drawing that
    fails is logged and harms nothing."""

    path: Path
    checkpoint_every: int
    channels: tuple[str, ...] = ()
    clock: Callable[[], float] = time.monotonic
    _drawn_at: float = float("-inf")
    _took_s: float = 0.0
    _drawing: Future[None] | None = None
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "curve", initializer=step_back)
    )

    def offer(self, history: Sequence[Epoch], best: Best | None) -> None:
        """An epoch has ended."""
        busy = self._drawing is not None and not self._drawing.done()
        every_s = max(DRAW_EVERY_S, self._took_s / DRAW_SHARE)
        if not busy and self.clock() - self._drawn_at >= every_s:
            self._drawn_at = self.clock()
            self._drawing = self._thread.submit(self._draw, tuple(history), best)

    def finish(self, history: Sequence[Epoch], best: Best | None) -> None:
        """The last word: wait until it is drawn."""
        self._thread.submit(self._draw, tuple(history), best).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=True)

    def _draw(self, history: Sequence[Epoch], best: Best | None) -> None:
        try:
            import matplotlib.backends.backend_agg  # noqa: F401, PLC0415  a second or two, once: not of a drawing

            began = time.thread_time()
            draw(self.path, history, best, self.checkpoint_every, self.channels)
            self._took_s = time.thread_time() - began
        except Exception:
            log.exception("%s could not be drawn", self.path)


def draw(
    path: Path,
    history: Sequence[Epoch],
    best: Best | None,
    checkpoint_every: int,
    channels: tuple[str, ...] = (),
) -> None:
    """Total loss and L1 over the epochs, each action channel's thin beside it, the best epoch and the
    checkpoints marked, as PNG at `path`; beside them the error on held-out episodes, where there are any."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  a second, only when drawing
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    measured = [
        (at, one.held_out_l1) for at, one in enumerate(history, start=1) if one.held_out_l1 is not None
    ]
    figure = Figure(figsize=(14 if measured else 8, 5), dpi=120, layout="constrained")
    axes, *beside = figure.subplots(1, 2 if measured else 1, squeeze=False)[0]
    epochs = range(1, len(history) + 1)
    losses = [epoch.loss for epoch in history]
    axes.plot(epochs, losses, label="loss (L1 + KL)", color="tab:blue")
    axes.plot(epochs, [epoch.l1 for epoch in history], label="L1", color="tab:orange")
    for at, channel in enumerate(channels):
        errors = [epoch.l1_by_action[at] for epoch in history]
        axes.plot(epochs, errors, label=f"L1, {channel}", color=f"C{at + 4}", linewidth=0.8)
    saved = [epoch for epoch in epochs if epoch % checkpoint_every == 0 or epoch == len(history)]
    axes.plot(saved, [losses[epoch - 1] for epoch in saved], "o", label="checkpoint", color="tab:blue", ms=4)
    if best is not None:
        axes.plot(
            [best.epoch],
            [best.loss],
            "*",
            label=f"best: epoch {best.epoch}, {best.loss:.4g}",
            color="tab:red",
            ms=12,
        )
    if losses and min(losses) > 0 and max(losses) > LOG_SCALE_FROM * min(losses):
        axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel="mean over the epoch, normalised units", title="ACT training")
    for other in beside:
        other.plot(*zip(*measured, strict=True), "o-", label="L1, held-out episodes", color="tab:green", ms=4)
        other.set(
            xlabel="epoch", ylabel="L1, action units", title="Episodes not trained on", xlim=axes.get_xlim()
        )
        if best is not None and best.held_out_l1 is not None:
            told = f"best: epoch {best.epoch}, {best.held_out_l1:.4g}"
            other.plot([best.epoch], [best.held_out_l1], "*", label=told, color="tab:red", ms=12)
    for each in (axes, *beside):
        each.xaxis.set_major_locator(MaxNLocator(integer=True))
        each.grid(visible=True, which="both", alpha=0.3)
        each.legend()
    unfinished = path.with_name(f".{path.name}.tmp")
    FigureCanvasAgg(figure).print_png(str(unfinished))
    unfinished.replace(path)
