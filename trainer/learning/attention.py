"""Attention and dropout in fewer passes than LeRobot's, with the same distribution of what is dropped."""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812  PyTorch's own name for it
from torch import Tensor, nn

from trainer.learning.recipe import Recipe
from trainer.learning.replacing import Forward, replace

FINE = 16
"""Bits that decide about a value: the share that is dropped is exact to a 2**-17th."""

type Drop = Callable[[Tensor, float], Tensor]


def replace_attention(policy: nn.Module, recipe: Recipe) -> None:
    """Apply `recipe.attention` and `recipe.dropout`."""
    drop = by_bits if recipe.dropout == "bits" else F.dropout
    for module in policy.modules():
        if isinstance(module, nn.Dropout) and recipe.dropout == "bits":
            replace(module, _dropping(module))
        if isinstance(module, nn.MultiheadAttention) and recipe.attention == "sdpa":
            replace(module, _without_weights(module.forward))
        if isinstance(module, nn.MultiheadAttention) and recipe.attention == "plain":
            replace(module, _attending(module, drop))


def by_bits(values: Tensor, share: float) -> Tensor:
    """`F.dropout`. On a CPU torch draws a number for each value, one by one, which is a seventh of the card's
    step; here four values share one."""
    below = round(share * 2**FINE)
    numbers = torch.empty(-(-values.numel() // 4), dtype=torch.int64, device=values.device)
    bits = numbers.random_(-(2**63), None).view(torch.int16)[: values.numel()].view(values.shape)
    kept = bits >= below - 2 ** (FINE - 1)
    return values * (kept.to(values.dtype) * (2**FINE / (2**FINE - below)))


def _dropping(module: nn.Dropout) -> Forward:
    return lambda values: by_bits(values, module.p) if module.training and module.p else values


def _without_weights(stock: Forward) -> Forward:
    """LeRobot throws the attention's weights away; where they are not asked for, torch fuses all of it."""
    return lambda *args, **kwargs: stock(*args, **{**kwargs, "need_weights": False})


def _attending(module: nn.MultiheadAttention, drop: Drop) -> Forward:
    """As LeRobot calls it, (L, B, E) by (S, B, E). On a CPU torch's own, with dropout, falls back to float32
    and looks row by row for what is masked entirely."""

    def forward(
        query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None
    ) -> tuple[Tensor, None]:
        weights, biases = module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3)
        given = zip((query, key, value), weights, biases, strict=True)
        queries, keys, values = (_by_head(F.linear(*each), module.num_heads) for each in given)
        scores = torch.bmm(queries * module.head_dim**-0.5, keys.transpose(1, 2))
        if key_padding_mask is not None:
            hidden = key_padding_mask.repeat_interleave(module.num_heads, 0).unsqueeze(1)
            scores = scores.masked_fill(hidden, float("-inf"))
        shares = scores.softmax(-1)
        if module.training and module.dropout:
            shares = drop(shares, module.dropout)
        seen = torch.bmm(shares, values).transpose(0, 1).reshape(query.shape)
        return module.out_proj(seen), None

    return forward


def _by_head(values: Tensor, heads: int) -> Tensor:
    """(L, B, E) to (B * heads, L, E / heads)."""
    length, batch, _ = values.shape
    return values.reshape(length, batch * heads, -1).transpose(0, 1)
