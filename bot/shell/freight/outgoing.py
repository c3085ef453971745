"""From this machine to the bucket: checkpoints, the best, the curve; and what becomes of them there."""

import asyncio
import shutil
from pathlib import Path

import structlog

from bot.core.effects import (
    Effect,
    ForgetCheckpoint,
    HandOn,
    PublishBest,
    PublishCheckpoint,
    PublishCurve,
    VerifyCheckpoint,
)
from bot.core.events import (
    BestLost,
    BestPublished,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
    CheckpointVerified,
    CurvePublished,
    Event,
    HandedOn,
)
from bot.core.state import Best, Shelf
from bot.shell import bucket
from bot.shell.bucket import Meta, ObjectStore
from bot.shell.bucket.errors import NotFound, NotWhole
from bot.shell.bucket.manifest import read_marker
from bot.shell.bucket.rereading import reread
from bot.shell.deciding.desk import STAMPED, Desk
from bot.shell.freight.gauging import gauge
from bot.shell.machine.places import Places
from protocol import paths
from protocol.saved import damage

log = structlog.stdlib.get_logger("outgoing")

type Shelving = PublishCheckpoint | PublishBest | PublishCurve | HandOn | ForgetCheckpoint | VerifyCheckpoint


class Outgoing:
    """What fails is raised, see `Freight.carry`."""

    def __init__(self, store: ObjectStore, places: Places, desk: Desk) -> None:
        self._store = store
        self._places = places
        self._desk = desk
        self._whole: set[Path] = set()

    async def shelved(self, order: Shelving) -> Event:
        match order:
            case PublishCheckpoint():
                return await self._publish_checkpoint(order)
            case PublishBest():
                return await self._publish_best(order)
            case PublishCurve():
                await self._publish_curve(order.cycle, order.run)
                return CurvePublished(at=STAMPED, cycle=order.cycle)
            case HandOn():
                return await self._hand_on(order)
            case ForgetCheckpoint():
                return await self._forget(order)
            case VerifyCheckpoint():
                return await self._verify(order)

    def as_it_is(self, order: Effect) -> Effect:
        """What is carried out for it now."""
        return self._newest_best(order) if isinstance(order, PublishBest) else order

    async def _publish_checkpoint(self, order: PublishCheckpoint) -> Event:
        folder = self._folder(order)
        damaged = await self._damage(folder)
        if damaged and self._is_given_up(order):
            return CheckpointLost(at=STAMPED, cycle=order.cycle, epoch=order.epoch, damage=damaged)
        if damaged:
            raise NotWhole(damaged)
        place, meta = paths.act_epoch(order.epoch, order.cycle), Meta.model_validate(order.meta)
        published = await bucket.publish_checkpoint(
            self._store, folder, order.cycle, order.epoch, order.run, meta, gauge(self._desk, place)
        )
        log.info("published", path=place, tidied=published.tidied, untidied=published.untidied)
        return CheckpointPublished(
            at=STAMPED, cycle=order.cycle, epoch=order.epoch, retired=published.retired
        )

    async def _publish_best(self, asked: PublishBest) -> Event:
        order = self._newest_best(asked)
        if self._is_there(order):
            return BestPublished(at=STAMPED, cycle=order.cycle, epoch=order.epoch)
        folder = self._folder(order)
        damaged = await self._damage(folder)
        if damaged and self._newest_best(asked) != order:  # it made way for a better one while we read
            return await self._publish_best(asked)
        if damaged and self._is_given_up(order):
            return BestLost(at=STAMPED, cycle=order.cycle, epoch=order.epoch, damage=damaged)
        if damaged:
            raise NotWhole(damaged)
        place, meta = paths.act_best(order.cycle), Meta.model_validate(order.meta)
        await bucket.publish_best(
            self._store, folder, order.cycle, order.epoch, order.run, meta, gauge(self._desk, place)
        )
        return BestPublished(at=STAMPED, cycle=order.cycle, epoch=order.epoch)

    def _newest_best(self, order: PublishBest) -> PublishBest:
        """A better one may have come since, and the trainer keeps only the newest two folders."""
        best = self._best(order.run)
        if best is None or best.epoch == order.epoch:
            return order
        meta = {**order.meta, "epoch": best.epoch} | ({} if best.loss is None else {"loss": best.loss})
        return order.model_copy(update={"epoch": best.epoch, "folder": best.folder, "meta": meta})

    def _is_there(self, order: PublishBest) -> bool:
        """A better one was given up: this one, which the bucket has, is the best again."""
        best = self._best(order.run)
        return best is not None and best.epoch == order.epoch and not best.is_only_here

    def _folder(self, order: PublishCheckpoint | PublishBest | ForgetCheckpoint) -> Path:
        return self._places.run(order.run).path / order.folder

    async def _damage(self, folder: Path) -> str | None:
        """What is wrong with what the trainer has saved there: no half of it must look whole in the bucket.
        Every byte is read for this, once for as long as we run."""
        if folder in self._whole:
            return None
        damaged = await asyncio.to_thread(damage, folder)
        if damaged is None:
            self._whole.add(folder)
        return damaged

    def _is_given_up(self, order: PublishCheckpoint | PublishBest) -> bool:
        if isinstance(order, PublishBest):
            best = self._best(order.run)
            return best is not None and best.epoch == order.epoch and best.given_up
        shelf = self._shelf(order.run)
        checkpoints = shelf.checkpoints if shelf else ()
        return any(one.epoch == order.epoch and one.status == "given_up" for one in checkpoints)

    def _best(self, run: str) -> Best | None:
        shelf = self._shelf(run)
        return shelf.best if shelf else None

    def _shelf(self, run: str) -> Shelf | None:
        cycle = self._desk.state.cycle
        return cycle.shelf if cycle is not None and cycle.run_name == run else None

    async def _publish_curve(self, cycle: int, run: str, *, final: bool = False) -> None:
        """A run that drew none has none to show."""
        curve = self._places.run(run).loss_curve
        if curve.exists():
            await bucket.publish_curve(self._store, curve, cycle, run, final=final)

    async def _hand_on(self, order: HandOn) -> Event:
        placed = await bucket.publish_flat_best(self._store, order.cycle, order.run)
        await self._publish_curve(order.cycle, order.run, final=True)
        return HandedOn(at=STAMPED, cycle=order.cycle, manifest=placed.manifest.hash)

    async def _forget(self, order: ForgetCheckpoint) -> Event:
        for prefix in (paths.act_epoch(order.epoch), paths.act_epoch(order.epoch, order.cycle)):
            marker = await read_marker(self._store, prefix)
            if marker is not None and marker.run == order.run:
                await bucket.unpublish(self._store, prefix)
        await asyncio.to_thread(_remove, self._folder(order))
        return CheckpointForgotten(at=STAMPED, cycle=order.cycle, epoch=order.epoch)

    async def _verify(self, order: VerifyCheckpoint) -> Event:
        try:
            read = await reread(self._store, order.path, gauge(self._desk, order.path))
        except NotFound:
            return CheckpointVerified(at=STAMPED, path=order.path, what="")
        manifest = read.manifest
        size = f"{len(manifest.files)}개 파일, {manifest.total_bytes / 1e6:.1f}MB"
        what = f"cycle {manifest.cycle}, epoch {manifest.epoch}, {size}, manifest {manifest.hash[:12]}"
        return CheckpointVerified(at=STAMPED, path=order.path, what=what, faults=read.faults)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
