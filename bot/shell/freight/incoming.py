"""From the bucket to this machine: terms, data sets, weights to start from, what a lost machine has left."""

import asyncio
import contextlib
import errno

import structlog

from bot.core.effects import BringBack, FetchData, FetchWeights, LookAtPlan, ReadTerms
from bot.core.events import (
    BroughtBack,
    DataFetched,
    Event,
    FetchFailed,
    LessonsFile,
    PlanSeen,
    RowsFetched,
    TermsRead,
    TermsUnreadable,
    WeightsFetched,
    WeightsRefused,
)
from bot.shell import bucket
from bot.shell.bucket import BucketUrl, ObjectStore
from bot.shell.bucket.errands import pull
from bot.shell.bucket.errors import (
    AccessDenied,
    BadContent,
    BadName,
    IntegrityError,
    NoSpace,
    NotFound,
    TooLarge,
)
from bot.shell.bucket.left import left_of
from bot.shell.deciding.desk import STAMPED, Desk, Note
from bot.shell.freight.gauging import gauge
from bot.shell.machine.places import WEIGHTS_FILE, Places
from protocol import paths
from protocol.lessons import MOST, read_lessons
from protocol.messages import BlockCause
from protocol.plan import Plan, PlanBroken, read_plan

log = structlog.stdlib.get_logger("incoming")


class Incoming:
    """What cannot be had is told as an event; what fails for now is raised, see `Freight.carry`."""

    def __init__(self, url: BucketUrl, store: ObjectStore, places: Places, desk: Desk) -> None:
        self._url = url
        self._store = store
        self._places = places
        self._desk = desk

    async def brought(self, order: ReadTerms | LookAtPlan | FetchData | FetchWeights | BringBack) -> Event:
        match order:
            case ReadTerms():
                return await self._read_terms(order)
            case LookAtPlan():
                return await self._look_at_plan(order)
            case FetchData():
                return await self._fetch(order)
            case FetchWeights():
                return await self._fetch_weights(order)
            case BringBack():
                return await self._bring_back(order)

    async def _read_terms(self, order: ReadTerms) -> Event:
        try:
            plan = await self._plan()
            cycles = [number for number in (order.cycle, order.cycle - 1) if number >= 0]
            files = [await self._lessons(paths.lessons(number)) for number in cycles]
        except PlanBroken as error:
            return TermsUnreadable(at=STAMPED, cycle=order.cycle, errors=error.errors)
        except (TooLarge, BadContent) as error:
            return TermsUnreadable(at=STAMPED, cycle=order.cycle, errors=(str(error),))
        left = await left_of(self._store, order.cycle, self._desk.state)
        return TermsRead(at=STAMPED, cycle=order.cycle, plan=plan, files=tuple(files), left=left)

    async def _look_at_plan(self, order: LookAtPlan) -> Event:
        try:
            return PlanSeen(at=STAMPED, cycle=order.cycle, plan=await self._plan())
        except (PlanBroken, TooLarge, BadContent):
            return PlanSeen(at=STAMPED, cycle=order.cycle, plan=None, readable=False)

    async def _plan(self) -> Plan | None:
        """Raises PlanBroken, TooLarge or BadContent."""
        text = await bucket.read_text(self._store, paths.PLAN)
        return None if text is None else read_plan(text)

    async def _lessons(self, name: str) -> LessonsFile:
        text = await bucket.read_text(self._store, name)
        found = None if text is None else read_lessons(text)
        if found is not None and len(found) > MOST:
            raise TooLarge(f"{name} holds {len(found)} lessons, more than {MOST}: is it the right file?")
        return LessonsFile(name=name, lessons=found)

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
                self._store, prefix, place, gauge(self._desk, order.source), rows_here
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
            await bucket.fetch_checkpoint(self._store, path, place / "checkpoint", gauge(self._desk, path))
            with contextlib.suppress(NotFound):
                await bucket.fetch_checkpoint(self._store, best, place / "best", gauge(self._desk, best))
        except (NotFound, BadContent, IntegrityError) as error:
            log.warning("what was left cannot be had", path=path, why=str(error))
            return BroughtBack(at=STAMPED, cycle=order.cycle, epoch=order.epoch, whole=False)
        epochs = await bucket.adopt(self._store, order.cycle, order.of, order.epoch, order.run)
        return BroughtBack(at=STAMPED, cycle=order.cycle, epoch=order.epoch, whole=True, epochs=epochs)

    async def _fetch_weights(self, order: FetchWeights) -> Event:
        """A checkpoint of ours by its manifest, a foreign one as it lies there."""
        dest = self._places.run(order.run).initial
        try:
            await pull(self._store, order.path, dest, gauge(self._desk, order.path), mirror=True)
        except NotFound:
            return _unusable(order, f"{self._url.url(order.path)}: checkpoint가 없음")
        except (NoSpace, AccessDenied, BadName, BadContent, IntegrityError) as error:
            return _unusable(order, str(error))
        if self._places.initial_weights(order.run) is None:
            return _unusable(order, f"{self._url.url(order.path)}: {WEIGHTS_FILE}이 없음")
        return WeightsFetched(at=STAMPED, cycle=order.cycle, path=order.path)


def _refused(order: FetchData, cause: BlockCause, problem: str) -> FetchFailed:
    return FetchFailed(at=STAMPED, cycle=order.cycle, cause=cause, problem=problem)


def _unusable(order: FetchWeights, problem: str) -> WeightsRefused:
    return WeightsRefused(at=STAMPED, cycle=order.cycle, path=order.path, problem=problem)
