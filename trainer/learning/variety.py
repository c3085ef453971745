"""Pictures varied while a policy learns: LeRobot's image transforms, for a whole batch at once.

The same transforms in the same ranges, drawn alike: for each picture a random few of those chosen, in
LeRobot's order, each by a random amount. LeRobot takes picture after picture through torchvision; here each
picture's amount is an entry of a vector, so a step costs a fixed number of kernels, however large its batch.
All that is random comes from torch's generator of the device, which each pass seeds anew: so the same samples
of a run are varied in the same way, whatever happened in between. No tensor is brought from the host: a CUDA
graph may hold all of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi
from types import MappingProxyType

import torch
import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it
from lerobot.transforms import ImageTransformsConfig
from torch import Tensor

from protocol.training import DatasetConfig

type Transform = Callable[[Tensor], Tensor]
"""From pictures (B, 3, H, W), 0 to 1, to as many others."""

GREY = (0.2989, 0.587, 0.114)
"""torchvision's weights of red, green and blue."""

RANGES = {name: dict(one.kwargs) for name, one in ImageTransformsConfig().tfs.items()}
"""LeRobot's own, by its names."""


def as_it_is(pictures: Tensor) -> Tensor:
    return pictures


@dataclass(frozen=True)
class Varied:
    """At most `most` of the transforms `names` for each picture."""

    names: tuple[str, ...]
    most: int

    def __call__(self, pictures: Tensor) -> Tensor:
        count, num_names = len(pictures), len(self.names)
        places = torch.rand(count, num_names, device=pictures.device).argsort(1).argsort(1)
        for name, place in zip(self.names, places.T, strict=True):
            drawn = (place < self.most)[:, None, None, None]
            pictures = torch.where(drawn, TRANSFORMS[name](pictures), pictures)
        return pictures


def variety(config: DatasetConfig) -> Transform:
    if not config.image_transforms:
        return as_it_is
    return Varied(config.image_transforms, min(config.max_num_transforms, len(config.image_transforms)))


def lerobot_s(config: DatasetConfig) -> ImageTransformsConfig:
    """The same wish in lerobot-train's own config."""
    all_of_them = ImageTransformsConfig().tfs
    return ImageTransformsConfig(
        enable=bool(config.image_transforms),
        max_num_transforms=config.max_num_transforms,
        tfs={name: all_of_them[name] for name in config.image_transforms} or all_of_them,
    )


# --- each with its amount ---------------------------------------------------------


def brightened(pictures: Tensor, factor: Tensor) -> Tensor:
    """`factor` (B,), here as below: 1 leaves a picture as it is."""
    return _blended(pictures, torch.zeros_like(pictures), factor)


def contrasted(pictures: Tensor, factor: Tensor) -> Tensor:
    return _blended(pictures, _grey(pictures).mean((2, 3), keepdim=True), factor)


def saturated(pictures: Tensor, factor: Tensor) -> Tensor:
    return _blended(pictures, _grey(pictures), factor)


def sharpened(pictures: Tensor, factor: Tensor) -> Tensor:
    """Against a blur by the neighbours; the outermost pixels have not got them all, and stay."""
    kernel = torch.ones(3, 3, device=pictures.device)
    kernel[1, 1] = 5
    soft = pictures.clone()
    soft[:, :, 1:-1, 1:-1] = F.conv2d(pictures, (kernel / kernel.sum()).expand(3, 1, 3, 3), groups=3)
    return _blended(pictures, soft, factor)


def tinted(pictures: Tensor, turn: Tensor) -> Tensor:
    """Hues turned by `turn` (B,) of the circle: https://en.wikipedia.org/wiki/HSL_and_HSV#HSV_to_RGB_alternative"""
    red, green, blue = pictures.unbind(1)
    most, least = pictures.amax(1), pictures.amin(1)
    chroma = most - least
    over = chroma.clamp_min(torch.finfo(pictures.dtype).tiny)
    hue = torch.where(most == red, (green - blue) / over % 6, (red - green) / over + 4)
    hue = torch.where((most == green) & (most != red), (blue - red) / over + 2, hue)
    hue = torch.where(chroma == 0, 0, hue) + 6 * turn[:, None, None]
    from_red = 5 - 2 * torch.arange(3, device=pictures.device)[:, None, None]
    away = ((from_red + hue[:, None]) % 6).clamp(0, 4)
    return most[:, None] - chroma[:, None] * torch.minimum(away, 4 - away).clamp(0, 1)


def moved(pictures: Tensor, angle: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Turned by `angle` degrees, then moved by whole pixels, each (B,); what comes in is black."""
    height, width = pictures.shape[2:]
    sine, cosine = torch.sin(angle * pi / 180), torch.cos(angle * pi / 180)
    # affine_grid asks where a pixel comes from, and counts from -1 to 1 along either side
    back_x, back_y = cosine * right + sine * down, cosine * down - sine * right
    rows = (
        torch.stack((cosine, sine * height / width, -2 * back_x / width), 1),
        torch.stack((-sine * width / height, cosine, -2 * back_y / height), 1),
    )
    grid = F.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, mode="nearest", padding_mode="zeros", align_corners=False)


def _grey(pictures: Tensor) -> Tensor:
    red, green, blue = pictures.split(1, 1)
    return GREY[0] * red + GREY[1] * green + GREY[2] * blue


def _blended(pictures: Tensor, others: Tensor, factor: Tensor) -> Tensor:
    share = factor[:, None, None, None]
    return (share * pictures + (1 - share) * others).clamp(0, 1)


# --- each by a random amount --------------------------------------------------------


def _by(change: Callable[[Tensor, Tensor], Tensor], name: str) -> Transform:
    (bounds,) = RANGES[name].values()
    return lambda pictures: change(pictures, _drawn(pictures, *bounds))


def _moved_at_random(pictures: Tensor) -> Tensor:
    height, width = pictures.shape[2:]
    across, along = RANGES["affine"]["translate"]
    right = _drawn(pictures, -across * width, across * width).round()
    down = _drawn(pictures, -along * height, along * height).round()
    return moved(pictures, _drawn(pictures, *RANGES["affine"]["degrees"]), right, down)


def _drawn(pictures: Tensor, least: float, most: float) -> Tensor:
    return torch.rand(len(pictures), device=pictures.device) * (most - least) + least


TRANSFORMS: Mapping[str, Transform] = MappingProxyType(
    {
        "brightness": _by(brightened, "brightness"),
        "contrast": _by(contrasted, "contrast"),
        "saturation": _by(saturated, "saturation"),
        "hue": _by(tinted, "hue"),
        "sharpness": _by(sharpened, "sharpness"),
        "affine": _moved_at_random,
    }
)
