"""The name of a data set: the same files give the same hash, on any machine."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from trainer.process.attempt import Stop, Told, hears_nothing

type Hashes = dict[str, str]
type Stamp = tuple[int, int, int]

GONE: Stamp = (0, 0, 0)


def hash_files(files: Mapping[str, Path], *, stop: Stop | None = None, told: Told = hears_nothing) -> Hashes:
    """Each one's, by name. `told` hears of every file.

    Raises:
        JobError("stopped"): asked to leave.
    """
    hashes: Hashes = {}
    for done, (name, path) in enumerate(files.items(), start=1):
        (stop or Stop()).leave_if_asked()
        hashes[name] = hash_file(path)
        told(done, len(files))
    return hashes


def content_at(name: str, hashes: Mapping[str, str]) -> str:
    """The hash of the file `name`, or of all files in the folder of that name; empty where there are none."""
    if name in hashes:
        return hashes[name]
    below = {each: of for each, of in hashes.items() if is_at(name, each)}
    return hash_set(below, {}) if below else ""


def is_at(place: str, name: str) -> bool:
    """Whether `name` is that file, or lies in that folder; both are relative to the set's, which is `.`."""
    return place in (".", name) or name.startswith(f"{place}/")


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
