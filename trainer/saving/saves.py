"""Which folders a training leaves under `checkpoints/`, when, and which of them it goes on from.

Best weights and resume points are numbered; the two newest of each are kept. So at any instant one of them is
whole under a name that nobody is changing. Checkpoints are never deleted here.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from protocol.folders import RunFolder
from protocol.progress import Line, Saved
from protocol.saved import damage
from trainer.learning.history import Best, TrainerState
from trainer.learning.learner import Learner
from trainer.learning.pace import Pace
from trainer.process.attempt import now
from trainer.saving import folder, room
from trainer.saving.checkpoint import read_state, write_best, write_checkpoint
from trainer.saving.snapshot import ModelCopy, TrainingCopy
from trainer.saving.writer import Writer

KEPT = 2

OURS = re.compile(r"(epoch|step)_[0-9]+")

type What = Literal["checkpoint", "resume", "best"]

log = logging.getLogger(__name__)


@dataclass
class Saves:
    """The saves of one run, written while the training goes on.

    The best weights wait in memory for the next save: to write each would cost much. A write that fails ends
    the training at its next call here.
    """

    run: RunFolder
    say: Callable[[Line], None]
    pace: Pace
    _writer: Writer = field(default_factory=Writer)
    _unsaved_best: ModelCopy | None = None

    def keep_best(self, learner: Learner, state: TrainerState) -> None:
        """Remember the weights of the epoch that has just become the best one."""
        with self._standing_still():
            self._unsaved_best = ModelCopy.of(learner, state, over=self._unsaved_best)

    def checkpoint(self, learner: Learner, state: TrainerState) -> None:
        """The best so far, then a checkpoint at an epoch's end."""
        self._save("checkpoint", self.run.checkpoint(state.epoch), learner, state)

    def resume_point(self, learner: Learner, state: TrainerState) -> None:
        """The best so far, then where we are, in mid-epoch or not."""
        self._save("resume", self.run.resume_at(state.step), learner, state)

    def resume_point_if_idle(self, learner: Learner, state: TrainerState) -> None:
        """As `resume_point`, unless another save is still being written: then its turn comes later."""
        self._writer.look()
        if not self.is_busy:
            self.resume_point(learner, state)

    @property
    def is_busy(self) -> bool:
        """Whether anything is being written."""
        return self._writer.is_busy

    def wait(self) -> None:
        """Until all is written."""
        self._writer.wait()

    def _save(self, what: What, target: Path, learner: Learner, state: TrainerState) -> None:
        with self._standing_still():
            best, self._unsaved_best = self._unsaved_best, None
            taken = TrainingCopy.of(learner, state)
            self._writer.submit(lambda: self._write(what, target, learner, taken, best))
        self.pace.saving()

    def _write(
        self, what: What, target: Path, learner: Learner, taken: TrainingCopy, best: ModelCopy | None
    ) -> None:
        needed = taken.num_bytes + (best.num_bytes if best else 0)
        room.require(self.run.checkpoints, needed, f"saving {target.name}")
        if best is not None:
            best_at = self.run.best_at(best.state.epoch)
            self._make("best", best_at, lambda: write_best(best_at, learner, best))
            drop_all_but_newest(self.run.best, KEPT)
        self._make(what, target, lambda: write_checkpoint(target, learner, taken))
        drop_all_but_newest(self.run.resume, KEPT)

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        started_at = self.pace.clock()
        yield
        self.pace.stood_still(started_at)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._writer.__exit__(*raised)

    def catch_up(self, came_from: Path | None, state: TrainerState) -> None:
        """Announce what a killed attempt had made whole but could no longer say."""
        if state.best is not None:
            self._announce("best", self.run.best_at(state.best.epoch))
        if came_from is not None and came_from.parent == self.run.checkpoints:
            self._announce("checkpoint", came_from)

    def _make(self, what: What, target: Path, write: Callable[[], None]) -> None:
        if damage(target) is not None:
            started_at = self.pace.clock()
            write()
            self.pace.saved(started_at)
        self._announce(what, target)

    def _announce(self, what: What, target: Path) -> None:
        """Once a run: who hears of a folder again would take it for another one."""
        name = target.relative_to(self.run.path).as_posix()
        state = read_state(target)
        if state is None or _was_said(self.run, name):
            return
        self.say(
            Saved(
                at=now(),
                next_within_s=self.pace.promise_s,
                what=what,
                epoch=state.epoch,
                step=state.step,
                folder=name,
                loss=state.history[-1].loss if state.history else None,
                size_bytes=folder.size_bytes(target),
            )
        )


def _was_said(run: RunFolder, name: str) -> bool:
    """In a whole line: half of one, the last word of a process that was killed, nobody understands."""
    needle = f'"folder":"{name}"'.encode()
    told = (events.read_bytes() for events in run.path.glob("attempts/*/events.jsonl"))
    return any(needle in each.rpartition(b"\n")[0] for each in told)


def newest_good(run: RunFolder) -> tuple[Path, TrainerState] | None:
    """The furthest whole save, of checkpoints and resume points alike; damaged ones are passed over."""
    saved = [(path, read_state(path)) for path in (*_numbered(run.checkpoints), *_numbered(run.resume))]
    known = [(path, state) for path, state in saved if state is not None]
    for path, state in sorted(known, key=lambda each: each[1].step, reverse=True):
        if (wrong := damage(path)) is None:
            return path, state
        log.warning("passed over: %s", wrong)
    return None


def good_best(run: RunFolder, best: Best | None) -> Best | None:
    """`best`, if its weights are indeed on the disk, whole."""
    if best is None or damage(run.best_at(best.epoch)) is None:
        return best
    log.warning("the best weights so far, of epoch %d, are gone: the next epoch becomes the best", best.epoch)
    return None


def forget_after(run: RunFolder, state: TrainerState) -> None:
    """Remove best weights and resume points beyond `state`, from where we now go on: they come again."""
    later = [path for path in _numbered(run.best) if _number(path) > state.epoch]
    later += [path for path in _numbered(run.resume) if _number(path) > state.step]
    for path in later:
        folder.remove(path)


def drop_all_but_newest(parent: Path, kept: int) -> None:
    """Of numbered folders in `parent`, remove those that were superseded."""
    numbered = sorted(_numbered(parent), key=_number)
    for superseded in numbered[: max(0, len(numbered) - kept)]:
        folder.remove(superseded)


def _numbered(parent: Path) -> Iterable[Path]:
    """Folders named as ours are. A copy or an archive that somebody made beside them is not ours to touch."""
    return (path for path in parent.glob("*_*") if OURS.fullmatch(path.name) and path.is_dir())


def _number(path: Path) -> int:
    return int(path.name.rpartition("_")[2])
