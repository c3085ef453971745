"""Processes that work for us leave Ctrl-C to us."""

import signal
from functools import partial

from trainer.process.attempt import Stop, hears_nothing
from trainer.process.workers import in_processes


def test_a_worker_is_deaf_to_ctrl_c_from_its_birth_and_we_are_not() -> None:
    """What is blocked when it is started stays so, long before it could ignore anything by itself."""
    (blocked,) = in_processes(
        partial(signal.pthread_sigmask, signal.SIG_BLOCK), [()], stop=Stop(), told=hears_nothing
    )
    assert signal.SIGINT in blocked
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
