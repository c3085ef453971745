"""Where everything of a run lies: the name of every file, known to bot and trainer alike.

    runs/<run>/                         RunFolder
        data.h5                         the converted data set
        surveys/                        what a check has seen in its videos (trainer.checking.surveys)
        checkpoints/epoch_050/          a checkpoint, in LeRobot's layout, with a manifest (protocol.saved)
        checkpoints/best/epoch_042/     weights of the best epoch so far; the former best lies beside it
        checkpoints/resume/step_…/      the rolling resume point; the former one lies beside it
        loss_curve.png  tensorboard/
        initial/                        an earlier run's checkpoint that this one starts from
        left/checkpoint/  left/best/    what a machine that was lost has left of this run in the bucket
        findings/                       pictures of what the run showed
        lock                            held by the training for as long as it goes on
        recipe.json                     how a step is computed on this device (trainer.learning.recipe)
        attempts/<n>/                   AttemptFolder: one process
            job.json                    what to do, written before the process starts
            arrived                     of a check that began ahead: there once all its data is here
            lock                        held by the process for as long as it lives; holds a Holder
            events.jsonl                facts, appended by the process alone (protocol.progress)
            outcome.json                the verdict: temp, fsync, rename. The exit code is only a hint
            certificate.json            of an admitting check: what the data is (trainer.checking.certificate)
            report/                     of a check: JSON and pictures (trainer.checking.report)
            trainer.log                 for people

The bot opens and locks `lock`, hands the descriptor to the process (`--lock-fd`) and closes its own copy.
Where a supervisor starts the process instead, the bot leaves an empty file in `runs/wanted/` whose name says
which attempt it asks for; the process removes it once it holds the lock.
A free lock without an outcome, and nobody asked for: the process crashed.
"""

from dataclasses import dataclass
from pathlib import Path

WANTED = "wanted"
"""Folder beside the runs in which a supervisor is asked to start processes."""

ROUTINE = " INFO "
"""In a line of an attempt's log: it tells what was done. What went wrong stands in the others."""


@dataclass(frozen=True, slots=True)
class AttemptFolder:
    """One process of a run. `path` is `runs/<run>/attempts/<n>`."""

    path: Path

    @property
    def job(self) -> Path:
        return self.path / "job.json"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def outcome(self) -> Path:
        return self.path / "outcome.json"

    @property
    def arrived(self) -> Path:
        return self.path / "arrived"

    @property
    def certificate(self) -> Path:
        return self.path / "certificate.json"

    @property
    def report(self) -> Path:
        return self.path / "report"

    @property
    def log(self) -> Path:
        """What was printed and logged."""
        return self.path / "trainer.log"

    @property
    def request(self) -> Path:
        """There from the order to start the job until its process holds the lock; empty."""
        runs, run, number = self.path.parents[2], self.path.parents[1].name, self.path.name
        return runs / WANTED / f"{run}.{number}"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """All of one run. `path` is `runs/<run>`."""

    path: Path

    def attempt(self, number: int) -> AttemptFolder:
        return AttemptFolder(self.path / "attempts" / str(number))

    @property
    def data(self) -> Path:
        return self.path / "data.h5"

    @property
    def surveys(self) -> Path:
        return self.path / "surveys"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def checkpoint(self, epoch: int) -> Path:
        """Padded to three digits as in the bucket; order by number, not by name."""
        return self.checkpoints / f"epoch_{epoch:03d}"

    @property
    def best(self) -> Path:
        return self.checkpoints / "best"

    def best_at(self, epoch: int) -> Path:
        """Its files are those of a `pretrained_model`. Which one is current, a Saved line says."""
        return self.best / f"epoch_{epoch:03d}"

    @property
    def resume(self) -> Path:
        return self.checkpoints / "resume"

    def resume_at(self, step: int) -> Path:
        return self.resume / f"step_{step:09d}"

    @property
    def initial(self) -> Path:
        return self.path / "initial"

    @property
    def left(self) -> Path:
        return self.path / "left"

    @property
    def findings(self) -> Path:
        return self.path / "findings"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.json"

    @property
    def loss_curve(self) -> Path:
        return self.path / "loss_curve.png"


def requested(request: Path) -> AttemptFolder:
    """The attempt that a file in `wanted/` asks for.

    >>> requested(Path("runs/wanted/cycle07-3f2a.12")).path.as_posix()
    'runs/cycle07-3f2a/attempts/12'

    Raises:
        ValueError: its name does not say which.
    """
    run, _, number = request.name.rpartition(".")
    return RunFolder(request.parents[1] / run).attempt(int(number))
