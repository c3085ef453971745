"""Faults that befall the trainer, alone or together with the bot. Each ends with the work going on."""

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.core.state import (
    Arriving,
    Checking,
    CheckingAhead,
    Converting,
    Cycle,
    Fetched,
    Fetching,
    Held,
    Refused,
    Starting,
    Stopping,
    Training,
)
from bot.rehearsal.drill.lost import lose_machine
from bot.rehearsal.drill.outside import Fault, Suffered
from bot.rehearsal.drill.theatre import Theatre
from bot.rehearsal.players import script
from bot.shell.supervising.launch import is_held, signal_holder
from bot.shell.supervising.tail import everything
from protocol.folders import AttemptFolder
from protocol.progress import Progress, Saved, Started, Stepped

AGAIN_S = 600.0
FULL_S = 40.0


@dataclass(frozen=True, slots=True)
class Reached:
    """How far all attempts of a run had come: optimizer steps, the newest save that was announced."""

    step: int = 0
    saved_step: int = 0
    attempts: int = 0


async def kill_trainer(theatre: Theatre) -> Suffered:
    return await _ended(theatre, lambda attempt: _signal(attempt, signal.SIGKILL))


async def sigterm_trainer(theatre: Theatre) -> Suffered:
    """Not on our word: somebody else on the machine asks it to leave."""
    return await _ended(theatre, lambda attempt: _signal(attempt, signal.SIGTERM))


async def kill_both(theatre: Theatre) -> Suffered:
    """The machine reboots: bot and trainer are gone at once, and the bot comes back."""
    async with theatre.at_the_bot:

        async def reboot(attempt: AttemptFolder) -> bool:
            await theatre.bot.kill()
            hit = await _signal(attempt, signal.SIGKILL)
            await theatre.bot.start()
            return hit

        return await _ended(theatre, reboot)


async def freeze_trainer(theatre: Theatre) -> Suffered:
    """It is there, and silent: asked to leave, killed, resumed. One that has not spoken yet is given minutes
    for its first word, and a bot that is restarted meanwhile gives them anew: that would take too long."""
    await _trains(theatre)
    return await _ended(theatre, lambda attempt: _signal(attempt, signal.SIGSTOP))


async def stop_and_resume(theatre: Theatre) -> Suffered:
    """An operator's own doing, under whatever else goes on."""
    await _trains(theatre)
    since = theatre.now()
    await theatre.order("stop")
    try:
        held = "the run is held after !stop"
        await theatre.until(lambda: _is(theatre, Held) or theatre.over.is_set(), held)
        told = await theatre.told(since, lambda one: "저장" in one.content or script.has(one, "REPORT"))
    finally:
        await theatre.order("resume")
    await theatre.until(lambda: _goes_on(theatre), "the run goes on after !resume")
    return Suffered(told=told)


async def full_runs(theatre: Theatre) -> Suffered:
    """No room for what is learned: a BLOCKED, and `!retry` once there is room."""
    since, disk = theatre.now(), theatre.disks["runs"]
    before = _reached(theatre)
    disk.fill()
    try:
        told = await theatre.told(since, lambda one: script.has(one, "BLOCKED"), FULL_S)
    finally:
        disk.empty()
    helped = await _go_on(theatre, "the work")
    return _lost(theatre, before, f"runs{helped}", told or None)


INSIDE: dict[str, Fault] = {
    "kill trainer": kill_trainer,
    "SIGTERM trainer": sigterm_trainer,
    "kill both": kill_both,
    "freeze trainer": freeze_trainer,
    "stop, resume": stop_and_resume,
    "disk full (runs)": full_runs,
    "machine lost": lose_machine,
}


def vulnerable(theatre: Theatre) -> bool:
    """Is there a process at work?"""
    attempt = theatre.attempt()
    return attempt is not None and is_held(attempt)


def about_to_check(theatre: Theatre) -> bool:
    """Is there a check, or is one to come next?"""
    match theatre.cycle():
        case Cycle(data=Fetching() | Arriving() | CheckingAhead() | Fetched() | Checking()):
            return True
        case _:
            return False


def epochs_done(theatre: Theatre) -> int:
    cycle = theatre.cycle()
    return cycle.run.epoch if cycle and isinstance(cycle.run, Training) else 0


