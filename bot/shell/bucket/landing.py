"""A file on its way: written aside, put in its place by one rename, or never seen there."""

import errno
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from bot.shell.bucket.crc import Crc32c
from bot.shell.bucket.errors import BadName, NoSpace

TEMPORARY = ".~"
"""Names of files still being written begin so."""


class Landing:
    """Use as a context manager; what has not landed by its end is removed."""

    def __init__(self, place: Path, aside: Path | None = None) -> None:
        """`aside` is the folder to write in, on the same disk as `place`; beside it unless given."""
        self.place = place
        folder = aside or place.parent
        _make(folder)
        self.temporary = folder / f"{TEMPORARY}{uuid4().hex}"
        self._file = self.temporary.open("wb")
        self.restart()

    def restart(self) -> None:
        """Forgets what was written."""
        self._file.seek(0)
        self._file.truncate()
        self.size, self._crc = 0, Crc32c()

    @property
    def crc32c(self) -> str:
        return self._crc.text

    def write(self, piece: bytes) -> None:
        """Raises NoSpace when the disk is full."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise self._explained(error) from error
        self._crc.update(piece)
        self.size += len(piece)

    def close(self) -> None:
        """Raises NoSpace when the last of it does not fit."""
        try:
            self._file.close()
        except OSError as error:
            raise self._explained(error) from error

    def land(self) -> None:
        """Puts the file in its place, over what lay there. Raises BadName where a folder lies."""
        self.close()
        _make(self.place.parent)
        try:
            self.temporary.replace(self.place)
        except IsADirectoryError as error:
            raise BadName(
                f"{self.place} is a folder, and a file of that name is to lie there: move it away"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        finally:
            self.temporary.unlink(missing_ok=True)

    def _explained(self, error: OSError) -> OSError | NoSpace:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return NoSpace(f"no space left for {self.place}: free some there, or lift the limit")
        return error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise BadName(
            f"{folder} is to be a folder, and a file lies there or above it: move it away"
        ) from error
