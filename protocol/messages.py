"""What is said in the channel, as values. How they are laid out is the business of `protocol.wording`.

Incoming messages keep the text they were read from. Outgoing ones know who must hear them: recipients are
part of the kind, so a message without one cannot be made.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from protocol.roster import Peer, Roster
from protocol.training import Change


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- heard ------------------------------------------------------------------


class Lesson(Value):
    """One lesson. `category` has no brackets and may be empty.

    `remedy` is what stood behind `→ 적용:`, an order when Watcher's own message says it.
    """

    category: str
    text: str
    remedy: str | None = None


class Heard(Value):
    """`text` is the message as it came; `message_id` is Discord's, when there is one."""

    text: str = ""
    message_id: int | None = None


class Handoff(Heard):
    """Developer's says where the data lies, Watcher's which cycle begins and what was learned."""

    kind: Literal["handoff"] = "handoff"
    cycle: int | None = None
    data: str | None = None
    episodes: int | None = None
    lessons: tuple[Lesson, ...] = ()
    extra: dict[str, str] = Field(default_factory=dict[str, str])


class Lessons(Heard):
    kind: Literal["lessons"] = "lessons"
    cycle: int | None = None
    lessons: tuple[Lesson, ...] = ()


class Approval(Heard):
    """A yes. `proposal` is the hash or reference it names; `items` its lines, all when empty.

    `rejected` are lines held back in the same breath (`1번은 승인, 2번은 보류`).
    """

    kind: Literal["approval"] = "approval"
    proposal: str | None = None
    items: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()


class Rejection(Heard):
    kind: Literal["rejection"] = "rejection"
    proposal: str | None = None
    items: tuple[int, ...] = ()
    reason: str = ""


class Acknowledgement(Heard):
    """Neither yes nor no: `확인했습니다`. It is asked back once."""

    kind: Literal["acknowledgement"] = "acknowledgement"


class Order(Heard):
    kind: Literal["order"] = "order"
    verb: Literal["stop", "resume", "retry"]


class Talk(Heard):
    """Free words to us. `about` is what they ask for, as far as it can be told."""

    kind: Literal["talk"] = "talk"
    about: Literal["status", "lessons", "checkpoints", "config", "complaint", "other"] = "other"


class Command(Heard):
    """An operator's `!name arguments`."""

    kind: Literal["command"] = "command"
    name: str
    arguments: tuple[str, ...] = ()


Incoming = Handoff | Lessons | Approval | Rejection | Acknowledgement | Order | Talk | Command


# --- said -------------------------------------------------------------------


class Said(Value):
    """`ref` is the outbox reference, the last line of all. `notes` are lines after the card's own."""

    to_peer: ClassVar[Peer] = Peer.WATCHER

    ref: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._:/#+-]{0,63})?$")
    notes: tuple[str, ...] = ()

    def recipients(self, roster: Roster) -> tuple[int, ...]:
        return (roster.id_of(self.to_peer),)


class Addressed(Said):
    """Goes to whoever asked: a peer or an operator, by Discord id."""

    to: tuple[int, ...] = Field(min_length=1, max_length=20)

    def recipients(self, roster: Roster) -> tuple[int, ...]:  # noqa: ARG002  the kind decides, not the roster
        return self.to


class GpuMemory(Value):
    """Device memory in GiB, which the card writes `28.5/40GB`: an A100 of 40 has 2^30 bytes 40 times."""

    used_gb: float = Field(ge=0, allow_inf_nan=False)
    total_gb: float = Field(ge=0, allow_inf_nan=False)


class TrainingReport(Said):
    """The card's periodic REPORT. Losses are epoch means of LeRobot's total loss; None is not known yet.

    `gpu` None means it runs on the CPU, "unknown" that nobody has told of the GPU yet; `lr` is the rate of
    the main parameter group; `missed` are the earlier due times that this one report makes up for.
    """

    kind: Literal["training_report"] = "training_report"
    epoch: int
    epochs: int
    loss: float | None
    first_loss: float | None
    lr: float
    gpu: GpuMemory | Literal["unknown"] | None
    now: AwareDatetime
    eta: AwareDatetime | None
    checkpoint: str | None
    missed: tuple[AwareDatetime, ...] = ()


Phase = Literal[
    "fetching",
    "checking",
    "converting",
    "awaiting_handoff",
    "awaiting_data",
    "awaiting_approval",
    "starting",
    "held",
    "stalled",
    "uploading",
]


class PhaseReport(Said):
    """The periodic REPORT of every other phase: what is waited for, since when, what comes next."""

    kind: Literal["phase_report"] = "phase_report"
    phase: Phase
    cycle: int
    waiting_for: str
    since: AwareDatetime
    now: AwareDatetime
    next_step: str
    missed: tuple[AwareDatetime, ...] = ()


