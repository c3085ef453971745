"""Threads that do something beside the training: its cores are the training's first."""

import os
import threading

NICENESS = 10


def step_back() -> None:
    """Have this thread come after the others. Linux knows a niceness a thread; nobody may take it back, so
    where the whole process is nicer already it stays as nice."""
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
