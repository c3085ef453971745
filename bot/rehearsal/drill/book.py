"""What is known of all plays so far: kept in a file, so that a drill can be taken up again, and worded."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.table import Table

from bot.rehearsal.drill.points import POINTS
from bot.rehearsal.drill.reckoning import Ending, differences

LIFE_S = (30, 120, 600)
"""Lives of the daemon are told apart by how old it was."""


class Note(BaseModel):
    model_config = ConfigDict(frozen=True)


class Befallen(Note):
    """One fault. `mark` is the question asked in it, `wrong` why it did not end well; else see Suffered."""

    kind: str
    detail: str = ""
    mark: int
    took_s: float
    told: bool | None = None
    steps_lost: int | None = None
    points_lost: int | None = None
    wrong: str = ""


class Size(Note):
    """The daemon at some moment: seconds since it started, resident kB, open descriptors."""

    age_s: float
    rss_kb: int
    descriptors: int


class Evening(Note):
    """One play. `points` are those the daemon was ended at."""

    number: int
    took_s: float
    faults: tuple[Befallen, ...] = ()
    points: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()
    ending: Ending = Ending()

    @property
    def wrong(self) -> tuple[str, ...]:
        return (*self.ending.wrong, *(f"{one.kind}: {one.wrong}" for one in self.faults if one.wrong))

    @property
    def all_told(self) -> bool:
        """Did Watcher hear of all that concerns him?"""
        return all(one.told is not False for one in self.faults)


class BookUnreadable(Exception):
    """The message is one line."""


class Book(BaseModel):
    """`undisturbed` is how the play ends without any fault; the plays of one book share seed and epochs."""

    seed: int
    epochs: int
    understudy: bool = False
    undisturbed: Ending | None = None
    evenings: list[Evening] = []

    @classmethod
    def read(cls, path: Path | None, seed: int, epochs: int, *, understudy: bool = False) -> "Book":
        """Raises BookUnreadable."""
        if path is None or not path.exists():
            return cls(seed=seed, epochs=epochs, understudy=understudy)
        try:
            book = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise BookUnreadable(f"{path}: {error.strerror}; name another file") from None
        except ValidationError:
            raise BookUnreadable(f"{path} is no drill's book; name another one") from None
        if (book.seed, book.epochs, book.understudy) != (seed, epochs, understudy):
            begun = f"--seed {book.seed} --epochs {book.epochs}{' --understudy' * book.understudy}"
            raise BookUnreadable(f"{path} was begun with {begun}; go on with that, or name another file")
        return book

    def write(self, path: Path | None) -> None:
        if path is not None:
            unfinished = path.with_name(f".{path.name}.tmp")
            unfinished.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
            unfinished.replace(path)

    @property
    def faults(self) -> int:
        return sum(len(one.faults) + len(one.points) for one in self.evenings)

    @property
    def points(self) -> frozenset[str]:
        return frozenset(point for one in self.evenings for point in one.points)

    def unlike(self, evening: Evening) -> list[str]:
        """What this play learned otherwise than an undisturbed one."""
        return differences(evening.ending, self.undisturbed) if self.undisturbed else []

    def went_well(self) -> bool:
        return not any(
            one.wrong or one.ending.lost or one.ending.doubled or one.ending.owed or self.unlike(one)
            for one in self.evenings
        )


# --- worded -----------------------------------------------------------------


def tables(book: Book) -> list[Table | str]:
    return [_by_kind(book), *_totals(book), _memory(book), *_wrong(book)]


def _by_kind(book: Book) -> Table:
    table = Table("fault", "times", "lost", "Watcher told", "steps repeated", "resume points lost", "weights")
    kinds = sorted({one.kind for evening in book.evenings for one in evening.faults})
    for kind in kinds:
        table.add_row(kind, *_row(book, kind))
    at_points = sum(len(evening.points) for evening in book.evenings)
    table.add_row("kill bot at a point", str(at_points), "", "", "", "", _equal(book, None))
    return table


def _row(book: Book, kind: str) -> Sequence[str]:
    found = [(evening, one) for evening in book.evenings for one in evening.faults if one.kind == kind]
    lost = sum(one.mark in evening.ending.lost for evening, one in found)
    told = [one.told for _, one in found if one.told is not None]
    steps = [one.steps_lost for _, one in found if one.steps_lost is not None]
    points = [one.points_lost for _, one in found if one.points_lost is not None]
    return (
        str(len(found)),
        str(lost),
        f"{sum(told)} of {len(told)}" if told else "–",
        f"≤ {max(steps)}" if steps else "–",
        f"≤ {max(points)}" if points else "–",
        _equal(book, kind),
    )


def _equal(book: Book, kind: str | None) -> str:
    """In how many of the plays with this fault the weights were an undisturbed play's, bit for bit."""
    plays = [
        evening
        for evening in book.evenings
        if (evening.points if kind is None else any(one.kind == kind for one in evening.faults))
    ]
    return f"{sum(not book.unlike(one) for one in plays)} of {len(plays)}"


def _totals(book: Book) -> list[str]:
    endings = [one.ending for one in book.evenings]
    asked, lost = sum(one.asked for one in endings), sum(len(one.lost) for one in endings)
    doubled, owed = sum(one.doubled for one in endings), sum(one.owed for one in endings)
    files = len(book.undisturbed.weights) if book.undisturbed else 0
    missing = [point for point in POINTS if point not in book.points]
    not_yet = f"; not yet: {', '.join(missing)}" if missing else ""
    return [
        f"plays {len(endings)}, faults {book.faults}",
        f"messages: asked {asked}, lost {lost}, doubled {doubled}, still owed {owed}",
        f"weights equal in {_equal_in_all(book)} of {len(endings)} plays, {files} files each",
        f"ended at {len(POINTS) - len(missing)} of {len(POINTS)} points{not_yet}",
    ]


def _equal_in_all(book: Book) -> int:
    return sum(not book.unlike(one) for one in book.evenings)


def _memory(book: Book) -> Table:
    table = Table("daemon's age", "samples", "RSS MB (median, most)", "descriptors (median, most)")
    sizes = [one for evening in book.evenings for one in evening.sizes]
    for younger, older in zip((0, *LIFE_S), (*LIFE_S, 10**9), strict=True):
        these = [one for one in sizes if younger <= one.age_s < older]
        if these:
            rss = [one.rss_kb / 1024 for one in these]
            held = [one.descriptors for one in these]
            age = f"{younger}-{older} s" if older < 10**9 else f"over {younger} s"
            table.add_row(
                age,
                str(len(these)),
                f"{median(rss):.0f}, {max(rss):.0f}",
                f"{median(held):.0f}, {max(held)}",
            )
    return table


def _wrong(book: Book) -> list[str]:
    lines: list[str] = []
    for evening in book.evenings:
        lines += [f"play {evening.number}: {line}" for line in evening.wrong]
        if unlike := book.unlike(evening):
            lines.append(f"play {evening.number}: weights differ: {', '.join(unlike[:4])}")
    return lines
