"""Pictures that lie elsewhere are there before their pass asks, and are the right ones."""

from itertools import pairwise
from random import Random
from threading import Event

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray
from torch import Tensor

from trainer.learning import ahead
from trainer.learning.ahead import Ahead, spans

CPU = torch.device("cpu")
COUNTS = some.integers(1, 40)


def numbered(count: int) -> Tensor:
    """Frames (count, 1, 2, 3), each full of its own number."""
    return torch.arange(count, dtype=torch.uint8).view(count, 1, 1, 1).expand(count, 1, 2, 3).contiguous()


def shown(found: dict[str, Tensor]) -> list[int]:
    return found["front"][:, 0, 0, 0].tolist()


@given(COUNTS, some.integers(1, 9), some.integers(1, 9), some.integers(0, 39))
def test_parts_follow_each_other_to_the_order_s_end(total: int, length: int, gap: int, first: int) -> None:
    every = length + gap
    coming = spans(first % total, length, every, total)
    assert coming[0][0] == first % total
    assert all(later - start == every for (start, _), (later, _) in pairwise(coming))
    assert all(end == min(start + length, total) > start for start, end in coming)
    assert len(coming) == min(1 + ahead.DEPTH, -(-(total - first % total) // every))


@given(COUNTS, some.integers(1, 9), some.integers(1, 3), some.integers(0, 3), some.randoms())
def test_every_process_gets_the_pictures_of_its_own_parts(
    total: int, length: int, processes: int, done: int, chance: Random
) -> None:
    numbers = list(range(total))
    chance.shuffle(numbers)
    batch = length * processes
    for rank in range(processes):
        brought = Ahead({"front": numbered(total)}, CPU)
        order = brought.follow(torch.tensor(numbers), batch)
        for first in range(done * batch, total, batch):
            part = order[first : first + batch][rank * length : (rank + 1) * length]
            if len(part):
                assert shown(brought.pictures(part)) == part.tolist()


class Noted(Ahead):
    """Notes which numbers it has gathered, and tells when there are three parts of them."""

    def __init__(self, frames: dict[str, Tensor]) -> None:
        self.gathered, self.three = list[list[int]](), Event()
        super().__init__(frames, CPU)

    def _gathered(self, frames: NDArray[np.uint8], numbers: NDArray[np.int64]) -> Tensor:
        self.gathered.append(numbers.tolist())
        if len(self.gathered) == 3:
            self.three.set()
        return super()._gathered(frames, numbers)


def test_what_comes_next_is_gathered_unasked_and_once() -> None:
    brought = Noted({"front": numbered(10)})
    order = brought.follow(torch.arange(10), 2)
    brought.pictures(order[:2])
    assert brought.three.wait(10), "nobody asked for them yet"
    for first in range(2, 10, 2):
        brought.pictures(order[first : first + 2])
    assert brought.gathered == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def test_samples_of_no_order_are_fetched_as_they_are_asked_for() -> None:
    brought = Ahead({"front": numbered(10)}, CPU)
    order = brought.follow(torch.arange(10), 2)
    assert shown(brought.pictures(torch.tensor([7, 1, 1]))) == [7, 1, 1]
    assert shown(brought.pictures(order[::3])) == [0, 3, 6, 9]
    assert shown(brought.pictures(order[2:4])) == [2, 3]


def test_an_order_that_is_part_of_something_larger_is_followed_alike() -> None:
    brought = Ahead({"front": numbered(10)}, CPU)
    order = brought.follow(torch.arange(10).flip(0)[3:], 2)
    assert shown(brought.pictures(order[:2])) == [6, 5]
    assert shown(brought.pictures(order[2:4])) == [4, 3]


def test_what_goes_wrong_beside_the_step_is_heard_by_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Tensor:
        raise MemoryError("no pinned memory is left")

    monkeypatch.setattr(Ahead, "_gathered", refuse)
    brought = Ahead({"front": numbered(4)}, CPU)
    order = brought.follow(torch.arange(4), 2)
    with pytest.raises(MemoryError, match="pinned"):
        brought.pictures(order[:2])
