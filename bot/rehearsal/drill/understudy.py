"""A trainer without learning: `python -m bot.rehearsal.drill.understudy run JOB --lock-fd N`.

It keeps to the whole folder protocol (protocol.folders, protocol.progress) and saves, resumes and ends as the
trainer does, in a moment instead of ten seconds: so a drill can pull a hundred plugs in the time of ten. Its
weights are a chain of hashes, one link a step: a step left out, done twice or done from another save than it
claims leads to other bytes.
"""

import errno
import hashlib
import os
import shutil
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from protocol.folders import AttemptFolder, RunFolder
from protocol.job import (
    Checked,
    CheckJob,
    Converted,
    ConvertJob,
    Failed,
    Outcome,
    Probed,
    ProbeJob,
    Trained,
    TrainJob,
    read_job,
)
from protocol.progress import Began, Counted, Line, Saved, Started, Stepped
from protocol.saved import MANIFEST, manifest_of

STEP_S = 0.15
STEPS_PER_EPOCH = 3
FRAMES = 150
PROMISE_S = 20.0
RESUME_EVERY = 7
"""Steps between two resume points."""
WEIGHTS_BYTES = 200_000
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")


class Learned(BaseModel):
    """Where a save stands. `chain` is hexadecimal; `best` the epoch of the lowest loss so far."""

    model_config = ConfigDict(frozen=True)

    step: int = 0
    chain: str = ""
    best: int = 0
    best_chain: str = ""

    @property
    def epoch(self) -> int:
        return self.step // STEPS_PER_EPOCH


class Asked(Exception):
    """SIGTERM: save and leave."""


class Understudy:
    def __init__(self, folder: AttemptFolder) -> None:
        self._folder = folder
        self._asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def act(self) -> None:
        """One attempt, from its first word to its verdict."""
        try:
            outcome = self._outcome()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            outcome = Failed(failure="no_space", message=f"no space left writing {error.filename}")
        except Asked:
            outcome = Failed(failure="stopped", message="stopped on request")
        _write_whole(self._folder.outcome, outcome.model_dump_json().encode())

    def _outcome(self) -> Outcome:
        job = read_job(self._folder.job.read_bytes())
        self._say(Began(at=_now(), next_within_s=PROMISE_S, pid=os.getpid(), phase=job.kind))
        match job:
            case ProbeJob():
                return Probed(device="understudy")
            case CheckJob():
                return self._check(job)
            case ConvertJob():
                return self._convert(job)
            case TrainJob():
                return self._train(job)

    def _check(self, job: CheckJob) -> Checked:
        while job.coming_bytes and not self._folder.arrived.exists():
            self._pause()
            self._say(Counted(at=_now(), next_within_s=PROMISE_S, done=0, total=1, unit="episode"))
        names = sorted(path.name for path in job.data.iterdir() if path.is_dir())
        self._count(names)
        seen = hashlib.sha256("\n".join(names).encode()).hexdigest()
        return Checked(ok=True, episodes=len(names), frames=FRAMES, hash=seen)

    def _convert(self, job: ConvertJob) -> Converted:
        names = sorted(path.name for path in job.data.iterdir() if path.is_dir())
        self._count(names)
        _write_whole(job.output, job.certificate.encode())
        return Converted(episodes=len(names), frames=FRAMES, output=job.output)

    def _count(self, names: list[str]) -> None:
        for number in range(0, len(names), 10):
            self._pause()
            self._say(
                Counted(at=_now(), next_within_s=PROMISE_S, done=number, total=len(names), unit="episode")
            )

    def _train(self, job: TrainJob) -> Trained:
        run, epochs = RunFolder(job.run), job.config.training.epochs
        every = job.config.training.save_checkpoint_every
        if job.left is not None and _newest(run)[0] is None:
            _take_over(run, job.left)
        came_from, learned = _newest(run)
        self._say(_started(learned, epochs, came_from))
        self._catch_up(run, came_from, learned)
        while learned.epoch < epochs:
            try:
                self._pause()
            except Asked:
                self._save(run, "resume", run.resume_at(learned.step), learned)
                raise
            learned = _next(learned)
            at_an_end = learned.step % STEPS_PER_EPOCH == 0
            self._say(_stepped(learned, epochs))
            if at_an_end and (learned.epoch % every == 0 or learned.epoch == epochs):
                self._keep_best(run, learned)
                self._save(run, "checkpoint", run.checkpoint(learned.epoch), learned)
                _write_whole(run.loss_curve, PNG + learned.chain.encode())
            elif learned.step % RESUME_EVERY == 0:
                self._save(run, "resume", run.resume_at(learned.step), learned)
                _drop_all_but_newest(run.resume, 2)
        return _trained(learned, epochs)

    def _catch_up(self, run: RunFolder, came_from: Path | None, learned: Learned) -> None:
        """Say what a killed attempt could not say any more."""
        if learned.best and run.best_at(learned.best).exists():
            self._announce(run, "best", run.best_at(learned.best))
        if came_from is not None and came_from.parent == run.checkpoints:
            self._announce(run, "checkpoint", came_from)

    def _keep_best(self, run: RunFolder, learned: Learned) -> None:
        """Always an earlier epoch than the newest: who takes the newest for the best is found out."""
        target = run.best_at(learned.best)
        best = learned.model_copy(update={"chain": learned.best_chain})
        if learned.best:
            self._save(run, "best", target, best)
            _drop_all_but_newest(run.best, 2)

    def _save(self, run: RunFolder, what: str, target: Path, learned: Learned) -> None:
        if not target.exists():
            _write_folder(target, learned)
        self._announce(run, what, target)

    def _announce(self, run: RunFolder, what: str, target: Path) -> None:
        name = target.relative_to(run.path).as_posix()
        needle = f'"folder":"{name}"'.encode()
        if any(needle in one.read_bytes() for one in run.path.glob("attempts/*/events.jsonl")):
            return
        learned = Learned.model_validate_json((target / "trainer_state.json").read_bytes())
        epoch = learned.best if what == "best" else learned.epoch
        said = {"what": what, "epoch": epoch, "step": learned.step, "folder": name, "loss": _loss(epoch)}
        about = {"at": _now(), "next_within_s": PROMISE_S, "size_bytes": WEIGHTS_BYTES}
        self._say(Saved.model_validate(said | about))

    def _pause(self) -> None:
        """Raises Asked."""
        time.sleep(STEP_S)
        if self._asked:
            raise Asked

    def _ask(self, *_: object) -> None:
        self._asked = True

    def _say(self, line: Line) -> None:
        with self._folder.events.open("ab", buffering=0) as events:
            events.write(line.model_dump_json().encode() + b"\n")