async def _ended(theatre: Theatre, end: Callable[[AttemptFolder], Awaitable[bool]]) -> Suffered:
    """Bring the process to its end by `end`, and wait until another one goes on where it was."""
    since, before, attempt = theatre.now(), _reached(theatre), theatre.attempt()
    if attempt is None or not await end(attempt):
        return Suffered("nobody there")
    work = _work(theatre)
    await theatre.until(
        lambda: not is_held(attempt) or theatre.over.is_set(), f"{attempt.path.name} has ended", AGAIN_S
    )
    helped = await _go_on(theatre, work)
    told = await theatre.told(since, lambda one: script.has(one, "REPORT") or script.has(one, "BLOCKED"))
    return _lost(theatre, before, f"{work}{helped}", told)


async def _go_on(theatre: Theatre, work: str) -> str:
    """Wait until it goes on; where it is BLOCKED, somebody says `!retry`."""
    await theatre.until(lambda: _goes_on(theatre) or _blocked(theatre), f"{work} goes on", AGAIN_S)
    if not _blocked(theatre):
        return ""
    await theatre.order("retry")
    await theatre.until(lambda: _goes_on(theatre), f"{work} goes on after !retry", AGAIN_S)
    return ", BLOCKED, !retry"


def _lost(theatre: Theatre, before: Reached, detail: str, told: bool | None) -> Suffered:
    """What is done again, if a training went on from a save."""
    resumed = _resumed_at(theatre, before.attempts)
    if resumed is None:
        return Suffered(detail, told)
    points = int(resumed < before.saved_step)
    return Suffered(detail, told, steps_lost=max(0, before.step - resumed), points_lost=points)


async def _signal(attempt: AttemptFolder, number: signal.Signals) -> bool:
    return is_held(attempt) and signal_holder(attempt, number)


# --- looking ----------------------------------------------------------------


async def _trains(theatre: Theatre) -> None:
    await theatre.until(lambda: _is(theatre, Training) or theatre.over.is_set(), "a training", AGAIN_S)


def _is(theatre: Theatre, phase: type[Held | Training]) -> bool:
    cycle = theatre.cycle()
    return cycle is not None and isinstance(cycle.run, phase)


def _blocked(theatre: Theatre) -> bool:
    """It will not go on without somebody's word."""
    cycle = theatre.cycle()
    return cycle is not None and (isinstance(cycle.run, Held) or isinstance(cycle.data, Refused))


def _work(theatre: Theatre) -> str:
    match theatre.cycle():
        case Cycle(run=Starting() | Training() | Stopping()):
            return "train"
        case Cycle(data=Checking() | CheckingAhead()):
            return "check"
        case Cycle(data=Converting()):
            return "convert"
        case _:
            return "?"


def _goes_on(theatre: Theatre) -> bool:
    """A process is at work that has said its first word, or there is no need for one any more."""
    match theatre.cycle():
        case Cycle(run=Training()):
            return vulnerable(theatre)
        case Cycle(run=Starting() | Stopping() | Held()) | Cycle(data=Refused()):
            return False
        case Cycle(data=CheckingAhead() | Checking() | Converting()):
            return vulnerable(theatre)
        case Cycle(run=run) if run.phase in ("cooling", "stalled"):
            return False
        case _:
            return theatre.state() is not None


def _said(theatre: Theatre) -> list[tuple[int, Progress]]:
    """Every line of every attempt, with the attempt's number, in order."""
    folders = sorted(theatre.stage.runs.glob("*/attempts/*"), key=lambda path: int(path.name))
    return [(int(folder.name), line) for folder in folders for line in everything(folder / "events.jsonl")]


def _reached(theatre: Theatre) -> Reached:
    said = _said(theatre)
    return Reached(
        step=max((line.step for _, line in said if isinstance(line, Stepped | Saved)), default=0),
        saved_step=max(
            (line.step for _, line in said if isinstance(line, Saved) and line.what != "best"), default=0
        ),
        attempts=max((number for number, _ in said), default=0),
    )


def _resumed_at(theatre: Theatre, after: int) -> int | None:
    """The step from which the first training after attempt `after` went on; None if none did."""
    for number, line in _said(theatre):
        if number > after and isinstance(line, Started):
            return _step_of(line)
    return None


def _step_of(started: Started) -> int:
    """Saves are named by epoch or by step: see protocol.folders."""
    kind, _, number = (started.resumed_from or "epoch_0").rpartition("_")
    return int(number) * (started.steps_per_epoch if kind == "epoch" else 1)
