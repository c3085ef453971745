"""What a check works out is kept, and found again by what it was made of (decision 0010)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol.training import TrainingConfig
from trainer.checking.surveys import Surveys
from trainer.converting.draft import Draft, begin, is_of, places_of
from trainer.data.episode import Source
from trainer.data.rows import Table


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

    def draft(
        self,
        rows: Sequence[tuple[Source, Table]],
        data: Path,
        hashes: Mapping[str, str],
        config: TrainingConfig,
        certificate: str,
        coming_bytes: int = 0,
    ) -> Draft | None:
        """Where the pictures of these episodes are kept, laid out by their `rows` alone.

        None where none are wanted, where that very file stands already, and where there is no room for it: a
        verdict comes all the same. What is still coming must find room beside it.
        """
        if self.output is None or not rows:
            return None
        sources, tables = [source for source, _ in rows], [table for _, table in rows]
        places = places_of(sources, tables, data, hashes, config)
        if is_of(self.output, places, config, certificate):
            return None
        try:
            return begin(self.output, places, tables, config, certificate, self.earlier, coming_bytes)
        except OSError:
            return None


KEPT_NOWHERE = Keeping()
