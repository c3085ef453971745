"""What the daemon asks of the bucket once a checkpoint or a curve is there to be shown.

Each of these is safe to repeat after any interruption, and does nothing the second time.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from bot.shell.bucket.errors import NotFound, PreconditionFailed
from bot.shell.bucket.foreign import set_aside
from bot.shell.bucket.layout import marker_of
from bot.shell.bucket.manifest import Marker, Meta, read_manifest, read_marker_at
from bot.shell.bucket.placing import Label, Placed, place
from bot.shell.bucket.retention import surplus, take_away
from bot.shell.bucket.shelf import list_checkpoints
from bot.shell.bucket.sources import BucketSource, LocalSource
from bot.shell.bucket.store import ObjectStore, Progress, quiet
from bot.shell.bucket.superseding import clear_superseded, retire_others
from protocol import paths

CURVE_EVERY_S = 30
"""GCS takes about one write a second of one name, and nobody looks at a curve that often."""


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint at its cycle's path and, by copy, at the card's flat one.

    `retired` are the prefixes of another run of this cycle that readers no longer find; `tidied` what of
    earlier cycles went, and `untidied` a line for each cycle whose leftovers had to stay.
    """

    cycle: Placed
    flat: Placed
    retired: tuple[str, ...] = ()
    tidied: tuple[str, ...] = ()
    untidied: tuple[str, ...] = ()


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

    Immutable within a run. Another run of the cycle is superseded: its manifests go first of all. Then
    what of earlier cycles has become surplus goes; that failing is told, not raised.

    Raises:
        WriteDenied: this run has published other content there.
        NotFound: `folder` is empty.
    """
    retired = await retire_others(store, cycle, run)
    label = Label(run, cycle, epoch, meta)
    source = LocalSource(store, folder)
    own = await place(store, paths.act_epoch(epoch, cycle), source, label, progress, replaces=False)
    copied = BucketSource(store, own.path, own.manifest)
    flat = await place(store, paths.act_epoch(epoch), copied, label, quiet, replaces=False)
    return Published(own, flat, retired, *await _tidy(store, cycle))


async def _tidy(store: ObjectStore, cycle: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What of this cycle may go is not decided here: the bot's core does that, checkpoint by checkpoint."""
    listed = await list_checkpoints(store)
    drops = (each for each in surplus(listed, cycle, time.time()) if each.cycle < cycle)
    return await take_away(store, listed, drops)


async def publish_best(
    store: ObjectStore,
    folder: Path,
    cycle: int,
    epoch: int,
    run: str,
    meta: Meta,
    progress: Progress = quiet,
) -> Placed:
    """Replaces `checkpoints/cycle{NN}/act_best/` by `folder`, the weights after `epoch` epochs.

    Once it stands verified, what other runs of the cycle have left goes.
    """
    await retire_others(store, cycle, run)
    source = LocalSource(store, folder)
    label = Label(run, cycle, epoch, meta)
    placed = await place(store, paths.act_best(cycle), source, label, progress, replaces=True)
    await clear_superseded(store, cycle, run)
    return placed


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


async def publish_curve(
    store: ObjectStore, png: Path, cycle: int, run: str = "", *, final: bool = False
) -> tuple[str, str]:
    """Writes the picture at the cycle's path and at the flat one; answers both names.

    Unless it is the `final` one, a picture younger than 30 s stays as it is.
    """
    names = (paths.loss_curve(cycle), paths.loss_curve())
    for name in names:
        marker = Marker(path=name, run=run, cycle=cycle, epoch=0)
        await _put_single(store, name, png, marker, every_s=0 if final else CURVE_EVERY_S)
    return names


async def _put_single(store: ObjectStore, name: str, source: Path, marker: Marker, *, every_s: float) -> None:
    """Writes one object that has a marker of its own; what stood there before the first is set aside."""
    standing = await store.stat(name)
    if await read_marker_at(store, marker_of(name), of=name):
        if standing and 0 <= time.time() - standing.written_at < every_s:
            return
    else:
        folder, _, base = name.rpartition("/")
        if standing:
            await set_aside(store, f"{folder}/", {base: standing})
        await store.put_bytes(marker_of(name), marker.encoded())
    await store.put_file(name, source, if_generation=standing.generation if standing else 0)
