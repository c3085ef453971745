"""Putting a whole checkpoint at a prefix so that readers by manifest see the old one, none, or the new.

    aside       what is foreign, or another run's of the same cycle, is copied away before it is touched
    marker      says the prefix is ours and lists every file that is, was or will be
    retire      the manifest of what stood there goes first
    send        what is not there already; each write names the generation it replaces
    sweep       files of the former content that the new one lacks
    manifest    last

Interrupted anywhere, the same call goes on where it stopped.
"""

import contextlib
from dataclasses import dataclass

from bot.shell.bucket.errors import BadContent, IntegrityError, PreconditionFailed, WriteDenied
from bot.shell.bucket.foreign import set_aside
from bot.shell.bucket.gathering import DOWN, gather
from bot.shell.bucket.keeping import keep_former
from bot.shell.bucket.layout import MANIFEST, MARKER
from bot.shell.bucket.manifest import File, Manifest, Marker, Meta, content_hash, read_manifest, read_marker
from bot.shell.bucket.sources import Source
from bot.shell.bucket.store import Obj, ObjectStore, Progress
from bot.shell.bucket.tally import Tally

LOOKS = 3


@dataclass(frozen=True, slots=True)
class Label:
    """Whose checkpoint it is, and which."""

    run: str
    cycle: int
    epoch: int
    meta: Meta


@dataclass(frozen=True, slots=True)
class Placed:
    """A checkpoint that stands whole at `path`. `sent_files` had to travel, the others were there.

    `superseded` is the other run whose checkpoint stood there before, `set_aside` where foreign
    content was copied to; both are empty where there was none.
    """

    path: str
    manifest: Manifest
    sent_files: int
    superseded: str = ""
    set_aside: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What lies at a prefix before we write there. `objects` are keyed by path relative to it."""

    objects: dict[str, Obj]
    marker: Marker | None
    manifest: Manifest | None

    def generation(self, path: str) -> int:
        return self.objects[path].generation if path in self.objects else 0

    def holds(self, file: File) -> bool:
        found = self.objects.get(file.path)
        return found is not None and found.holds(file.size, file.crc32c)

    def is_whole(self) -> bool:
        """Whether every file of the manifest stands there at its generation."""
        if not self.manifest:
            return False
        return all(
            self.holds(file) and self.generation(file.path) == file.generation for file in self.manifest.files
        )


async def look(store: ObjectStore, prefix: str) -> Standing:
    objects = {each.name.removeprefix(prefix): each async for each in store.list(prefix)}
    marker = await read_marker(store, prefix) if MARKER in objects else None
    return Standing(objects, marker, await _own_manifest(store, prefix) if marker else None)


async def _own_manifest(store: ObjectStore, prefix: str) -> Manifest | None:
    try:
        return await read_manifest(store, prefix)
    except BadContent:  # foreign, and already copied aside: ours was never written
        return None


async def place(
    store: ObjectStore, prefix: str, source: Source, label: Label, progress: Progress, *, replaces: bool
) -> Placed:
    """Makes `source` the checkpoint at `prefix`; nothing happens if it is already.

    `replaces` allows other content of the same run to be replaced (the best checkpoint); content of
    another run always is, and foreign content is copied aside first.

    Raises:
        WriteDenied: this run has published other content there.
        PreconditionFailed: somebody else goes on writing there.
    """
    for _ in range(LOOKS - 1):
        with contextlib.suppress(PreconditionFailed):  # say, a write of ours that arrived after its time
            return await _place(store, prefix, source, label, progress, replaces=replaces)
    return await _place(store, prefix, source, label, progress, replaces=replaces)


async def _place(
    store: ObjectStore, prefix: str, source: Source, label: Label, progress: Progress, *, replaces: bool
) -> Placed:
    files = await source.files()
    standing = await look(store, prefix)
    former = standing.manifest
    if former and _is_published(standing, files, label):
        progress(former.total_bytes, former.total_bytes)
        return Placed(prefix, former, 0)
    if (
        former
        and former.run == label.run
        and not replaces
        and content_hash(former.files) != content_hash(files)
    ):
        raise WriteDenied(f"{prefix} is published with other content by this very run: start a new run")

    aside = await _set_aside(store, prefix, standing, label)
    owned = await _mark(store, prefix, standing, files, label)
    if former:
        await store.delete(prefix + MANIFEST, if_generation=standing.generation(MANIFEST))
    stored = await _send(prefix, source, files, standing, progress)
    await _sweep(store, prefix, standing, owned - {file.path for file in files})
    manifest = _manifest(stored, label)
    replaced = 0 if former else standing.generation(MANIFEST)
    await store.put_bytes(prefix + MANIFEST, manifest.encoded(), if_generation=replaced)
    sent = [file for file in files if not standing.holds(file)]
    other = standing.marker.run if standing.marker and standing.marker.run != label.run else ""
    return Placed(prefix, manifest, len(sent), other, aside)


async def _set_aside(store: ObjectStore, prefix: str, standing: Standing, label: Label) -> str:
    """Where foreign content was copied to, if there was any."""
    if not standing.marker:
        return await set_aside(store, prefix, standing.objects)
    if standing.marker.run != label.run and standing.marker.cycle == label.cycle:
        await keep_former(store, prefix, standing.objects, standing.marker, label.run)
    return ""


def _is_published(standing: Standing, files: tuple[File, ...], label: Label) -> bool:
    there = standing.manifest
    return (
        there is not None
        and (there.run, there.cycle, there.epoch) == (label.run, label.cycle, label.epoch)
        and content_hash(there.files) == content_hash(files)
        and standing.is_whole()
    )


async def _mark(
    store: ObjectStore, prefix: str, standing: Standing, files: tuple[File, ...], label: Label
) -> frozenset[str]:
    """Writes the marker; answers every path that is ours from now on."""
    owned = {file.path for file in files}
    if standing.marker:
        owned.update(standing.marker.owns)
    marker = Marker(
        path=prefix, run=label.run, cycle=label.cycle, epoch=label.epoch, owns=tuple(sorted(owned))
    )
    if marker != standing.marker:
        generation = standing.generation(MARKER)
        await store.put_bytes(prefix + MARKER, marker.encoded(), if_generation=generation)
    return frozenset(owned)


async def _send(
    prefix: str, source: Source, files: tuple[File, ...], standing: Standing, progress: Progress
) -> tuple[File, ...]:
    """Every file as it stands there in the end, with its generation."""
    tally = Tally(sum(file.size for file in files), progress)

    async def send(file: File) -> File:
        if standing.holds(file):
            tally.settled(file.path, file.size)
            return file.model_copy(update={"generation": standing.generation(file.path)})
        stored = await source.send(
            file, prefix + file.path, standing.generation(file.path), tally.of(file.path)
        )
        if not stored.holds(file.size, file.crc32c):
            raise IntegrityError(f"{stored.name} changed while it was published: try again")
        return file.model_copy(update={"generation": stored.generation})

    return await gather(send, files, source.at_once)


async def _sweep(store: ObjectStore, prefix: str, standing: Standing, stale: frozenset[str]) -> None:
    async def remove(path: str) -> None:
        await store.delete(prefix + path, if_generation=standing.generation(path))

    await gather(remove, sorted(stale & standing.objects.keys()), DOWN)


def _manifest(files: tuple[File, ...], label: Label) -> Manifest:
    return Manifest(
        run=label.run,
        cycle=label.cycle,
        epoch=label.epoch,
        **label.meta.model_dump(),
        files=files,
        total_bytes=sum(file.size for file in files),
    )
