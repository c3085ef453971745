"""Sums over an epoch, kept on the device: reading them waits for it, adding to them does not."""

import torch

from trainer.history import Running
from trainer.learn import StepMeans

SCALARS = ("loss", "kl", "grad_norm", "clipped")


class Meter:
    """Adds up optimizer steps in float64, so a resumed epoch and an unbroken one end on the same bits."""

    def __init__(self, actions: int, device: torch.device, running: Running) -> None:
        start = [getattr(running, name) for name in SCALARS]
        start += running.l1_by_action or [0.0] * actions
        self._sums = torch.tensor(start, dtype=torch.float64, device=device)
        self.samples = running.samples
        self.steps = running.steps

    def add(self, means: StepMeans, samples: int, clip: float) -> None:
        """One optimizer step over `samples` samples, its gradient clipped to the norm `clip`."""
        norm = means.grad_norm
        scalars = torch.stack((means.loss * samples, means.kl * samples, norm, norm > clip))
        self._sums += torch.cat((scalars, means.l1_by_action * samples))
        self.samples += samples
        self.steps += 1

    def read(self) -> Running:
        values = self._sums.tolist()
        return Running(
            samples=self.samples,
            steps=self.steps,
            **dict(zip(SCALARS, values, strict=False)),
            l1_by_action=tuple(values[len(SCALARS) :]),
        )
