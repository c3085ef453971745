"""Reading what a job appends to `events.jsonl`, from where we left off."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from protocol.progress import Found, Line, Progress, Saved, Started, Stepped, read_line

CHUNK_BYTES = 1 << 20
LAST_BYTES = 1 << 14


@dataclass(frozen=True, slots=True)
class TailLine:
    """A whole line, and the offset in the file just behind it. `said` is None for a line not ours."""

    said: Progress | None
    end: int


def read_lines(path: Path, offset: int) -> list[TailLine]:
    """The whole lines from `offset` on, a bounded number of bytes at once. Half a line is left for later."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            chunk = file.read(CHUNK_BYTES)
    except FileNotFoundError:
        return []
    lines: list[TailLine] = []
    for raw in chunk.split(b"\n")[:-1]:
        offset += len(raw) + 1
        lines.append(TailLine(understood(raw), offset))
    return lines


def newest_before(path: Path, offset: int) -> Progress | None:
    """The last line of ours that ends at `offset` or earlier: what was read by a daemon that is gone."""
    start = max(0, offset - LAST_BYTES)
    try:
        with path.open("rb") as file:
            file.seek(start)
            raw = file.read(offset - start).split(b"\n")
    except FileNotFoundError:
        return None
    return next((said for one in reversed(raw) if one and (said := understood(one))), None)


def everything(path: Path) -> list[Progress]:
    """Every line of ours, from the beginning; none where there is no such file."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    return [said for line in lines if (said := understood(line)) is not None]


def understood(raw: bytes) -> Progress | None:
    """None for what is no line of ours, or half of one."""
    try:
        return read_line(raw)
    except ValidationError:
        return None


@dataclass(slots=True)
class Listener:
    """Tells the lines that change what is true from those that are only readings.

    A Stepped counts when its epoch is new, and when it breaks a silence longer than the job had promised.
    """

    epoch: int | None = None
    heard_until: datetime | None = None

    def matters(self, line: Progress) -> Started | Stepped | Saved | Found | None:
        silent = self._was_silent(line)
        match line:
            case Stepped() if silent or self.epoch is None or line.epoch > self.epoch:
                self.epoch = line.epoch
                return line
            case Started() | Saved() | Found():
                return line
            case _:
                return None

    def _was_silent(self, line: Line) -> bool:
        silent = self.heard_until is not None and line.at > self.heard_until
        self.heard_until = line.at + timedelta(seconds=line.next_within_s)
        return silent
