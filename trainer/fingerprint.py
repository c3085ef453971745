"""The name of a data set: the same files give the same hash, on any machine."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from trainer.tree import look_through

type Stamp = tuple[int, int, int]

GONE: Stamp = (0, 0, 0)


def hash_folder(folder: Path) -> str:
    """SHA-256 over the names and contents of all files under `folder`, hidden ones left out.

    Links that leave the folder are not followed; they count by their names alone.
    """
    tree = look_through(folder)
    return hash_set({name: hash_file(path) for name, path in tree.files.items()}, tree.astray)


def hash_set(hashes: Mapping[str, str], astray: Mapping[str, str]) -> str:
    """The set's hash out of its files' by name."""
    whole = hashlib.sha256()
    for name, content in sorted({**hashes, **dict.fromkeys(astray, "astray")}.items()):
        whole.update(os.fsencode(f"{name}\0{content}\n"))
    return whole.hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 in hex; of a file that cannot be read, why. Whoever needs its content judges that."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable: {error.strerror}"


def stamp(path: Path) -> Stamp:
    """Changes whenever the file does: what it is, how large, when written (`os.stat_result`)."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return GONE
    return found.st_ino, found.st_size, found.st_mtime_ns
