"""What the core wants from the bucket, carried out: each order becomes a call and comes back as an event."""

import asyncio
import contextlib
import errno
import shutil
from dataclasses import replace
from pathlib import Path

import structlog

from bot.core.effects import (
    BringBack,
    Effect,
    FetchData,
    FetchWeights,
    ForgetCheckpoint,
    HandOn,
    PublishBest,
    PublishCheckpoint,
    PublishCurve,
    ReadTerms,
    VerifyCheckpoint,
)
from bot.core.events import (
    BestPublished,
    BroughtBack,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
    CheckpointVerified,
    CurvePublished,
    DataFetched,
    Event,
    FetchFailed,
    HandedOn,
    LessonsFile,
    RowsFetched,
    TermsRead,
    TermsUnreadable,
    WeightsFetched,
    WeightsRefused,
)
from bot.shell import bucket
from bot.shell.bucket import BucketUrl, Meta, ObjectStore, Progress
from bot.shell.bucket.errands import pull
from bot.shell.bucket.errors import (
    AccessDenied,
    BadContent,
    BadName,
    IntegrityError,
    NoSpace,
    NotFound,
    NotWhole,
    StoreError,
    TooLarge,
    Unavailable,
)
from bot.shell.bucket.left import left_of
from bot.shell.bucket.manifest import read_marker
from bot.shell.bucket.rereading import reread
from bot.shell.deciding.desk import STAMPED, Desk, Note
from bot.shell.deciding.lanes import Later
from bot.shell.machine.places import WEIGHTS_FILE, Places
from bot.shell.what_to_do import later
from protocol import paths
from protocol.lessons import read_lessons
from protocol.messages import BlockCause
from protocol.plan import PlanBroken, read_plan
from protocol.saved import damage

log = structlog.stdlib.get_logger("freight")

TERMS = ("read_terms",)
DATA = ("fetch_data", "fetch_weights", "bring_back")
VERIFYING = ("verify_checkpoint",)
SHELF = ("publish_checkpoint", "publish_best", "publish_curve", "hand_on", "forget_checkpoint")
"""Kinds of orders by lane: reading terms, data or a checkpoint never waits for an upload."""


