"""What the run will learn on, proven usable before any data work: nobody waits for a GPU that is absent."""

from datetime import datetime

from bot.core.effects import StartJob
from bot.core.events import JobEnded
from bot.core.moves import Move, now, say
from bot.core.policy import Policy
from bot.core.saying import blocked
from bot.core.state import Absent, Cycle, Named, Probing, Proven, Unproven
from protocol.job import Failed, Probed
from protocol.messages import BlockCause
from protocol.training import TrainingConfig


def unproven(policy: Policy) -> Proven | Unproven:
    """A processor needs no proof."""
    return Proven(name="CPU") if policy.device == "cpu" else Unproven()


def probe(cycle: Cycle, at: datetime, tries: int = 1) -> Move:
    """Order a job that takes one small step on the device."""
    assert isinstance(cycle.data, Named), "a device is proven for the data that waits"
    attempt = cycle.attempts + 1
    probing = Probing(attempt=attempt, tries=tries, since=at)
    order = StartJob(
        run=cycle.run_name, attempt=attempt, work="probe", source=cycle.data.source, config=TrainingConfig()
    )
    return now(cycle, device=probing, attempts=attempt), (order,)


def job_ended(cycle: Cycle, event: JobEnded, policy: Policy) -> Move:
    match cycle.device, event.outcome:
        case Probing(attempt=event.attempt), Probed(device=name):
            return now(cycle, device=Proven(name=name)), ()
        case Probing(attempt=event.attempt), Failed() as failed:
            return _absent(cycle, blocked.cause_of(failed), failed.message, event.at)
        case Probing(attempt=event.attempt, tries=tries), _ if tries < policy.max_attempts:
            return probe(cycle, event.at, tries + 1)
        case Probing(attempt=event.attempt), _:
            return _absent(cycle, "trainer", blocked.crashed(event), event.at)
        case _:
            return cycle, ()


def _absent(cycle: Cycle, cause: BlockCause, why: str, at: datetime) -> Move:
    return now(cycle, device=Absent(why=why, since=at)), say(blocked.by(cause, (why,)))
