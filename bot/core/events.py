"""What may have happened. Facts, in the past tense; the shell states them, the core never asks."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.core.state import LeftBehind, Sighting
from protocol.job import Outcome
from protocol.messages import BlockCause, Incoming, Lesson
from protocol.plan import Plan
from protocol.progress import Found, Saved, Started, Stepped

type Witness = Literal["busy", "idle", "unknown"]
"""What the GPU shows of a process; unknown where there is none, or it does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """`at` is UTC and never goes back between two facts."""

    at: datetime


# --- the daemon and its clock -----------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonWoke(Fact):
    """The daemon runs (again). `house` is a fresh random word, kept by a state that has none.

    `job` is what the lock of the job that should be running says; none should be: `absent`.
    """

    house: str
    job: Literal["alive", "dead", "unknown", "absent"] = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """An order that did not work: what it is and why, in a line of words, and when it is tried again.

    `again_at` None: once the daemon runs.
    """

    what: str
    why: str
    again_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """Readings too fleeting to be state: the newest progress line and the transfers under way.

    `transfer` is what is moving, in bytes done and bytes in all; `journal` what happened, the newest last;
    `disk` what is free and all there is under STATE_DIR, in bytes; `put_off` what did not work.
    """

    stepped: Stepped | None = None
    counted: tuple[int, int, str] | None = None
    transfer: tuple[str, int, int] | None = None
    journal: tuple[str, ...] = ()
    disk: tuple[int, int] | None = None
    put_off: tuple[PutOff, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked(Fact):
    """A moment the core asked for (`wake_at`) has come."""

    gauges: Gauges = field(default_factory=Gauges)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJumped(Fact):
    """The machine's clock was set by `by_s` seconds, or the machine slept. `at` is the new time.

    The only event at which time may go back.
    """

    by_s: float
    gauges: Gauges = field(default_factory=Gauges)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleForgotten(Fact):
    """We remember nothing at all, and the channel shows that we had not ended this cycle."""

    cycle: int


# --- the channel ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke(Fact):
    """Somebody we listen to said something; `addressed`: to us, else it may go on with what was.

    `message_id` and `said_at` are the channel's, `text` comes with its text attachments; `reply_ref` is the
    reference of our message that it answers.
    """

    author: int
    message_id: int
    text: str
    said_at: datetime
    addressed: bool = True
    reply_ref: str | None = None
    gauges: Gauges = field(default_factory=Gauges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited(Fact):
    """The author of a message that we heard gave it another text."""

    author: int
    message_id: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Fact):
    """A whole message of somebody we listen to, said to us and understood.

    `reply_ref` is the reference of our message that it answers.
    """

    author: int
    message: Incoming
    reply_ref: str | None = None
    gauges: Gauges = field(default_factory=Gauges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled(Fact):
    """A whole message of somebody we listen to, said to us and not understood."""

    author: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacted(Fact):
    """✅ or ❌ was put on our message `ref`."""

    author: int
    ref: str
    yes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerCommanded(Fact):
    """Somebody who is neither peer nor operator wrote `!command`."""

    author: int
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighted(Fact):
    """Something in the channel contradicts the roster, and nobody was told yet."""

    sightings: tuple[Sighting, ...]


# --- the bucket -------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonsFile:
    """One of the bucket's `lessons/` files that was looked for; None where there is none."""

    name: str
    lessons: tuple[Lesson, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsRead(Fact):
    """PLAN.md and the lessons files were looked for. `plan` None: there is no PLAN.md.

    `left` is what the bucket holds of this cycle, if that is of a run not known here.
    """

    cycle: int
    plan: Plan | None
    files: tuple[LessonsFile, ...]
    left: LeftBehind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsUnreadable(Fact):
    """PLAN.md or a lessons file is there, and broken: every error, each one line with its place."""

    cycle: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSeen(Fact):
    """PLAN.md was looked at again while a cycle is open. `plan` None: it is not there, or not `readable`."""

    cycle: int
    plan: Plan | None
    readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsFetched(Fact):
    """Of a simulator's data set all is here but `coming_bytes` of videos, which are under way."""

    cycle: int
    coming_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonTranslated(Fact):
    """What the translator says that entry `entry` of the ledger asks for, by field; none: it cannot tell."""

    cycle: int
    entry: int
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFetched(Fact):
    cycle: int
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFailed(Fact):
    """It will not work by trying again. `problem` is one line."""

    cycle: int
    cause: BlockCause
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFetched(Fact):
    """The checkpoint at `path` lies where the run starts from it."""

    cycle: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtBack(Fact):
    """A lost run's checkpoint lies where ours goes on from it; or, not `whole`, it is not to be had.

    `epochs` are all those whose checkpoint in the bucket is our run's from now on.
    """

    cycle: int
    epoch: int
    whole: bool
    epochs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsRefused(Fact):
    """It will not come by trying again. `problem` is one line."""

    cycle: int
    path: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPublished(Fact):
    """The checkpoint's manifest stands in the bucket, at its cycle path and its flat one.

    `retired` are paths of an earlier run of this cycle that readers no longer find because of it.
    """

    cycle: int
    epoch: int
    retired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPublished(Fact):
    """`checkpoints/cycleNN/act_best/` holds the weights of `epoch`."""

    cycle: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointVerified(Fact):
    """The checkpoint at `path` was read again: `what` it is, and a line for each file that is amiss.

    `what` is empty where nothing of ours is published.
    """

    path: str
    what: str
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointLost(Fact):
    """It was given up, and what lies here of it is not whole: `damage` says where."""

    cycle: int
    epoch: int
    damage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BestLost(Fact):
    """As CheckpointLost, of the best after `epoch` epochs. The bucket has an earlier one."""

    cycle: int
    epoch: int
    damage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointForgotten(Fact):
    cycle: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePublished(Fact):
    cycle: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOn(Fact):
    """Flat `act_best/` and the loss curve stand in the bucket. `manifest` is the manifest's hash."""

    cycle: int
    manifest: str


# --- a job ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpoke(Fact):
    """Of all progress lines, those that change what is true. The others are gauges."""

    run: str
    attempt: int
    line: Started | Stepped | Saved | Found


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnded(Fact):
    """The lock is free. `outcome` None: it crashed, or never started; `detail` is a line for people."""

    run: str
    attempt: int
    outcome: Outcome | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFellSilent(Fact):
    """Its lock is held, and it has not spoken for longer than its promise is worth. Stated again and again.

    `heard_at` is the time of its newest word, `promised_s` within how many seconds that promised the next.
    `gpu` is the second witness: does the device work for it?
    """

    run: str
    attempt: int
    heard_at: datetime
    promised_s: float
    gpu: Witness = "unknown"


Event = (
    DaemonWoke
    | Ticked
    | ClockJumped
    | CycleForgotten
    | Spoke
    | Edited
    | Heard
    | Garbled
    | Reacted
    | Sighted
    | StrangerCommanded
    | TermsRead
    | TermsUnreadable
    | PlanSeen
    | RowsFetched
    | LessonTranslated
    | DataFetched
    | FetchFailed
    | WeightsFetched
    | WeightsRefused
    | BroughtBack
    | CheckpointPublished
    | BestPublished
    | CheckpointLost
    | BestLost
    | CheckpointForgotten
    | CheckpointVerified
    | CurvePublished
    | HandedOn
    | JobSpoke
    | JobFellSilent
    | JobEnded
)
