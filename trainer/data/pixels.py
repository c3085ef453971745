"""From the camera's pictures to the network's: the one way, used for training and for evaluating alike.

It is torchvision's `v2.Resize(size, antialias=True)` on uint8, bit for bit, as LeRobot applies it; a test
holds the two together. It is written out because importing torchvision costs three times as much as torch,
in each converting process anew.
"""

import torch
from torch.nn.functional import interpolate

from trainer.data.store import Frames


def resize(frames: Frames, size: tuple[int, int]) -> Frames:
    """RGB uint8 (N, H, W, 3) to (N, height, width, 3), `size` being height, width."""
    if frames.shape[1:3] == size:
        return frames
    planes = torch.from_numpy(frames).permute(0, 3, 1, 2)
    small = _interpolated(planes, size) if _in_whole_numbers() else _rounded(planes, size)
    return small.permute(0, 2, 3, 1).numpy()


def _in_whole_numbers() -> bool:
    """Whether torch resizes uint8 as it is; torchvision asks the same question of the processor."""
    return torch.backends.cpu.get_cpu_capability() in {"AVX2", "AVX512"}


def _rounded(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return _interpolated(planes.to(torch.float32), size).round_().to(torch.uint8)


def _interpolated(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return interpolate(planes, size=list(size), mode="bilinear", align_corners=False, antialias=True)
