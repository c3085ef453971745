"""What we know: one cycle of four tracks, a queue, and what is remembered of the cycles before.

Each track is a sum type; a class holds only what is true in that phase. Times are UTC.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from protocol.job import Problem, Trained
from protocol.messages import BlockCause, Handoff, Lesson
from protocol.roster import Peer
from protocol.training import Change, TrainingConfig

SCHEMA = 2
"""Number of this shape. A change to the shape needs the next number and an upcaster for the last."""


class Known(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- data: is there something fit to train on? ------------------------------


class Awaited(Known):
    phase: Literal["awaited"] = "awaited"
    since: AwareDatetime


class Named(Known):
    """Somebody said where it lies. It is fetched once the device is proven."""

    phase: Literal["named"] = "named"
    source: str
    announced: int | None
    since: AwareDatetime


class Fetching(Known):
    """`announced` is the number of episodes the HANDOFF spoke of."""

    phase: Literal["fetching"] = "fetching"
    source: str
    announced: int | None
    since: AwareDatetime


class Fetched(Known):
    phase: Literal["fetched"] = "fetched"
    source: str
    announced: int | None
    since: AwareDatetime


class Checking(Known):
    """`config` is what the check looks for; its data rule must still hold when training starts."""

    phase: Literal["checking"] = "checking"
    source: str
    announced: int | None
    attempt: int
    tries: int
    config: TrainingConfig
    since: AwareDatetime


class Converting(Known):
    """`checked_by` is the attempt that admitted it."""

    phase: Literal["converting"] = "converting"
    source: str
    announced: int | None
    attempt: int
    tries: int
    checked_by: int = 0
    config: TrainingConfig
    certificate: str
    warnings: tuple[Problem, ...]
    since: AwareDatetime


class Admitted(Known):
    """`episodes` and `frames` are what remains after exclusions and cuts."""

    phase: Literal["admitted"] = "admitted"
    source: str
    announced: int | None
    config: TrainingConfig
    certificate: str
    episodes: int
    frames: int
    warnings: tuple[Problem, ...]


class Refused(Known):
    """Watcher was told. Another HANDOFF or a retry begins anew."""

    phase: Literal["refused"] = "refused"
    source: str
    announced: int | None
    since: AwareDatetime


Data = Annotated[
    Awaited | Named | Fetching | Fetched | Checking | Converting | Admitted | Refused,
    Field(discriminator="phase"),
]


# --- device: is there something to learn on? --------------------------------


class Unproven(Known):
    phase: Literal["unproven"] = "unproven"


class Probing(Known):
    phase: Literal["probing"] = "probing"
    attempt: int
    tries: int
    since: AwareDatetime


class Proven(Known):
    phase: Literal["proven"] = "proven"
    name: str


class Absent(Known):
    """Watcher was told. A retry probes again."""

    phase: Literal["absent"] = "absent"
    why: str
    since: AwareDatetime


Device = Annotated[Unproven | Probing | Proven | Absent, Field(discriminator="phase")]


# --- terms: with which config, on whose word? -------------------------------


class LessonHeard(Known):
    """`rank` order: Watcher's own message says it. Hint: it stood in a file of the bucket."""

    lesson: Lesson
    rank: Literal["order", "hint"]
    source: str


class Entry(Known):
    """What became of one lesson so far. `changes` are what it asks for; `note` says why, for people."""

    heard: LessonHeard
    status: Literal["applied", "proposed", "rejected", "satisfied", "not_ours", "unclear"]
    changes: tuple[Change, ...] = ()
    approved_by: str = ""
    note: str = ""


class Unread(Known):
    """PLAN.md and the lessons files have not been looked for yet."""

    phase: Literal["unread"] = "unread"
    heard: tuple[LessonHeard, ...]
    since: AwareDatetime


class Judged(Known):
    """`base` is defaults and PLAN.md, `config` that and what is approved so far; a proposal is open beside.

    `looked_at` names the lessons files that were looked for, `from_plan` the fields PLAN.md sets.
    """

    phase: Literal["judged"] = "judged"
    base: TrainingConfig
    config: TrainingConfig
    ledger: tuple[Entry, ...]
    looked_at: tuple[str, ...]
    from_plan: tuple[str, ...]


class Settled(Known):
    """`config` differs from the defaults only by PLAN.md and by what was approved."""

    phase: Literal["settled"] = "settled"
    base: TrainingConfig
    config: TrainingConfig
    ledger: tuple[Entry, ...]
    looked_at: tuple[str, ...]
    from_plan: tuple[str, ...]


Terms = Annotated[Unread | Judged | Settled, Field(discriminator="phase")]


class Line(Known):
    """One numbered line of the open proposal; `entry` is its place in the ledger."""

    number: int
    entry: int
    changes: tuple[Change, ...]
    reason: str


class Proposal(Known):
    """What Watcher is asked. `hash` names the config it leads to, `refs` the messages that carried it."""

    hash: str
    lines: tuple[Line, ...]
    since: AwareDatetime
    refs: tuple[str, ...] = ()
    asked_back: bool = False
    operators_told: bool = False


# --- weights: what does a fresh run start from? ------------------------------


class OwnWeights(Known):
    """ImageNet's or none, as the config says; nothing was asked of the bucket."""

    phase: Literal["own"] = "own"


class FetchingWeights(Known):
    """`path` is a checkpoint's in the bucket."""

    phase: Literal["fetching"] = "fetching"
    path: str
    since: AwareDatetime


class WeightsHere(Known):
    phase: Literal["here"] = "here"
    path: str


