"""Every byte of a published checkpoint read again, and held against its manifest."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.shell.bucket.errors import IntegrityError, NotFound
from bot.shell.bucket.gathering import UP, gather
from bot.shell.bucket.manifest import File, Manifest, read_manifest
from bot.shell.bucket.names import check_prefix
from bot.shell.bucket.store import ObjectStore, Progress, quiet
from bot.shell.bucket.tally import Tally


@dataclass(frozen=True, slots=True)
class Reread:
    """`faults` are lines, one for each file that is not as published."""

    manifest: Manifest
    faults: tuple[str, ...]


async def reread(store: ObjectStore, prefix: str, progress: Progress = quiet) -> Reread:
    """Needs room for a few of the files in the temporary folder.

    A checkpoint that is being replaced meanwhile is read again, as it is by then. Raises NotFound if
    nothing is published there (any more).
    """
    folder = check_prefix(prefix)
    while True:
        manifest = await read_manifest(store, folder)
        if not manifest:
            raise NotFound(f"{folder} is not published: see `training-claw bucket ls`")
        read = await _reread(store, folder, manifest, progress)
        if not read.faults or await read_manifest(store, folder) == manifest:
            return read


async def _reread(store: ObjectStore, folder: str, manifest: Manifest, progress: Progress) -> Reread:
    tally = Tally(manifest.total_bytes, progress)
    with tempfile.TemporaryDirectory(prefix="training-claw-") as aside:

        async def look(file: File) -> str:
            copy = Path(aside, file.path)
            try:
                await store.get_file(
                    folder + file.path, copy, want=file.object_under(folder), progress=tally.of(file.path)
                )
            except NotFound:
                return f"{folder}{file.path} is missing, or was written since"
            except IntegrityError:
                return f"{folder}{file.path} holds other bytes than were published"
            await asyncio.to_thread(copy.unlink)
            return ""

        found = await gather(look, manifest.files, UP)
    return Reread(manifest, tuple(fault for fault in found if fault))
