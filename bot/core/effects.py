"""What shall be done. Orders, in the imperative; each is safe to carry out twice.

An effect is owed from the moment the state that wants it is saved until the shell has settled it.
`key` says which effects are the same: an owed key is not owed a second time.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from protocol.messages import Lesson, Outgoing
from protocol.training import TrainingConfig

SHOWN = r"^(loss_curve|findings/[\w.-]+\.png|attempts/\d+/report)$"


class Order(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Post(Order):
    """Say it. `show` names what of `run` goes along, if it is there: its curve, pictures of findings, or the
    report of a check.

    `unasked`: it is no answer, whatever its kind; a question about a lesson must be asked.
    """

    kind: Literal["post"] = "post"
    message: Outgoing
    unasked: bool = False
    show: tuple[Annotated[str, Field(pattern=SHOWN)], ...] = ()
    run: str | None = None

    @property
    def key(self) -> str:
        return f"post/{self.message.ref}"


class ReadTerms(Order):
    """Look for ssot/PLAN.md, lessons/cycleNN.md of this cycle and of the one before."""

    kind: Literal["read_terms"] = "read_terms"
    cycle: int
    asked: int

    @property
    def key(self) -> str:
        return f"read_terms/{self.cycle}/{self.asked}"


class LookAtPlan(Order):
    """Look whether ssot/PLAN.md says what it said when the cycle was opened."""

    kind: Literal["look_at_plan"] = "look_at_plan"
    cycle: int
    asked: int

    @property
    def key(self) -> str:
        return f"look_at_plan/{self.cycle}/{self.asked}"


class TranslateLesson(Order):
    """Ask the translator what this lesson, entry `entry` of the ledger, would change of `config`.

    `why` is what kept us from understanding it.
    """

    kind: Literal["translate_lesson"] = "translate_lesson"
    cycle: int
    entry: int
    lesson: Lesson
    why: str
    config: TrainingConfig

    @property
    def key(self) -> str:
        return f"translate_lesson/{self.cycle}/{self.entry}"


class FetchData(Order):
    """Bring the data set at `source` (`gs://…`, or a path in our bucket) to this machine."""

    kind: Literal["fetch_data"] = "fetch_data"
    cycle: int
    source: str
    asked: int

    @property
    def key(self) -> str:
        return f"fetch_data/{self.cycle}/{self.asked}"


class FetchWeights(Order):
    """Bring the checkpoint at `path` in the bucket to where `run` starts from it."""

    kind: Literal["fetch_weights"] = "fetch_weights"
    cycle: int
    run: str
    path: str
    asked: int

    @property
    def key(self) -> str:
        return f"fetch_weights/{self.cycle}/{self.asked}"


class BringBack(Order):
    """Bring run `of`'s checkpoint after `epoch` epochs, and its best, to where `run` goes on from them."""

    kind: Literal["bring_back"] = "bring_back"
    cycle: int
    run: str
    of: str
    epoch: int
    asked: int

    @property
    def key(self) -> str:
        return f"bring_back/{self.cycle}/{self.asked}"


class StartJob(Order):
    """Start a trainer process, unless this attempt was started before. `source` is where its data is from.

    `journal` says of each change of the config on whose word it was made. `coming_bytes` of a check's data
    are still to come: it begins with what is here, and hears by TellArrived when that is all.
    """

    kind: Literal["start_job"] = "start_job"
    run: str
    attempt: int
    work: Literal["probe", "check", "convert", "train"]
    source: str
    config: TrainingConfig
    certificate: str = ""
    journal: tuple[str, ...] = ()
    coming_bytes: int = 0

    @property
    def key(self) -> str:
        return f"start_job/{self.run}/{self.attempt}"


class TellArrived(Order):
    """Tell a check that began ahead that its data set is all here."""

    kind: Literal["tell_arrived"] = "tell_arrived"
    run: str
    attempt: int

    @property
    def key(self) -> str:
        return f"tell_arrived/{self.run}/{self.attempt}"


class StopJob(Order):
    """SIGTERM: save and leave."""

    kind: Literal["stop_job"] = "stop_job"
    run: str
    attempt: int

    @property
    def key(self) -> str:
        return f"stop_job/{self.run}/{self.attempt}"


class KillJob(Order):
    """SIGKILL: it was asked to leave, and is silent."""

    kind: Literal["kill_job"] = "kill_job"
    run: str
    attempt: int

    @property
    def key(self) -> str:
        return f"kill_job/{self.run}/{self.attempt}"


class OfAnEpoch(Order):
    """About what a run has saved, or drawn, after `epoch` epochs."""

    cycle: int
    run: str
    epoch: int


class PublishCheckpoint(OfAnEpoch):
    """Bring `folder` (relative to the run's) to `checkpoints/cycleNN/act_epoch_NNN/` and its flat path."""

    kind: Literal["publish_checkpoint"] = "publish_checkpoint"
    folder: str
    meta: dict[str, str | int | float]

    @property
    def key(self) -> str:
        return f"publish_checkpoint/{self.run}/{self.epoch}"


class PublishBest(OfAnEpoch):
    """Bring the best weights so far, in `folder`, to `checkpoints/cycleNN/act_best/`."""

    kind: Literal["publish_best"] = "publish_best"
    folder: str
    meta: dict[str, str | int | float]

    @property
    def key(self) -> str:
        return f"publish_best/{self.run}/{self.epoch}"


class PublishCurve(OfAnEpoch):
    """Bring `loss_curve.png` to its flat path and the cycle's."""

    kind: Literal["publish_curve"] = "publish_curve"

    @property
    def key(self) -> str:
        return f"publish_curve/{self.run}/{self.epoch}"


class ForgetCheckpoint(OfAnEpoch):
    """Delete this checkpoint, in the bucket and here. It is verified in the bucket and superseded."""

    kind: Literal["forget_checkpoint"] = "forget_checkpoint"
    folder: str

    @property
    def key(self) -> str:
        return f"forget_checkpoint/{self.run}/{self.epoch}"


class VerifyCheckpoint(Order):
    """Read every byte of the checkpoint at `path` in the bucket again, and hold it against its manifest."""

    kind: Literal["verify_checkpoint"] = "verify_checkpoint"
    path: str
    asked: int

    @property
    def key(self) -> str:
        return f"verify_checkpoint/{self.path}/{self.asked}"


class HandOn(Order):
    """Replace flat `act_best/` by this cycle's best and the loss curve by its last: Evaluation is next."""

    kind: Literal["hand_on"] = "hand_on"
    cycle: int
    run: str

    @property
    def key(self) -> str:
        return f"hand_on/{self.run}"


Effect = Annotated[
    Post
    | ReadTerms
    | LookAtPlan
    | TranslateLesson
    | FetchData
    | FetchWeights
    | BringBack
    | StartJob
    | TellArrived
    | StopJob
    | KillJob
    | PublishCheckpoint
    | PublishBest
    | PublishCurve
    | HandOn
    | ForgetCheckpoint
    | VerifyCheckpoint,
    Field(discriminator="kind"),
]

_EFFECT: TypeAdapter[Effect] = TypeAdapter(Effect)


def read_effect(text: str | bytes) -> Effect:
    """Raises pydantic.ValidationError."""
    return _EFFECT.validate_json(text)
