"""What is dropped by bits is dropped as torch does it."""

import pytest
import torch

from trainer.learning.attention import by_bits


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_value_is_dropped_as_often_and_kept_as_large(share: float) -> None:
    torch.manual_seed(0)
    dropped = by_bits(torch.ones(4, 250_001), share)
    for at in range(4):  # four share a number
        each_fourth = dropped.flatten()[at::4]
        assert abs((each_fourth == 0).float().mean() - share) < 0.003  # six deviations
    assert torch.allclose(dropped[dropped != 0], torch.tensor(1 / (1 - share)), rtol=1e-4)


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    is_dropped = (by_bits(torch.ones(1_000_000), 0.1) == 0).float()
    for apart in (1, 2, 3, 4):
        both = (is_dropped[apart:] * is_dropped[:-apart]).mean()
        assert abs(both - 0.01) < 0.0006


def test_the_same_seed_drops_the_same_and_the_gradient_goes_where_the_values_went() -> None:
    values = torch.randn(33, 7, requires_grad=True)
    torch.manual_seed(3)
    first = by_bits(values, 0.1)
    torch.manual_seed(3)
    assert torch.equal(first, by_bits(values, 0.1))
    first.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad == 0, first == 0)


def test_in_bfloat16_it_stays_bfloat16() -> None:
    assert by_bits(torch.ones(10, dtype=torch.bfloat16), 0.1).dtype == torch.bfloat16
