"""SIGKILL at a random moment of a job, again and again: what is left must go on as if nothing had been.

Which moment is a pure function of a seed and the kill's number. One in five falls while the process loads,
two in five while a save is being written, the others at any time of its work. A life that loads lets a random
number of saves go by first: so the work gets on from kill to kill, however slow the machine is.
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from typing import Literal, Protocol

from protocol.folders import RunFolder
from trainer.jobs import do
from trainer.process.attempt import run_attempt

type When = Literal["loading", "working", "saving"]

LOADS_S, WORKS_S, SAVES_S = 4.0, 2.0, 1.0
MOST_SAVES = 3
LOOK_EVERY_S = 0.005


@dataclass(frozen=True)
class Kill:
    """`after_s` the process has come to `when`, `saves` of its own after its start."""

    number: int
    when: When
    saves: int
    after_s: float


def planned(seed: int, number: int) -> Kill:
    chance = random.Random(f"{seed} {number}")  # noqa: S311  no secret
    when: When = chance.choice(["loading", "working", "working", "saving", "saving"])
    longest_s = {"loading": LOADS_S, "working": WORKS_S, "saving": SAVES_S}[when]
    return Kill(number, when, chance.randint(0, MOST_SAVES), chance.uniform(0, longest_s))


class Process(Protocol):
    def ended(self, within_s: float) -> bool: ...
    def kill(self) -> None: ...


def carry_out(kill: Kill, process: Process, run: RunFolder, attempt: int) -> bool:
    """Wait for the moment, then kill. False: the process had ended by itself before."""
    come_to: dict[When, Callable[[], bool]] = {
        "loading": lambda: True,
        "working": lambda: has_saved(run, attempt, kill.saves),
        "saving": lambda: has_saved(run, attempt, kill.saves) and is_saving(run),
    }
    while not come_to[kill.when]():
        if process.ended(LOOK_EVERY_S):
            return False
    until = monotonic() + kill.after_s
    while (left_s := until - monotonic()) > 0:
        if process.ended(min(left_s, 1.0)):
            return False
    process.kill()
    return not run.attempt(attempt).outcome.exists()


def has_saved(run: RunFolder, attempt: int, times: int) -> bool:
    events = run.attempt(attempt).events
    said = events.read_bytes() if events.exists() else b""
    return b'"event":"started"' in said and said.count(b'"event":"saved"') >= times


def is_saving(run: RunFolder) -> bool:
    return any(run.checkpoints.rglob(".tmp-*"))


# --- two ways to start a job ----------------------------------------------------------


@dataclass(frozen=True)
class Afresh:
    """As the bot starts it: a new interpreter, which takes seconds to load torch and LeRobot."""

    process: subprocess.Popen[bytes]

    @staticmethod
    def start(job: Path) -> "Afresh":
        command = [sys.executable, "-m", "trainer", "run", str(job)]
        quiet = subprocess.DEVNULL
        return Afresh(subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet))

    def ended(self, within_s: float) -> bool:
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Forked:
    """A copy of a process that has loaded everything and done nothing yet: a life costs no loading."""

    def __init__(self, job: Path) -> None:
        # whoever counts what the killed leave behind need not say so: they were killed
        os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:multiprocessing.resource_tracker")
        context = get_context("forkserver")
        context.set_forkserver_preload(["trainer.loop.train"])
        self._process = context.Process(target=run_attempt, args=(job, None, do))
        self._process.start()

    def ended(self, within_s: float) -> bool:
        self._process.join(within_s)
        return not self._process.is_alive()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
