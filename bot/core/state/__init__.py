"""What we know: one cycle of tracks side by side, a queue, and what is remembered of the cycles before.

Each track is a sum type; a class holds only what is true in that phase. Times are UTC.
"""

from typing import Literal

from pydantic import AwareDatetime

from bot.core.state.data import (
    Abandoning,
    Admitted,
    Arriving,
    Awaited,
    Checking,
    CheckingAhead,
    Converting,
    Data,
    Fetched,
    Fetching,
    Named,
    Refused,
)
from bot.core.state.device import Absent, Device, Probing, Proven, Unproven
from bot.core.state.known import Known
from bot.core.state.left import Bringing, Here, Left, LeftBehind, NothingLeft
from bot.core.state.run import (
    Cooling,
    Ended,
    Held,
    Run,
    Stalled,
    Starting,
    Stopping,
    Training,
    Unstarted,
    Untold,
    is_spared,
    is_under_way,
)
from bot.core.state.said import ActedOn, Answered, OpenMessage, Sighting, Stranger, Uttered, Verifying
from bot.core.state.shelf import (
    Best,
    Checkpoint,
    Shelf,
    all_safe,
    epochs_only_here,
    newest_safe,
    on_the_way,
    only_here,
)
from bot.core.state.terms import Entry, Judged, LessonHeard, Line, Proposal, Settled, Terms, Unread
from bot.core.state.weights import FetchingWeights, OwnWeights, Weights, WeightsHere, WeightsMissing
from protocol.messages import Handoff
from protocol.training import TrainingConfig

__all__ = [
    "SCHEMA",
    "Abandoning",
    "Absent",
    "ActedOn",
    "Admitted",
    "Answered",
    "Arriving",
    "Awaited",
    "Best",
    "Bringing",
    "Checking",
    "CheckingAhead",
    "Checkpoint",
    "Converting",
    "Cooling",
    "Cycle",
    "Data",
    "Device",
    "Ended",
    "Entry",
    "Fetched",
    "Fetching",
    "FetchingWeights",
    "Finished",
    "Held",
    "Here",
    "Judged",
    "Jumped",
    "Known",
    "Left",
    "LeftBehind",
    "LessonHeard",
    "Line",
    "Named",
    "NothingLeft",
    "OpenMessage",
    "OwnWeights",
    "Probing",
    "Proposal",
    "Proven",
    "Refused",
    "Run",
    "Settled",
    "Shelf",
    "Sighting",
    "Stalled",
    "Starting",
    "State",
    "Stopping",
    "Stranger",
    "Terms",
    "Training",
    "Unproven",
    "Unread",
    "Unstarted",
    "Untold",
    "Uttered",
    "Verifying",
    "Waiting",
    "Weights",
    "WeightsHere",
    "WeightsMissing",
    "all_safe",
    "epochs_only_here",
    "expected_job",
    "is_spared",
    "is_under_way",
    "newest_safe",
    "on_the_way",
    "only_here",
    "would_repeat",
]

SCHEMA = 3
"""Number of the shape of what is saved: a state, and the effects that are owed. By it an older version knows
that it cannot read a newer one's file. Another shape is another number, with an upcaster from this one."""

SHAPE = "6f74e9c4e2b7"
"""Of the shape that SCHEMA numbers. When it changes, `tests/bot/core/test_shape.py` says what to do."""


class Cycle(Known):
    """`run_name` names the run's folder, `attempts` counts its processes, `asked` requests to the bucket.

    `last` is the config of the cycle before, `last_best` where its best checkpoint lies in the bucket.
    `found` names the facts that Watcher has heard of, or will when `untold` goes out. `plan_told` is the
    hash of the config that PLAN.md led to when Watcher was last told that it was written anew.

    As long as nobody has numbered the cycle or let it go on, it is not `meant` as one of its own: should it
    come to learn just what the last one has (`last_certificate`, `last`), that is `asked` first.
    """

    number: int
    opened_at: AwareDatetime
    run_name: str
    data: Data
    terms: Terms
    device: Device = Unproven()
    weights: Weights = OwnWeights()
    left: Left = NothingLeft()
    run: Run = Unstarted()
    shelf: Shelf = Shelf()
    proposal: Proposal | None = None
    on_hold: tuple[str, ...] = ()
    attempts: int = 0
    asked: int = 0
    found: tuple[str, ...] = ()
    untold: Untold | None = None
    last: TrainingConfig | None = None
    last_best: str = ""
    last_certificate: str = ""
    own: Literal["unsaid", "asked", "meant"] = "unsaid"
    looking_at_plan: bool = False
    plan_told: str = ""


class Finished(Known):
    """A cycle that is over, kept so that its number and its data are known again."""

    number: int
    done: bool
    source: str
    certificate: str
    config: TrainingConfig


class Waiting(Known):
    """A HANDOFF of another cycle, in the queue."""

    handoff: Handoff
    author: int


class Jumped(Known):
    """The clock was set by `by_s` seconds; `at` is the time right after that."""

    by_s: float
    at: AwareDatetime


class State(Known):
    """`house` tells this installation's references from another's, `said` numbers what we said.

    `verifications` numbers the checkpoints that were read again.
    """

    house: str = ""
    said: int = 0
    cycle: Cycle | None = None
    queue: tuple[Waiting, ...] = ()
    carried: tuple[LessonHeard, ...] = ()
    finished: tuple[Finished, ...] = ()
    report_due_at: AwareDatetime | None = None
    open_messages: tuple[OpenMessage, ...] = ()
    acted_on: tuple[ActedOn, ...] = ()
    answered: tuple[Answered, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    verifying: tuple[Verifying, ...] = ()
    verifications: int = 0
    jumped: Jumped | None = None


def would_repeat(cycle: Cycle) -> bool:
    """Would its run learn just what the last cycle has learned, and has nobody said that it shall?"""
    match cycle.data, cycle.terms, cycle.run:
        case Admitted(certificate=certificate), Settled(config=config), Unstarted():
            last = cycle.last_certificate, cycle.last
            return cycle.own != "meant" and (certificate, config) == last
        case _:
            return False


def expected_job(state: State) -> tuple[str, int] | None:
    """The process that should be alive, by its run and attempt."""
    match state.cycle:
        case Cycle(run=Starting() | Training() | Stalled() | Stopping() as run, run_name=name):
            return name, run.attempt
        case Cycle(data=CheckingAhead() | Abandoning() | Checking() | Converting() as data, run_name=name):
            return name, data.attempt
        case Cycle(device=Probing(attempt=attempt), run_name=name):
            return name, attempt
        case _:
            return None
