"""What is done beside a training comes after it."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from trainer.process.background import NICENESS, step_back


def niceness_after(nice: int) -> int:
    def in_a_thread() -> int:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, nice)
        step_back()
        return os.getpriority(os.PRIO_PROCESS, thread)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(in_a_thread).result()


def test_a_thread_beside_the_training_is_nicer() -> None:
    here = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness_after(here) == max(here, NICENESS)


def test_one_that_is_nicer_already_stays_so() -> None:
    """Without privileges nobody can take it back: trying would end the thread."""
    nicer = max(os.getpriority(os.PRIO_PROCESS, 0), 17)
    assert niceness_after(nicer) == nicer
