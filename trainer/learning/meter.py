"""Sums over an epoch, kept on the device: reading them waits for it, adding to them does not."""

import torch
from torch import Tensor

from trainer.learning.feed import Feed
from trainer.learning.history import Running
from trainer.learning.learn import StepMeans

SCALARS = ("loss", "kl", "grad_norm", "clipped")


class Meter:
    """Adds up optimizer steps in float64, so a resumed epoch and an unbroken one end on the same bits.

    From the first step on that is not finite nothing is added: the sums are those of the steps before it.
    """

    def __init__(self, feed: Feed, running: Running) -> None:
        start = [getattr(running, name) for name in SCALARS]
        start += running.l1_by_action or [0.0] * feed.num_actions
        self._means_end = len(start)
        start += running.l1_by_episode or [0.0] * feed.num_episodes
        self._sums = torch.tensor(start, dtype=torch.float64, device=feed.device)
        self._sound = torch.ones((), dtype=torch.bool, device=feed.device)
        self._missing = torch.zeros(2, dtype=torch.int64, device=feed.device)  # steps, samples
        self._episode, self._shares = feed.episode, feed.episode_shares()
        self.samples = running.samples
        self.steps = running.steps

    def add(self, means: StepMeans, samples: Tensor, clip: float) -> None:
        """One optimizer step over `samples` (B,), its gradient clipped to the norm `clip`."""
        count, norm = len(samples), means.grad_norm
        self._sound &= torch.isfinite(norm) & torch.isfinite(means.loss)
        self._missing += torch.stack((~self._sound, ~self._sound * count))
        scalars = torch.stack((means.loss * count, means.kl * count, norm, norm > clip))
        self._sums[: self._means_end] += self._if_sound(torch.cat((scalars, means.l1_by_action * count)))
        by_episode = self._sums[self._means_end :]
        shares = self._if_sound(means.l1_by_sample * self._shares[samples])
        by_episode.index_add_(0, self._episode[samples], shares)
        self.samples += count
        self.steps += 1

    @property
    def is_sound(self) -> bool:
        return bool(self._sound)

    def read(self) -> Running:
        """The sums over the sound steps."""
        values = self._sums.tolist()
        steps, samples = self._missing.tolist()
        return Running(
            samples=self.samples - samples,
            steps=self.steps - steps,
            **dict(zip(SCALARS, values, strict=False)),
            l1_by_action=tuple(values[len(SCALARS) : self._means_end]),
            l1_by_episode=tuple(values[self._means_end :]),
        )

    def _if_sound(self, values: Tensor) -> Tensor:
        return torch.where(self._sound, values, 0)