class RestartNotice(Said):
    """`[REPORT] 재시작 알림.` `repeated_epochs` is training done again because of it."""

    kind: Literal["restart_notice"] = "restart_notice"
    cause: str
    checkpoint: str | None
    repeated_epochs: int | None
    now: AwareDatetime
    eta: AwareDatetime | None


class SettledChange(Value):
    """A change with its reason and whose word it rests on."""

    change: Change
    lesson: str
    approved_by: str


class ChangeReport(Said):
    """`[REPORT] 설정 변경 사전 보고.` sent before the start."""

    kind: Literal["change_report"] = "change_report"
    cycle: int
    changes: tuple[SettledChange, ...] = Field(min_length=1)


class ProposedChange(Value):
    """One numbered line of a proposal. `number` counts from 1."""

    number: int
    changes: tuple[Change, ...] = Field(min_length=1)
    reason: str
    lesson: str


class ProposalPosted(Said):
    """An exact config diff that awaits Watcher, named by the hash of the config it leads to."""

    kind: Literal["proposal"] = "proposal"
    cycle: int
    hash: str = Field(pattern=r"^[0-9A-Za-z._-]{1,64}$")
    lines: tuple[ProposedChange, ...] = Field(min_length=1)
    blocking: bool = True


class StartReport(Said):
    """`[REPORT] 학습 시작.` `changes` are the differences from the card's config."""

    kind: Literal["start_report"] = "start_report"
    cycle: int
    episodes: int
    frames: int
    changes: tuple[Change, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict[str, str])
    now: AwareDatetime
    eta: AwareDatetime | None


class Insight(Value):
    """The card's five lines of a new insight."""

    category: str
    problem: str
    cause: str
    remedy: str
    scope: str


class LessonFound(Said):
    """New insights: one, or those found within a minute of each other, in the order they were found."""

    kind: Literal["lesson_found"] = "lesson_found"
    insights: tuple[Insight, ...] = Field(min_length=1)


BlockCause = Literal[
    "data",
    "no_data",
    "foreign_bucket",
    "bucket",
    "plan",
    "repeat",
    "disk",
    "gpu",
    "memory",
    "divergence",
    "weights",
    "trainer",
]


class Blocked(Said):
    """`[BLOCKED] <무엇>.` / `문제:` / `요청:`. The cause fixes the heading."""

    kind: Literal["blocked"] = "blocked"
    cause: BlockCause
    problems: tuple[str, ...] = Field(min_length=1)
    request: str


class LessonOutcome(Value):
    """What became of one lesson: applied ✅, refused ⛔ with the reason, or asked and unanswered ❔."""

    mark: Literal["applied", "refused", "unanswered"]
    text: str
    outcome: str = ""


class Done(Said):
    """The card's DONE. `best` is the cycle's path in the bucket; that there were no lessons is said, too."""

    kind: Literal["done"] = "done"
    cycle: int
    lessons: tuple[LessonOutcome, ...]
    final_loss: float
    best: str


class FinalHandoff(Said):
    """The card's HANDOFF to Evaluation. Paths are the flat ones; `episodes` is what was trained on."""

    to_peer: ClassVar[Peer] = Peer.EVALUATION

    kind: Literal["final_handoff"] = "final_handoff"
    final_loss: float
    best: str
    checkpoints: str
    loss_curve: str
    episodes: int
    epochs: int


class CycleStopped(Said):
    """The end of a cycle that did not come to its DONE."""

    kind: Literal["cycle_stopped"] = "cycle_stopped"
    cycle: int
    by: str
    epoch: int | None
    checkpoint: str | None
    lessons: tuple[LessonOutcome, ...] = ()


class Receipt(Addressed):
    """Said within seconds: what was understood, what comes next."""

    kind: Literal["receipt"] = "receipt"
    understood: tuple[str, ...] = Field(min_length=1)
    next_step: str


class Answer(Addressed):
    """An answer to a question or a command. `body` may have several lines; `block` stands in a fence."""

    kind: Literal["answer"] = "answer"
    body: str
    block: str = ""


class Question(Addressed):
    """`how_to_answer` is one line that says exactly what to write."""

    kind: Literal["question"] = "question"
    question: str
    how_to_answer: str


class Alert(Addressed):
    """Something an operator must look at."""

    kind: Literal["alert"] = "alert"
    body: str


Outgoing = Annotated[
    TrainingReport
    | PhaseReport
    | RestartNotice
    | ChangeReport
    | ProposalPosted
    | StartReport
    | LessonFound
    | Blocked
    | Done
    | FinalHandoff
    | CycleStopped
    | Receipt
    | Answer
    | Question
    | Alert,
    Field(discriminator="kind"),
]

PERIODIC = (TrainingReport, PhaseReport)
"""The only kinds that may be folded or late."""
