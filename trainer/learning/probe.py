"""Is the device usable? Asked before any data work, by doing on it what training does: a step of learning."""

import torch
from torch import nn

from protocol.job import Probed, ProbeJob
from trainer.learning import device as devices


def probe(job: ProbeJob) -> Probed:
    """Take one small step on the device.

    Raises:
        JobError: no_device, naming the driver and torch.
    """
    device = devices.pick(job.device)
    try:
        _step(device)
    except RuntimeError as error:
        raise devices.unusable(error) from error
    return Probed(device=devices.name(device), gpu=devices.gauge(device))


def _step(device: torch.device) -> None:
    layer = nn.Conv2d(3, 8, 3).to(device)
    layer(torch.rand(2, 3, 16, 16, device=device)).square().mean().backward()
    torch.optim.AdamW(layer.parameters()).step()
