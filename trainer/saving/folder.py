"""Folders that are whole or not there: written beside, synced, listed (protocol.saved), named last."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from protocol.saved import MANIFEST, manifest_of
from trainer.process.attempt import JobError
from trainer.process.whole import replace_whole, sync_folder

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
    manifest = manifest_of(folder)
    for inner in sorted(path for path in folder.rglob("*") if path.is_dir()):
        sync_folder(inner)
    replace_whole(folder / MANIFEST, manifest)


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
