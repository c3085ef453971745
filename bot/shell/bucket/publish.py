"""What the daemon asks of the bucket once a checkpoint or a curve is there to be shown.

Each of these is safe to repeat after any interruption, and does nothing the second time.
"""

from dataclasses import dataclass
from pathlib import Path

from bot.shell.bucket.errors import NotFound, PreconditionFailed
from bot.shell.bucket.foreign import set_aside
from bot.shell.bucket.layout import marker_of
from bot.shell.bucket.manifest import Marker, Meta, read_manifest, read_marker_at
from bot.shell.bucket.placing import Label, Placed, place
from bot.shell.bucket.sources import BucketSource, LocalSource
from bot.shell.bucket.store import ObjectStore, Progress, quiet
from protocol import paths


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint at its cycle's path and, by copy, at the card's flat one."""

    cycle: Placed
    flat: Placed

    @property
    def cycle_path(self) -> str:
        return self.cycle.path

    @property
    def flat_path(self) -> str:
        return self.flat.path


async def publish_checkpoint(
    store: ObjectStore,
    folder: Path,
    cycle: int,
    epoch: int,
    run: str,
    meta: Meta,
    progress: Progress = quiet,
) -> Published:
    """Uploads `folder` to `checkpoints/cycle{NN}/act_epoch_{NNN}/`, then copies it to the flat path.

    Immutable within a run; a former run's checkpoint at the same path is superseded.

    Raises:
        WriteDenied: this run has published other content there.
        NotFound: `folder` is empty.
    """
    label = Label(run, cycle, epoch, meta)
    source = LocalSource(store, folder)
    own = await place(store, paths.act_epoch(epoch, cycle), source, label, progress, replaces=False)
    copied = BucketSource(store, own.path, own.manifest)
    flat = await place(store, paths.act_epoch(epoch), copied, label, quiet, replaces=False)
    return Published(own, flat)


async def publish_best(
    store: ObjectStore,
    folder: Path,
    cycle: int,
    epoch: int,
    run: str,
    meta: Meta,
    progress: Progress = quiet,
) -> Placed:
    """Replaces `checkpoints/cycle{NN}/act_best/` by `folder`, the weights after `epoch` epochs."""
    source = LocalSource(store, folder)
    label = Label(run, cycle, epoch, meta)
    return await place(store, paths.act_best(cycle), source, label, progress, replaces=True)


async def publish_flat_best(store: ObjectStore, cycle: int, run: str) -> Placed:
    """Replaces the flat `checkpoints/act_best/` by the cycle's, once, just before the final HANDOFF.

    Raises:
        NotFound: the cycle has published no best.
        PreconditionFailed: its best is another run's.
    """
    origin = paths.act_best(cycle)
    best = await read_manifest(store, origin)
    if not best:
        raise NotFound(f"{origin} is not published: publish the cycle's best first")
    if best.run != run:
        raise PreconditionFailed(
            f"{origin} is of run {best.run}, not of {run}: publish this run's best first"
        )
    meta = Meta(loss=best.loss, certificate=best.certificate, config_hash=best.config_hash)
    label = Label(run, cycle, best.epoch, meta)
    copied = BucketSource(store, origin, best)
    return await place(store, paths.act_best(), copied, label, quiet, replaces=True)


async def publish_curve(store: ObjectStore, png: Path, cycle: int, run: str = "") -> tuple[str, str]:
    """Writes the picture at the cycle's path and at the flat one; answers both names."""
    names = (paths.loss_curve(cycle), paths.loss_curve())
    for name in names:
        await _put_single(store, name, png, Marker(path=name, run=run, cycle=cycle, epoch=0))
    return names


async def _put_single(store: ObjectStore, name: str, source: Path, marker: Marker) -> None:
    """Writes one object that has a marker of its own; what stood there before the first is set aside."""
    standing = await store.stat(name)
    if not await read_marker_at(store, marker_of(name), of=name):
        folder, _, base = name.rpartition("/")
        if standing:
            await set_aside(store, f"{folder}/", {base: standing})
        await store.put_bytes(marker_of(name), marker.encoded())
    await store.put_file(name, source, if_generation=standing.generation if standing else 0)