class Freight:
    """`url` is the configured bucket, `store` what stands behind it."""

    def __init__(self, url: BucketUrl, store: ObjectStore, places: Places, desk: Desk) -> None:
        self._url = url
        self._store = store
        self._places = places
        self._desk = desk
        self._whole: set[Path] = set()

    async def carry(self, order: Effect) -> None:
        """Raises Later."""
        try:
            event = await self._done(order)
        except Unavailable as error:
            raise Later(str(error)) from error
        except (StoreError, OSError) as error:
            raise later(self._as_it_is(order), error, self._url, self._places) from error
        finally:
            self._desk.gauges = replace(self._desk.gauges, transfer=None)
        await self._desk.tell(Note(event=event, settles=order.key))

    async def _done(self, order: Effect) -> Event:
        match order:
            case ReadTerms():
                return await self._read_terms(order)
            case FetchData():
                return await self._fetch(order)
            case FetchWeights():
                return await self._fetch_weights(order)
            case BringBack():
                return await self._bring_back(order)
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
            case _:
                raise AssertionError(f"{order.kind} is no matter of the bucket")

    # --- coming in ----------------------------------------------------------

    async def _read_terms(self, order: ReadTerms) -> Event:
        try:
            text = await bucket.read_text(self._store, paths.PLAN)
            plan = None if text is None else read_plan(text)
            cycles = [number for number in (order.cycle, order.cycle - 1) if number >= 0]
            files = [await self._lessons(paths.lessons(number)) for number in cycles]
        except PlanBroken as error:
            return TermsUnreadable(at=STAMPED, cycle=order.cycle, errors=error.errors)
        except (TooLarge, BadContent) as error:
            return TermsUnreadable(at=STAMPED, cycle=order.cycle, errors=(str(error),))
        left = await left_of(self._store, order.cycle, self._desk.state)
        return TermsRead(at=STAMPED, cycle=order.cycle, plan=plan, files=tuple(files), left=left)

    async def _lessons(self, name: str) -> LessonsFile:
        text = await bucket.read_text(self._store, name)
        return LessonsFile(name=name, lessons=None if text is None else read_lessons(text))

    async def _fetch(self, order: FetchData) -> Event:
        try:
            prefix = self._url.locate(order.source)
        except BadName as error:
            cause: BlockCause = "foreign_bucket" if "://" in order.source else "no_data"
            return _refused(order, cause, str(error))
        place = self._places.dataset(order.source)

        async def rows_here(coming_bytes: int) -> None:
            rows = RowsFetched(at=STAMPED, cycle=order.cycle, coming_bytes=coming_bytes)
            await self._desk.tell(Note(event=rows))

        try:
            fetched = await bucket.fetch_dataset(
                self._store, prefix, place, self._gauge(order.source), rows_here
            )
            await asyncio.to_thread(bucket.settle, place)
        except NotFound:
            return _refused(order, "no_data", f"{self._url.url(prefix)}에 데이터가 없음")
        except NoSpace as error:
            return _refused(order, "disk", str(error))
        except (AccessDenied, BadName, IntegrityError) as error:
            return _refused(order, "bucket", str(error))
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return _refused(
                    order,
                    "disk",
                    f"{self._places.path}: 디스크 공간 부족 (`training-claw state tidy`로 정리 가능)",
                )
            raise
        return DataFetched(at=STAMPED, cycle=order.cycle, files=fetched.files, size_bytes=fetched.bytes)

    async def _bring_back(self, order: BringBack) -> Event:
        """The best may be of an earlier epoch, or not have come that far: then the next one is the best."""
        place = self._places.run(order.run).left
        path, best = paths.act_epoch(order.epoch, order.cycle), paths.act_best(order.cycle)
        try:
            await bucket.fetch_checkpoint(self._store, path, place / "checkpoint", self._gauge(path))
            with contextlib.suppress(NotFound):
                await bucket.fetch_checkpoint(self._store, best, place / "best", self._gauge(best))
        except (NotFound, BadContent, IntegrityError) as error:
            log.warning("what was left cannot be had", path=path, why=str(error))
            return BroughtBack(at=STAMPED, cycle=order.cycle, epoch=order.epoch, whole=False)
        epochs = await bucket.adopt(self._store, order.cycle, order.of, order.epoch, order.run)
        return BroughtBack(at=STAMPED, cycle=order.cycle, epoch=order.epoch, whole=True, epochs=epochs)

    async def _fetch_weights(self, order: FetchWeights) -> Event:
        """A checkpoint of ours by its manifest, a foreign one as it lies there."""
        dest = self._places.run(order.run).initial
        try:
            await pull(self._store, order.path, dest, self._gauge(order.path), mirror=True)
        except NotFound:
            return _unusable(order, f"{self._url.url(order.path)}: checkpoint가 없음")
        except (NoSpace, AccessDenied, BadName, BadContent, IntegrityError) as error:
            return _unusable(order, str(error))
        if self._places.initial_weights(order.run) is None:
            return _unusable(order, f"{self._url.url(order.path)}: {WEIGHTS_FILE}이 없음")
        return WeightsFetched(at=STAMPED, cycle=order.cycle, path=order.path)

    # --- going out ----------------------------------------------------------

    async def _publish_checkpoint(self, order: PublishCheckpoint) -> Event:
        folder = self._places.run(order.run).path / order.folder
        damaged = await self._damage(folder)
        if damaged and self._is_given_up(order):
            return CheckpointLost(at=STAMPED, cycle=order.cycle, epoch=order.epoch, damage=damaged)
        if damaged:
            raise NotWhole(damaged)
        place, meta = paths.act_epoch(order.epoch, order.cycle), Meta.model_validate(order.meta)
        published = await bucket.publish_checkpoint(
            self._store, folder, order.cycle, order.epoch, order.run, meta, self._gauge(place)
        )
        log.info("published", path=place, tidied=published.tidied, untidied=published.untidied)
        return CheckpointPublished(
            at=STAMPED, cycle=order.cycle, epoch=order.epoch, retired=published.retired
        )

    async def _damage(self, folder: Path) -> str | None:
        """What is wrong with what the trainer has saved there: no half of it must look whole in the bucket.
        Every byte is read for this, once for as long as we run."""
        if folder in self._whole:
            return None
        damaged = await asyncio.to_thread(damage, folder)
        if damaged is None:
            self._whole.add(folder)
        return damaged

    def _is_given_up(self, order: PublishCheckpoint) -> bool:
        cycle = self._desk.state.cycle
        if cycle is None or cycle.run_name != order.run:
            return False
        return any(one.epoch == order.epoch and one.status == "given_up" for one in cycle.shelf.checkpoints)

    def _as_it_is(self, order: Effect) -> Effect:
        return self._newest_best(order) if isinstance(order, PublishBest) else order

    async def _publish_best(self, order: PublishBest) -> Event:
        order = self._newest_best(order)
        folder = self._places.run(order.run).path / order.folder
        if damaged := await self._damage(folder):
            raise NotWhole(damaged)
        place, meta = paths.act_best(order.cycle), Meta.model_validate(order.meta)
        await bucket.publish_best(
            self._store, folder, order.cycle, order.epoch, order.run, meta, self._gauge(place)
        )
        return BestPublished(at=STAMPED, cycle=order.cycle, epoch=order.epoch)

    def _newest_best(self, order: PublishBest) -> PublishBest:
        """A better one may have come since, and the trainer keeps only the newest two folders."""
        cycle = self._desk.state.cycle
        best = cycle.shelf.best if cycle and cycle.run_name == order.run else None
        if best is None or best.epoch == order.epoch:
            return order
        meta = {**order.meta, "epoch": best.epoch} | ({} if best.loss is None else {"loss": best.loss})
        return order.model_copy(update={"epoch": best.epoch, "folder": best.folder, "meta": meta})

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
        await asyncio.to_thread(_remove, self._places.run(order.run).path / order.folder)
        return CheckpointForgotten(at=STAMPED, cycle=order.cycle, epoch=order.epoch)

    async def _verify(self, order: VerifyCheckpoint) -> Event:
        try:
            read = await reread(self._store, order.path, self._gauge(order.path))
        except NotFound:
            return CheckpointVerified(at=STAMPED, path=order.path, what="")
        manifest = read.manifest
        size = f"{len(manifest.files)}개 파일, {manifest.total_bytes / 1e6:.1f}MB"
        what = f"cycle {manifest.cycle}, epoch {manifest.epoch}, {size}, manifest {manifest.hash[:12]}"
        return CheckpointVerified(at=STAMPED, path=order.path, what=what, faults=read.faults)

    def _gauge(self, what: str) -> Progress:
        def show(done_bytes: int, total_bytes: int) -> None:
            self._desk.gauges = replace(self._desk.gauges, transfer=(what, done_bytes, total_bytes))

        return show


def _refused(order: FetchData, cause: BlockCause, problem: str) -> FetchFailed:
    return FetchFailed(at=STAMPED, cycle=order.cycle, cause=cause, problem=problem)


def _unusable(order: FetchWeights, problem: str) -> WeightsRefused:
    return WeightsRefused(at=STAMPED, cycle=order.cycle, path=order.path, problem=problem)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
