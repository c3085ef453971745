"""What all tests of the bot share."""

import threading
from collections.abc import Iterator

import pytest
from discord.gateway import KeepAliveHandler


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
