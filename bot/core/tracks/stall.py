"""Silence: a process that is alive by its lock and says nothing is neither trusted nor killed at once.

First it is asked to save and leave; what stays silent after that is killed; then the run goes on from its
last save, like after a crash. A process that speaks again is left to save in peace.

The GPU is the second witness. Where it works for a process that has fallen silent, that one is waited for as
long again, once; where it is idle, or nobody can tell, silence alone decides.
"""

from bot.core.effects import KillJob, StopJob
from bot.core.events import JobFellSilent
from bot.core.moves import Move, now, say
from bot.core.saying import restarts
from bot.core.state import (
    Abandoning,
    Checking,
    CheckingAhead,
    Converting,
    Cycle,
    Probing,
    Stalled,
    Starting,
    Stopping,
    Training,
    is_spared,
)


def fell_silent(cycle: Cycle, event: JobFellSilent) -> Move:
    match cycle.run, cycle.data, cycle.device:
        case (Starting(attempt=event.attempt) | Training(attempt=event.attempt)) as run, _, _:
            if event.gpu == "busy" and not is_spared(run, event.heard_at):
                return now(cycle, run=now(run, spared=event.heard_at)), ()
            return _asked_to_leave(cycle, run, event)
        case ((Stalled(attempt=event.attempt) | Stopping(attempt=event.attempt)), _, _):
            return cycle, (KillJob(run=event.run, attempt=event.attempt),)
        case _, (Checking() | CheckingAhead() | Abandoning() | Converting()) as data, _ if (
            data.attempt == event.attempt
        ):
            # it has nothing to save, and is begun anew once it is gone
            return cycle, (KillJob(run=event.run, attempt=event.attempt),)
        case _, _, Probing(attempt=event.attempt):
            return cycle, (KillJob(run=event.run, attempt=event.attempt),)
        case _:
            return cycle, ()


def _asked_to_leave(cycle: Cycle, run: Starting | Training, event: JobFellSilent) -> Move:
    stalled = Stalled(
        attempt=run.attempt,
        tries=run.tries,
        config=run.config,
        reached=run.epoch if isinstance(run, Training) else run.reached,
        heard_at=event.heard_at,
        since=event.at,
    )
    order = StopJob(run=event.run, attempt=event.attempt)
    return now(cycle, run=stalled), (order, *say(restarts.stalled(cycle, event)))
