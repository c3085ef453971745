"""A ResNet's convolutions and frozen norms in fewer passes: the same function, in other rounding.

The weights stay where they are and keep their names; what changes is how they are applied.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from trainer.learning.recipe import Recipe
from trainer.learning.replacing import replace

FEW_PLACES = 512
"""Up to so many places in a batch a convolution is one matrix product. With few places its weights are most
of the work, and the kernels made for many places reorder them each time: a deep layer of 2x2 pixels took 52
ms by those and 15 as a product, in bfloat16 37 and 7 (one core of a Xeon with AMX, batch 32)."""


def replace_convolutions(backbone: nn.Module, recipe: Recipe) -> None:
    """Apply `recipe.norm` and `recipe.convolution`. Needed again after weights were loaded."""
    for conv, norm in _normalised_convolutions(backbone):
        scale, shift = _scale_and_shift(norm)
        if recipe.norm == "folded":
            replace(conv, _Convolution(conv, recipe, scale.view(-1, 1, 1, 1), shift))
            replace(norm, _unchanged)
            continue
        if recipe.norm == "fused":
            replace(norm, _Norm(scale.view(-1, 1, 1), shift.view(-1, 1, 1)))
        if recipe.convolution == "product":
            replace(conv, _Convolution(conv, recipe))


class _Norm:
    """A frozen norm multiplies and adds constants: in one pass, and in what the activations are computed in.
    In two of float32, as torchvision has it, all that follows a bfloat16 convolution is float32 again."""

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        self._known = {scale.dtype: (scale, shift)}
        self._exact = scale, shift

    def __call__(self, image: Tensor) -> Tensor:
        if image.dtype not in self._known:
            scale, shift = self._exact
            self._known[image.dtype] = scale.to(image.dtype), shift.to(image.dtype)
        scale, shift = self._known[image.dtype]
        return torch.addcmul(shift, image, scale)


class _Convolution:
    """Where norms are folded their `scale` goes to the weight, through which the gradient flows as before,
    and their `shift` is added: two passes less over the largest activations there are."""

    def __init__(
        self, conv: nn.Conv2d, recipe: Recipe, scale: Tensor | None = None, shift: Tensor | None = None
    ) -> None:
        self._conv, self._scale, self._shift = conv, scale, shift
        self._may_be_product = recipe.convolution == "product" and conv.groups == 1 and _is_square(conv)

    def __call__(self, image: Tensor) -> Tensor:
        conv = self._conv
        weight = conv.weight if self._scale is None else conv.weight * self._scale
        if self._may_be_product:
            height, width = (_places(side, conv) for side in image.shape[-2:])
            if len(image) * height * width <= FEW_PLACES:
                return product(image, weight, self._shift, conv.stride[0], int(conv.padding[0]))
        padding = conv.padding if isinstance(conv.padding, str) else list(conv.padding)
        return F.conv2d(image, weight, self._shift, conv.stride, padding, conv.dilation, conv.groups)


def product(image: Tensor, weight: Tensor, shift: Tensor | None, stride: int, padding: int) -> Tensor:
    """`F.conv2d` of image (B, C, H, W) by weight (D, C, k, k) as one matrix product: (B, D, h, w). Both in
    channels_last, or they are copied."""
    patches = _patches(image.permute(0, 2, 3, 1), weight.shape[-1], stride, padding)
    return F.linear(patches, weight.permute(0, 2, 3, 1).flatten(1), shift).permute(0, 3, 1, 2)


def _patches(image: Tensor, size: int, stride: int, padding: int) -> Tensor:
    """(B, H, W, C) to (B, h, w, size * size * C): what lies under the kernel at each of its places."""
    padded = F.pad(image, (0, 0, padding, padding, padding, padding)) if padding else image
    height, width = ((side - size) // stride + 1 for side in padded.shape[1:3])
    down, across = stride * (height - 1) + 1, stride * (width - 1) + 1
    shifted = [
        padded[:, top : top + down : stride, left : left + across : stride]
        for top in range(size)
        for left in range(size)
    ]
    return torch.cat(shifted, -1)


def _places(side: int, conv: nn.Conv2d) -> int:
    return (side + 2 * int(conv.padding[0]) - conv.kernel_size[0]) // conv.stride[0] + 1


def _is_square(conv: nn.Conv2d) -> bool:
    """Alike in height and width, and without holes."""
    sides = conv.kernel_size, conv.stride, conv.padding
    return conv.dilation == (1, 1) and all(not isinstance(two, str) and two[0] == two[1] for two in sides)


def _scale_and_shift(norm: FrozenBatchNorm2d) -> tuple[Tensor, Tensor]:
    bias, mean = norm.get_buffer("bias"), norm.get_buffer("running_mean")
    scale = norm.get_buffer("weight") * (norm.get_buffer("running_var") + norm.eps).rsqrt()
    return scale, bias - mean * scale


def _unchanged(image: Tensor) -> Tensor:
    return image


def _normalised_convolutions(backbone: nn.Module) -> Iterator[tuple[nn.Conv2d, FrozenBatchNorm2d]]:
    """torchvision's ResNets name them conv1 and bn1, and so on; a shortcut holds the two by number."""
    for module in backbone.modules():
        parts = dict(module.named_children())
        for name, part in parts.items():
            norm = parts.get(name.replace("conv", "bn") if name.startswith("conv") else "1")
            if isinstance(part, nn.Conv2d) and isinstance(norm, FrozenBatchNorm2d):
                yield part, norm
