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
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path
        for name, path in found.items()
        if not any(part.startswith(".") for part in name.parts)
    }