def main(arguments: list[str]) -> None:
    """`run JOB --lock-fd N`: the lock is held by the open descriptor, and no child ever inherits it."""
    _, job, _, lock = arguments
    os.set_inheritable(int(lock), False)
    Understudy(AttemptFolder(Path(job).parent)).act()


# --- what is learned --------------------------------------------------------


def _next(learned: Learned) -> Learned:
    """One step more. The best epoch is always the one before the last multiple of three."""
    chain = hashlib.sha256(f"{learned.chain}{learned.step}".encode()).hexdigest()
    after = learned.model_copy(update={"step": learned.step + 1, "chain": chain})
    if after.step % STEPS_PER_EPOCH == 0 and after.epoch % 3 == 2:
        return after.model_copy(update={"best": after.epoch, "best_chain": chain})
    return after


def _loss(epoch: int) -> float:
    return 1.0 / (1 + epoch)


def _newest(run: RunFolder) -> tuple[Path | None, Learned]:
    """The furthest save. Folders are renamed into place whole, so one that is there is whole."""
    saves = [*run.checkpoints.glob("epoch_*"), *run.resume.glob("step_*")]
    known = [(path, learned) for path in saves if (learned := _read(path)) is not None]
    if not known:
        return None, Learned()
    return max(known, key=lambda one: one[1].step)


def _take_over(run: RunFolder, left: Path) -> None:
    """What a machine that was lost has saved: where nothing is left to learn its best does not come again."""
    learned, best = _read(left / "checkpoint"), _read(left / "best")
    if learned is None:
        return
    run.best.mkdir(parents=True, exist_ok=True)
    if best is not None and best.best == learned.best:
        shutil.copytree(left / "best", run.best_at(best.best))
    shutil.copytree(left / "checkpoint", run.checkpoint(learned.epoch))


def _read(path: Path) -> Learned | None:
    try:
        return Learned.model_validate_json((path / "trainer_state.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _write_folder(target: Path, learned: Learned) -> None:
    unfinished = target.with_name(f".tmp-{target.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "pretrained_model").mkdir(parents=True)
    seed = learned.chain.encode()
    weights = b"".join(hashlib.sha512(seed + bytes([n % 256])).digest() for n in range(WEIGHTS_BYTES // 64))
    try:
        (unfinished / "pretrained_model" / "model.safetensors").write_bytes(weights)
        (unfinished / "trainer_state.json").write_text(learned.model_dump_json())
        (unfinished / MANIFEST).write_bytes(manifest_of(unfinished))
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    unfinished.rename(target)


def _drop_all_but_newest(parent: Path, kept: int) -> None:
    for superseded in sorted(parent.glob("[a-z]*_*"))[:-kept]:
        doomed = superseded.with_name(f".tmp-{superseded.name}")
        superseded.rename(doomed)
        shutil.rmtree(doomed)


def _write_whole(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


# --- what is said -----------------------------------------------------------


def _now() -> datetime:
    return datetime.now(UTC)


def _started(learned: Learned, epochs: int, came_from: Path | None) -> Started:
    return Started(
        at=_now(),
        next_within_s=PROMISE_S,
        device="understudy",
        precision="sha256",
        parameters=WEIGHTS_BYTES,
        episodes=50,
        frames=FRAMES,
        steps_per_epoch=STEPS_PER_EPOCH,
        epoch=learned.epoch,
        epochs=epochs,
        resumed_from=came_from.name if came_from else None,
    )


def _stepped(learned: Learned, epochs: int) -> Stepped:
    loss = _loss(learned.epoch)
    return Stepped(
        at=_now(),
        next_within_s=PROMISE_S,
        epoch=learned.epoch,
        epochs=epochs,
        step=learned.step,
        samples=learned.step * FRAMES // STEPS_PER_EPOCH,
        loss=loss,
        l1=loss,
        kl=0.0,
        last_loss=loss if learned.epoch else None,
        first_loss=_loss(1) if learned.epoch else None,
        lr=1e-4,
        grad_norm=1.0,
        samples_per_s=FRAMES / STEPS_PER_EPOCH / STEP_S,
    )


def _trained(learned: Learned, epochs: int) -> Trained:
    return Trained(
        epochs=epochs,
        first_loss=_loss(1),
        last_loss=_loss(epochs),
        best_loss=_loss(learned.best),
        best_epoch=learned.best,
        first_l1=_loss(1),
        last_l1=_loss(epochs),
        episodes=50,
        frames=FRAMES,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
