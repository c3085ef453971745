"""Where a training is and how it came there: pure values, in each checkpoint as `trainer_state.json`."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from protocol.training import TrainingConfig
from trainer.learning.recipe import STOCK, Recipe

EPISODES_LATELY = 5


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Epoch(Value):
    """Means over an epoch, each sample counting the same. Errors are in normalised units.

    `grad_norm` is the mean over the optimizer steps, before clipping; `clipped_share` of them were clipped.
    `held_out_l1` is the error on held-out episodes after the epoch, in action units, where there are any and
    it was looked at.
    """

    loss: float
    l1: float
    kl: float
    l1_by_action: tuple[float, ...]
    grad_norm: float
    clipped_share: float
    held_out_l1: float | None = None

    @property
    def by(self) -> float:
        """What it is compared by: the error on held-out episodes, or where none was looked at, the loss."""
        return self.loss if self.held_out_l1 is None else self.held_out_l1


class Running(Value):
    """Sums over the part of an epoch that has been seen. Exact, so a resumed epoch has the same mean.

    `l1_by_episode` become means once every sample was seen; an older version's save has none of them.
    """

    samples: int = 0
    steps: int = 0
    loss: float = 0.0
    kl: float = 0.0
    grad_norm: float = 0.0
    clipped: float = 0.0
    l1_by_action: tuple[float, ...] = ()
    l1_by_episode: tuple[float, ...] = ()

    def mean(self) -> Epoch:
        """What the epoch was like on average; it has had a step."""
        l1_by_action = tuple(total / self.samples for total in self.l1_by_action)
        return Epoch(
            loss=self.loss / self.samples,
            l1=sum(l1_by_action) / len(l1_by_action),
            kl=self.kl / self.samples,
            l1_by_action=l1_by_action,
            grad_norm=self.grad_norm / self.steps,
            clipped_share=self.clipped / self.steps,
        )


class Best(Value):
    """The epoch of the lowest mean loss, or where episodes are held out, of the lowest error on those; `step`
    is where it ended."""

    epoch: int
    step: int
    loss: float
    held_out_l1: float | None = None


def _last_of(history: tuple[Epoch, ...], step: int) -> Best:
    last = history[-1]
    return Best(epoch=len(history), step=step, loss=last.loss, held_out_l1=last.held_out_l1)


class TrainerState(Value):
    """All of a training but the tensors. `step` counts optimizer steps, `running` is the unfinished epoch.

    `l1_by_episode` are each episode's mean errors, of the last EPISODES_LATELY epochs alone: all of them
    would outgrow the rest. `episodes` and `frames` are those trained on; `held_out` names the other episodes.
    """

    format: Literal[1] = 1
    step: int = 0
    running: Running = Running()
    history: tuple[Epoch, ...] = ()
    best: Best | None = None
    said: tuple[str, ...] = ()
    l1_by_episode: tuple[tuple[float, ...], ...] = ()
    episodes: int
    frames: int
    held_out: tuple[str, ...] = ()
    config: TrainingConfig
    journal: tuple[str, ...] = ()
    certificate: str
    num_threads: int
    recipe: Recipe = STOCK
    reference: bool = False
    versions: dict[str, str]

    @property
    def epoch(self) -> int:
        """Finished epochs."""
        return len(self.history)

    @property
    def samples(self) -> int:
        """Seen since the very beginning, each epoch's anew."""
        return self.epoch * self.frames + self.running.samples

    @property
    def epochs_left(self) -> range:
        """Those still to be taken, the running one included. It is finished also where `epochs` were lowered
        meanwhile: what stands in the middle of an epoch is never kept as a checkpoint."""
        return range(self.epoch, max(self.config.training.epochs, self.epoch + bool(self.running.samples)))

    @property
    def samples_left(self) -> int:
        return len(self.epochs_left) * self.frames - self.running.samples

    @property
    def is_done(self) -> bool:
        return not self.epochs_left

    @property
    def best_epoch(self) -> int:
        """The best epoch's number. Where its weights are gone nothing is the `best`; this one was."""
        if self.best is not None:
            return self.best.epoch
        looked_at = [number for number, each in enumerate(self.history) if each.held_out_l1 is not None]
        return 1 + min(looked_at or range(self.epoch), key=lambda number: self.history[number].by)

    def with_the_last_as_best(self) -> Self:
        """Where the best weights are gone, and no epoch is left to become the best."""
        return self.model_copy(update={"best": _last_of(self.history, self.step)})

    def during(self, running: Running, step: int) -> Self:
        return self.model_copy(update={"running": running, "step": step})

    @property
    def held_out_is_due(self) -> bool:
        """Whether the epoch that ends now is to be followed by a look at the episodes held out."""
        ending, every = self.epoch + 1, self.config.dataset.holdout_every
        return bool(self.held_out) and (ending % every == 0 or ending >= self.config.training.epochs)

    def after_epoch(self, held_out_l1: float | None = None) -> Self:
        """The running epoch is finished. The first of equals is the best."""
        mean = self.running.mean().model_copy(update={"held_out_l1": held_out_l1})
        history = (*self.history, mean)
        best = self.best
        if bool(self.held_out) == (held_out_l1 is not None):
            now = _last_of(history, self.step)
            best = now if best is None or mean.by < history[best.epoch - 1].by else best
        lately = (*self.l1_by_episode, self.running.l1_by_episode)[-EPISODES_LATELY:]
        ended = {"running": Running(), "history": history, "best": best, "l1_by_episode": lately}
        return self.model_copy(update=ended)

    def having_said(self, facts: tuple[str, ...]) -> Self:
        return self.model_copy(update={"said": (*self.said, *facts)})
