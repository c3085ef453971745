"""What all tests of the bot share."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from discord.gateway import KeepAliveHandler

from protocol.progress import Stepped


@pytest.fixture(autouse=True)
def no_heartbeat_outlives_its_test() -> Iterator[None]:
    """A client cut off in mid-connect leaves its heartbeat thread to itself for up to a minute.

    Such a thread would then beat at a closed loop, in the middle of somebody else's test.
    """
    yield
    for thread in threading.enumerate():
        if isinstance(thread, KeepAliveHandler):
            thread.stop()
            thread.join(timeout=10)


@pytest.fixture(scope="session")
def stepped() -> Callable[..., Stepped]:
    """A step as a trainer tells of it; of interest are the figures that a test gives."""

    def told(at: datetime, **figures: Any) -> Stepped:
        usual = {"epoch": 150, "epochs": 500, "step": 59850, "samples": 3825000, "loss": 0.024, "l1": 0.02}
        usual |= {"kl": 0.0004, "lr": 1e-4, "grad_norm": 1.0, "samples_per_s": 4000}
        return Stepped.model_validate(usual | {"at": at} | figures)

    return told
