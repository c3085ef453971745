"""A recorded run, as it lies in tests/trainer/detectors/histories/, and what the detectors make of it."""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from trainer.learning.history import EPISODES_LATELY, Epoch
from trainer.watching.detectors import found
from trainer.watching.facts import Channel, Known, Reading, Seen

FOLDER = Path(__file__).parents[2] / "tests" / "trainer" / "detectors" / "histories"
HEALTHY = "healthy"

type Half = Literal["tuning", "counted"]
"""Thresholds were chosen by looking at one half; only the other one counts."""


class Recording(BaseModel):
    """`cause` is what was planted; `real` is False for what was made up: a machine nobody has here.

    `by_episode` has each epoch's errors by episode; `resumed_at` the epochs finished before the last process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: str
    half: Half
    seed: int
    real: bool = True
    epochs: int
    channels: tuple[Channel, ...]
    episodes: tuple[str, ...]
    disagreement: tuple[float | None, ...] = ()
    history: tuple[Epoch, ...]
    by_episode: tuple[tuple[float, ...], ...] = ()
    resumed_at: int | None = None
    readings: tuple[Reading, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.cause}-{self.seed}"

    @property
    def planted_at(self) -> int:
        """How many epochs were finished when the cause began to work."""
        return self.resumed_at or 0

    def save(self, folder: Path) -> None:
        """Compressed, with no time in it: the same run is the same file."""
        content = self.model_dump_json(exclude_defaults=True).encode()
        (folder / f"{self.name}.json.gz").write_bytes(gzip.compress(content, mtime=0))

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls.model_validate_json(gzip.decompress(path.read_bytes()))

    def seen_after(self, epoch: int) -> Seen:
        """What the detectors saw once `epoch` epochs were finished. A resume is not seen before it comes."""
        resumed_at = self.resumed_at if self.resumed_at is not None and epoch > self.resumed_at else None
        return Seen(
            history=self.history[:epoch],
            epochs=self.epochs,
            known=Known(self.channels, self.episodes, self.disagreement),
            resumed_at=resumed_at,
            l1_by_episode=self.by_episode[max(0, epoch - EPISODES_LATELY) : epoch],
            readings=self.readings[:epoch],
        )

    def told(self) -> dict[str, int]:
        """Every fact told in the course of the run, and after how many epochs."""
        told: dict[str, int] = {}
        for epoch in range(1, len(self.history) + 1):
            for fact in found(self.seen_after(epoch), tuple(told)):
                told[fact] = epoch
        return told


def recordings(folder: Path = FOLDER) -> Iterator[Recording]:
    for path in sorted(folder.glob("*.json.gz")):
        yield Recording.load(path)


def of(recorded: Iterable[Recording], half: Half) -> list[Recording]:
    return [one for one in recorded if one.half == half]
