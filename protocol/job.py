"""What a job is told and what it answers. `protocol.folders` says where that is written.

The exit code is only a hint: the verdict is the outcome.
"""

from enum import IntEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from protocol.progress import Gpu
from protocol.training import TrainingConfig


class ExitCode(IntEnum):
    """Exit codes of `python -m trainer` and of the `training-claw` verbs that start it."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 4
    STOPPED = 5
    OUT_OF_MEMORY = 6
    DIVERGED = 7
    NO_SPACE = 8
    NO_DEVICE = 9
    NO_WEIGHTS = 10


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- what a job is told -----------------------------------------------------


class ProbeJob(Value):
    """Is the device usable? Takes one small step on it."""

    kind: Literal["probe"] = "probe"
    device: Literal["cuda", "cpu"] = "cuda"


class CheckJob(Value):
    """Is the data set in the folder `data` fit to train on?

    Each picture is decoded once: what a ConvertJob for `output` needs of it is kept on the way, what was seen
    is remembered in the folder `surveys`, and neither is done again for an episode that has not changed.
    `earlier` are converted files from which pictures may be copied, their surveys beside them. `coming_bytes`
    of the set are still to come: each file lands whole, and AttemptFolder.arrived says when all is here.
    """

    kind: Literal["check"] = "check"
    data: Path
    config: TrainingConfig
    output: Path | None = None
    surveys: Path | None = None
    earlier: tuple[Path, ...] = ()
    coming_bytes: int = Field(default=0, ge=0)


class ConvertJob(Value):
    """Turn the admitted episodes in `data` into one HDF5 file at `output`.

    What a CheckJob has kept for it, and what the `earlier` converted files hold, is not decoded again.
    """

    kind: Literal["convert"] = "convert"
    data: Path
    output: Path
    config: TrainingConfig
    certificate: str = ""
    earlier: tuple[Path, ...] = ()


class TrainJob(Value):
    """Train on the HDF5 file `data`, saving under `run` (see RunFolder), from the newest good save there.

    A fresh run goes on from what a lost one has `left` (RunFolder.left), else it starts from the weights in
    `initial_weights`, a `pretrained_model` folder. `reference` takes
    each step as lerobot-train does, to compare results with: slow, and no speed-up. A resume point is saved
    every `resume_point_every_s` seconds. `journal` says of each change of the config whose word it rests on.
    """

    kind: Literal["train"] = "train"
    data: Path
    run: Path
    config: TrainingConfig
    device: Literal["cuda", "cpu"] = "cuda"
    certificate: str = ""
    journal: tuple[str, ...] = ()
    initial_weights: Path | None = None
    left: Path | None = None
    reference: bool = False
    resume_point_every_s: float = Field(default=300.0, gt=0)


Job = Annotated[ProbeJob | CheckJob | ConvertJob | TrainJob, Field(discriminator="kind")]


# --- what it answers --------------------------------------------------------


class Probed(Value):
    """The device works. `device` is what people call it, `gpu` how full it is; None for a CPU."""

    kind: Literal["probed"] = "probed"
    device: str
    gpu: Gpu | None = None


class Problem(Value):
    """What is wrong with the data. `message` is one Korean sentence part without the episode's name."""

    severity: Literal["refuse", "warn"]
    check: str
    message: str
    episode: str | None = None
    frame: int | None = None


class Checked(Value):
    """A data set's verdict. `hash` is SHA-256 over names and content of all its files."""

    kind: Literal["checked"] = "checked"
    ok: bool
    episodes: int
    frames: int
    hash: str
    problems: tuple[Problem, ...] = ()


class Converted(Value):
    """The HDF5 file is whole. `episodes` and `frames` are what remains after exclusions and cuts."""

    kind: Literal["converted"] = "converted"
    episodes: int
    frames: int
    output: Path


class Trained(Value):
    """Training came to its end. Losses are epoch means of LeRobot's total loss, `l1` of its L1 part.

    Where episodes are held out the best epoch is that of `best_held_out_l1`, in action units. `peak_gpu` is
    the most device memory of the last process; None on a CPU.
    """

    kind: Literal["trained"] = "trained"
    epochs: int
    first_loss: float
    last_loss: float
    best_loss: float
    best_epoch: int
    first_l1: float
    last_l1: float
    episodes: int
    frames: int
    peak_gpu: Gpu | None = None
    best_held_out_l1: float | None = None


FailureKind = Literal[
    "stopped",
    "out_of_memory",
    "diverged",
    "no_space",
    "no_device",
    "no_weights",
    "bad_data",
    "bad_job",
    "error",
]


class Failed(Value):
    """It did not come to its end. `message` is one line for people: the thing, the place, the next step.

    `fits_batch_size` goes with out_of_memory: the largest one that was tried and fits.
    """

    kind: Literal["failed"] = "failed"
    failure: FailureKind
    message: str
    epoch: int | None = None
    fits_batch_size: int | None = None


Outcome = Annotated[Probed | Checked | Converted | Trained | Failed, Field(discriminator="kind")]

EXIT_OF_FAILURE: dict[FailureKind, ExitCode] = {
    "stopped": ExitCode.STOPPED,
    "out_of_memory": ExitCode.OUT_OF_MEMORY,
    "diverged": ExitCode.DIVERGED,
    "no_space": ExitCode.NO_SPACE,
    "no_device": ExitCode.NO_DEVICE,
    "no_weights": ExitCode.NO_WEIGHTS,
    "bad_data": ExitCode.REFUSED,
    "bad_job": ExitCode.USAGE,
    "error": ExitCode.FAILED,
}


class Holder(Value):
    """What stands in `lock`: who holds it. A pid alone may be another process's by now."""

    pid: int
    started_ticks: int

    @classmethod
    def of(cls, pid: int, stat: str) -> Self:
        """By its `/proc/<pid>/stat`: field 22 (proc(5)) is when it began, in clock ticks since boot."""
        return cls(pid=pid, started_ticks=int(stat.rpartition(")")[2].split()[19]))


_JOB: TypeAdapter[Job] = TypeAdapter(Job)
_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)


def read_job(text: str | bytes) -> Job:
    """Raises pydantic.ValidationError."""
    return _JOB.validate_json(text)


def read_outcome(text: str | bytes) -> Outcome:
    """Raises pydantic.ValidationError."""
    return _OUTCOME.validate_json(text)
