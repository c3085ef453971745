"""Ways to spoil an episode on purpose: one small function a way, its docstring what `--help` says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainer.simulation import file_faults, metadata_faults, row_faults, video_faults

type Spoil = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to spoil (a name in FAULTS) and the number of the episode it is done to."""

    name: str
    episode: int

    def spoil(self, folder: Path) -> None:
        FAULTS[self.name](folder)


def _named(*ways: Spoil) -> dict[str, Spoil]:
    return {way.__name__: way for way in ways}


FAULTS: dict[str, Spoil] = _named(
    *row_faults.WAYS,
    *video_faults.WAYS,
    *metadata_faults.WAYS,
    *file_faults.WAYS,
)


def catalogue() -> str:
    """Every fault with what it does to an episode, one a line."""
    width = max(map(len, FAULTS))
    return "\n".join(f"  {name:{width}}  {(way.__doc__ or '').strip()}" for name, way in FAULTS.items())