class WeightsMissing(Known):
    """Watcher was told. A retry asks again, another path in the config is asked for at once."""

    phase: Literal["missing"] = "missing"
    path: str
    why: str
    since: AwareDatetime


Weights = Annotated[OwnWeights | FetchingWeights | WeightsHere | WeightsMissing, Field(discriminator="phase")]


# --- left: what did a machine that was lost leave of this cycle? --------------


class NothingLeft(Known):
    phase: Literal["nothing"] = "nothing"


class LeftBehind(Known):
    """The newest checkpoint of this cycle in the bucket is of a run that is not known here."""

    phase: Literal["behind"] = "behind"
    run: str
    epoch: int
    certificate: str
    config: str


class Bringing(Known):
    phase: Literal["bringing"] = "bringing"
    run: str
    epoch: int
    since: AwareDatetime


class Here(Known):
    """Our run goes on from that run's checkpoint after `epoch` epochs."""

    phase: Literal["here"] = "here"
    run: str
    epoch: int


Left = Annotated[NothingLeft | LeftBehind | Bringing | Here, Field(discriminator="phase")]


# --- run: is it learning? ---------------------------------------------------


class Unstarted(Known):
    phase: Literal["unstarted"] = "unstarted"


class Starting(Known):
    """The process was ordered; it has not said anything yet. The one before had finished `reached` epochs."""

    phase: Literal["starting"] = "starting"
    attempt: int
    tries: int
    config: TrainingConfig
    reached: int
    since: AwareDatetime


class Training(Known):
    """`tries` counts attempts since the last progress; `epoch` counts finished epochs."""

    phase: Literal["training"] = "training"
    attempt: int
    tries: int
    config: TrainingConfig
    epoch: int
    first_loss: float | None
    last_loss: float | None
    since: AwareDatetime


class Stalled(Known):
    """It is silent beyond its promise, since `heard_at`; it was asked to save and leave."""

    phase: Literal["stalled"] = "stalled"
    attempt: int
    tries: int
    config: TrainingConfig
    reached: int
    heard_at: AwareDatetime
    since: AwareDatetime


class Stopping(Known):
    """SIGTERM was ordered. `by` says on whose word."""

    phase: Literal["stopping"] = "stopping"
    attempt: int
    config: TrainingConfig
    epoch: int
    by: str
    since: AwareDatetime


class Cooling(Known):
    """It crashed, with `reached` epochs finished; `attempt` was the last. It goes on at `until`."""

    phase: Literal["cooling"] = "cooling"
    attempt: int
    tries: int
    config: TrainingConfig
    reached: int
    until: AwareDatetime


class Held(Known):
    """It will not go on by itself."""

    phase: Literal["held"] = "held"
    cause: BlockCause | Literal["operator"]
    why: str
    config: TrainingConfig
    since: AwareDatetime


class Ended(Known):
    phase: Literal["ended"] = "ended"
    config: TrainingConfig
    outcome: Trained
    since: AwareDatetime


Run = Annotated[
    Unstarted | Starting | Training | Stalled | Stopping | Cooling | Held | Ended,
    Field(discriminator="phase"),
]


# --- shelf: is what was learned safe? ---------------------------------------


class Checkpoint(Known):
    """`folder` is relative to the run's. Safe: its manifest stands in the bucket."""

    epoch: int
    folder: str
    status: Literal["saved", "safe", "forgetting"]


class Best(Known):
    """The best weights here; `asked_epoch` is on its way to the bucket, `safe_epoch` is there."""

    epoch: int
    folder: str
    loss: float | None
    asked_epoch: int | None = None
    safe_epoch: int | None = None


class Shelf(Known):
    checkpoints: tuple[Checkpoint, ...] = ()
    best: Best | None = None
    handing_on: bool = False


# --- what is being said to us -------------------------------------------------


class Uttered(Known):
    """One message of somebody's. `said_at` is by the channel's own clock."""

    id: int
    text: str
    said_at: AwareDatetime


class OpenMessage(Known):
    """What somebody says to us and may not have finished: it is acted on at `due_at`."""

    author: int
    parts: tuple[Uttered, ...]
    reply_ref: str | None
    since: AwareDatetime
    due_at: AwareDatetime


class ActedOn(Known):
    """What we acted on lately: fingerprints of its parts by id, and of what was understood."""

    author: int
    prints: dict[int, str]
    meaning: str
    last: Uttered


class Answered(Known):
    """That somebody was answered, `times` within one second; for a minute it counts."""

    to: int
    at: AwareDatetime
    times: int = 1


class Stranger(Known):
    """Somebody who is no operator gave a `command` of theirs, the newest at `at`."""

    author: int
    command: str
    at: AwareDatetime
    times: int


class Verifying(Known):
    """A checkpoint that is being read again, by its place in the bucket, and who complained of it."""

    path: str
    askers: tuple[int, ...]


class Sighting(Known):
    """Something in the channel contradicts the roster: a `name` that speaks from `user_id`, or its `use`.

    `peer` is whose name or role it is; None: some peer's. Watcher and the operators were told.
    """

    why: Literal["name", "use"]
    peer: Peer | None
    user_id: int
    message_id: int


# --- all of it --------------------------------------------------------------


class Cycle(Known):
    """`run_name` names the run's folder, `attempts` counts its processes, `asked` requests to the bucket.

    `last` is the config of the cycle before, `last_best` where its best checkpoint lies in the bucket.
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
    last: TrainingConfig | None = None
    last_best: str = ""


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
