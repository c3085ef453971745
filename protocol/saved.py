"""Folders that the trainer has saved, and whether one is whole still: bot and trainer ask alike.

`manifest.json` lists every other file of the folder with its size and SHA-256, and is written last:

    {"files": [{"path": "README.md", "size": 1200, "sha256": "…"}, …]}
"""

import hashlib
import json
from pathlib import Path

MANIFEST = "manifest.json"


def manifest_of(folder: Path) -> bytes:
    """What the manifest of `folder` is to say, by the files that lie there now. Reads every byte.

    Raises:
        OSError: a file cannot be read.
    """
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    listed = [_described(folder, path) for path in paths if path != MANIFEST]
    return json.dumps({"files": listed}, indent=1).encode() + b"\n"


def damage(folder: Path) -> str | None:
    """What is wrong with a saved folder, in one line; None when it is whole. Reads every byte."""
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())["files"]
        wrong = next((file["path"] for file in listed if _described(folder, file["path"]) != file), None)
    except OSError as error:
        return f"{error.filename or folder}: {error.strerror}"
    except (ValueError, KeyError, TypeError):
        return f"{folder / MANIFEST}: no list of files"
    return None if wrong is None else f"{folder / wrong}: not what {MANIFEST} says"


def _described(folder: Path, name: str) -> dict[str, str | int]:
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"path": name, "size": file.tell(), "sha256": digest}
