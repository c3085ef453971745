"""What a job says while it works: one JSON line each in `events.jsonl`, appended by the job alone.

Lines carry facts, never judgements; judging them is the bot's part. Each line promises when the next
one comes at the latest (`next_within_s`), so silence can be told from patience.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter


class Line(BaseModel):
    """`at` is UTC. `next_within_s` is the job's own promise, in seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    next_within_s: float = Field(default=120.0, gt=0)


class Gpu(BaseModel):
    """Device memory, in bytes, of the device as a whole (not only ours).

    `busy_share` is how much of the last moments it computed, whoever asked it to; None: nobody can tell.
    """

    model_config = ConfigDict(frozen=True)

    used_bytes: int
    total_bytes: int
    busy_share: float | None = Field(default=None, ge=0, le=1)


class Memory(BaseModel):
    """What one real step takes, in bytes: the frames that stay on the device, the most this process has held,
    and what the device has. Of a CPU it is main memory."""

    model_config = ConfigDict(frozen=True)

    data_bytes: int
    peak_bytes: int
    total_bytes: int


class Began(Line):
    """The job runs. `phase` says what it does first, in a word: load, compile, check, convert."""

    event: Literal["began"] = "began"
    pid: int
    phase: str
    versions: dict[str, str] = Field(default_factory=dict[str, str])


class Counted(Line):
    """What a job does has got this far. `unit` is what is counted: `episode` and `file` of a check or a
    conversion, `recipe` while a training that has not started yet tries how its steps are computed best."""

    event: Literal["counted"] = "counted"
    done: int
    total: int
    unit: str


class Started(Line):
    """Training begins or goes on. `epoch` is the number of epochs already finished (0: from the start).

    `recipe` is how a step is computed on this device, as chosen by trying (trainer.learning.recipe).
    """

    event: Literal["started"] = "started"
    device: str
    precision: str
    parameters: int
    episodes: int
    frames: int
    steps_per_epoch: int
    epoch: int = 0
    epochs: int
    resumed_from: str | None = None
    recipe: dict[str, str] = Field(default_factory=dict[str, str])
    memory: Memory | None = None
    versions: dict[str, str] = Field(default_factory=dict[str, str])


class Stepped(Line):
    """How far training is. `loss` is the mean of LeRobot's total loss over the running epoch so far.

    `epoch` counts finished epochs. `last_loss` is the mean of the last finished epoch and `first_loss`
    of the run's first, kept over resumes; both are None until there is one.
    `l1_by_action` is the mean absolute error per action channel, in normalised units; `held_out_l1` the last
    one measured on the episodes that are held out, in action units. `waiting_share` is the part of its time
    for which this process has waited for frames.
    """

    event: Literal["stepped"] = "stepped"
    epoch: int
    epochs: int
    step: int
    samples: int
    loss: float
    l1: float
    kl: float
    last_loss: float | None = None
    first_loss: float | None = None
    best_loss: float | None = None
    best_epoch: int | None = None
    l1_by_action: dict[str, float] = Field(default_factory=dict[str, float])
    held_out_l1: float | None = None
    lr: float
    grad_norm: float
    samples_per_s: float
    waiting_share: float | None = None
    gpu: Gpu | None = None
    eta_s: float | None = None


class Saved(Line):
    """A folder under `checkpoints/` is whole: verified, synced and renamed into place.

    `what` is `checkpoint` (every save_checkpoint_every epochs and at the end), `resume` (a rolling
    point to go on from) or `best` (weights of the lowest epoch mean so far). `folder` is relative to
    the run's folder, `epoch` counts finished epochs.
    """

    event: Literal["saved"] = "saved"
    what: Literal["checkpoint", "resume", "best"]
    epoch: int
    step: int
    folder: str
    loss: float | None
    size_bytes: int


class Found(Line):
    """A fact about the run that may be a lesson: its name and the figures behind it.

    `picture` is a PNG under `findings/`, relative to the run's folder, where one helps to see it.
    """

    event: Literal["found"] = "found"
    fact: str
    figures: dict[str, float | int | str] = Field(default_factory=dict[str, float | int | str])
    picture: str | None = Field(default=None, pattern=r"^findings/[\w.-]+\.png$")


Progress = Annotated[
    Began | Counted | Started | Stepped | Saved | Found,
    Field(discriminator="event"),
]

_LINE: TypeAdapter[Progress] = TypeAdapter(Progress)


def read_line(text: str | bytes) -> Progress:
    """One line of `events.jsonl`.

    Raises:
        pydantic.ValidationError: it is not one of ours.
    """
    return _LINE.validate_json(text)
