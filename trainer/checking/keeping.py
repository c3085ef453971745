"""What a check works out is kept, and found again by what it was made of (decision 0010)."""

from dataclasses import dataclass
from pathlib import Path

from trainer.checking.surveys import Surveys


@dataclass(frozen=True)
class Keeping:
    """What is worked out while checking is kept: pictures in the draft of `output`, surveys in a folder.

    `earlier` are converted files that pictures may be copied from.
    """

    output: Path | None = None
    surveys: Path | None = None
    earlier: tuple[Path, ...] = ()

    def remembered(self) -> Surveys:
        """Earlier files have theirs beside them, under the same name."""
        name = self.surveys.name if self.surveys else ""
        return Surveys(self.surveys, tuple(each.with_name(name) for each in self.earlier if name))


KEPT_NOWHERE = Keeping()
