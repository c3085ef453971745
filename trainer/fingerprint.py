"""The name of a data set: the same files give the same hash, on any machine."""

import hashlib
from pathlib import Path


def hash_folder(folder: Path) -> str:
    """SHA-256 over the names and contents of all files under `folder`, hidden ones left out."""
    whole = hashlib.sha256()
    for name, path in sorted(_files(folder).items()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()


def _files(folder: Path) -> dict[str, Path]:
    """By name relative to `folder`; linked folders are followed, as the readers of episodes do."""
    found: dict[str, Path] = {}
    for path, folders, names in folder.walk(follow_symlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and (path / name).is_file():
                found[(path / name).relative_to(folder).as_posix()] = path / name
    return found
