"""A CPU plays a GPU's graphs: what is done inside `torch.cuda.graph` is written down, kernel by kernel, and
done again at each replay, on the same memory.

As there, a replay knows nothing of Python: what was not told to the device while capturing does not happen.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
"""What a capture forbids: who asks for a number has to wait for the device."""


class Graph(TorchDispatchMode):
    """`torch.cuda.CUDAGraph`."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = list[tuple[Any, tuple[Any, ...], dict[str, Any], Any]]()
        self.replays = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in WAITS:
            raise RuntimeError(f"operation not permitted when stream is capturing: {func}")
        result = func(*args, **(kwargs or {}))
        self.kernels.append((func, args, kwargs or {}, result))
        return result

    @torch.no_grad()
    def replay(self) -> None:
        self.replays += 1
        for kernel, args, kwargs, lasting in self.kernels:
            made = kernel(*args, **kwargs)
            for place, value in zip(tree_leaves(lasting), tree_leaves(made), strict=True):
                if isinstance(place, Tensor) and place.data_ptr() != value.data_ptr():
                    place.copy_(value)

    def pool(self) -> tuple[int, int]:
        return id(self), 0


@contextmanager
def captured(graph: Graph, pool: object = None, capture_error_mode: str = "global") -> Iterator[None]:
    """`torch.cuda.graph`, which puts all it hands out into the graph's own memory."""
    with graph:
        yield


class Stream:
    """`torch.cuda.Stream`: here there is one order of things."""

    def wait_stream(self, other: "Stream") -> None:
        pass


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    """All that are made from now on."""
    made = list[Graph]()

    def make() -> Graph:
        made.append(Graph())
        return made[-1]

    monkeypatch.setattr(torch.cuda, "CUDAGraph", make)
    monkeypatch.setattr(torch.cuda, "graph", captured)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())
    return made
