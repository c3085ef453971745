"""Folders that are whole or not there: written beside, synced, named last; and read only when undamaged.

`manifest.json` lists every file with its size and SHA-256 and is written last:

    {"files": [{"path": "README.md", "size": 1200, "sha256": "…"}, …]}
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from trainer.process.attempt import JobError, replace_whole, sync_folder

MANIFEST = "manifest.json"
UNFINISHED = ".tmp-"
SET_ASIDE = ".damaged-"


def write_whole(target: Path, fill: Callable[[Path], None]) -> None:
    """Make the folder `target` with what `fill` writes into the path it is given.

    A kill at any instant leaves either no `target` or a whole one. A damaged folder of that name is set
    aside, never deleted; a whole one must not be there.

    Raises:
        JobError: no_space.
    """
    unfinished = target.with_name(UNFINISHED + target.name)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        fill(unfinished)
        _seal(unfinished)
    except BaseException as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if _tells_of_a_full_disk(error):
            raise _no_space(target) from error
        raise
    if target.exists():
        _set_aside(target)
    unfinished.rename(target)
    sync_folder(target.parent)


def damage(folder: Path) -> str | None:
    """What is wrong with a folder written here, in one line; None when it is whole. Reads every byte."""
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())["files"]
        wrong = next((file["path"] for file in listed if _described(folder, file["path"]) != file), None)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{folder}: {type(error).__name__}: {error}"
    return None if wrong is None else f"{folder / wrong}: not what its manifest says"


def size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def sweep(parent: Path) -> None:
    """Remove what a killed process left unfinished below `parent`."""
    for left in parent.rglob(UNFINISHED + "*"):
        shutil.rmtree(left, ignore_errors=True)


def remove(folder: Path) -> None:
    """Take a folder away such that no half of it keeps its name."""
    doomed = folder.with_name(UNFINISHED + folder.name)
    shutil.rmtree(doomed, ignore_errors=True)
    folder.rename(doomed)
    shutil.rmtree(doomed)


def _seal(folder: Path) -> None:
    """Sync every file, read each back from what was written, and list them."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths:
        _sync(path)
    listed = [_described(folder, str(path.relative_to(folder))) for path in paths]
    for inner in sorted(path for path in folder.rglob("*") if path.is_dir()):
        sync_folder(inner)
    replace_whole(folder / MANIFEST, json.dumps({"files": listed}, indent=1).encode() + b"\n")


def _described(folder: Path, name: str) -> dict[str, str | int]:
    with (folder / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"path": name, "size": file.tell(), "sha256": digest}


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _tells_of_a_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return "No space left on device" in str(error)  # safetensors has an error class of its own


def _no_space(target: Path) -> JobError:
    free_mib = shutil.disk_usage(target.parent).free // 2**20
    return JobError(
        "no_space", f"{target}: the disk is full ({free_mib} MiB free); make room, then start the run again"
    )


def _set_aside(target: Path) -> None:
    number = 1
    while (aside := target.with_name(f"{SET_ASIDE}{target.name}-{number}")).exists():
        number += 1
    target.rename(aside)
