"""Where sets are checked and converted in tests, by a crew that is no more than ourselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from protocol.job import Checked
from protocol.training import TrainingConfig
from trainer.checking.check import Judgement, judge
from trainer.checking.keeping import Keeping
from trainer.converting.convert import convert
from trainer.data.fingerprint import hash_files, hash_set
from trainer.data.store import FrameStore
from trainer.data.tree import look_through
from trainer.process.attempt import Stop, Told
from trainer.process.workers import Heard


class InThisProcess:
    """A crew of one: us."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def do[Item, Result](
        self, work: Callable[[Item], Result], items: Sequence[Item], *, told: Told
    ) -> list[Result]:
        results: list[Result] = []
        for done, item in enumerate(items, start=1):
            self.stop.leave_if_asked()
            results.append(work(item))
            told(done, len(items))
        return results

    def keep_up[Item](
        self, work: Callable[[Item], object], more: Callable[[], Sequence[Item] | None], *, told: Heard
    ) -> None:
        done = 0
        while (items := more()) is not None:
            done += len(self.do(work, items, told=lambda *_: None))
            self.stop.leave_if_asked()
            told(done)


@dataclass(frozen=True)
class Desk:
    """Where a set is checked and converted, as the bot has it done."""

    path: Path
    config: TrainingConfig

    @property
    def output(self) -> Path:
        return self.path / "data.h5"

    def check(self, data: Path, stop: Stop | None = None, **more: Any) -> Judgement:
        keeping = Keeping(self.output, self.path / "surveys", more.pop("earlier", ()))
        return judge(data, self.config, keeping=keeping, stop=stop, **more)

    def convert(self, data: Path, verdict: Checked, earlier: tuple[Path, ...] = ()) -> np.ndarray:
        convert(data, self.output, self.config, verdict.hash, earlier=earlier)
        return pictures_of(self.output)


def pictures_of(path: Path) -> np.ndarray:
    return FrameStore.open(path).frames["ego"].copy()


def hash_folder(folder: Path) -> str:
    """Of all files under `folder`, as a check names the set."""
    tree = look_through(folder)
    return hash_set(hash_files(tree.files), tree.astray)
