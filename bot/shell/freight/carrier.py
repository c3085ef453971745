"""One order after the other: who carries it out, and what comes of one that fails."""

from dataclasses import replace

from bot.core.effects import (
    BringBack,
    Effect,
    FetchData,
    FetchWeights,
    ForgetCheckpoint,
    HandOn,
    LookAtPlan,
    PublishBest,
    PublishCheckpoint,
    PublishCurve,
    ReadTerms,
    VerifyCheckpoint,
)
from bot.core.events import Event
from bot.shell.bucket import BucketUrl, ObjectStore
from bot.shell.bucket.errors import StoreError, Unavailable
from bot.shell.deciding.desk import Desk, Note
from bot.shell.deciding.lanes import Later
from bot.shell.freight.incoming import Incoming
from bot.shell.freight.outgoing import Outgoing
from bot.shell.freight.what_to_do import later
from bot.shell.machine.places import Places

TERMS = ("read_terms", "look_at_plan")
DATA = ("fetch_data", "fetch_weights", "bring_back")
VERIFYING = ("verify_checkpoint",)
SHELF = ("publish_checkpoint", "publish_best", "publish_curve", "hand_on", "forget_checkpoint")
"""Kinds of orders by lane: reading terms, data or a checkpoint never waits for an upload."""


class Freight:
    """`url` is the configured bucket, `store` what stands behind it."""

    def __init__(self, url: BucketUrl, store: ObjectStore, places: Places, desk: Desk) -> None:
        self._url = url
        self._places = places
        self._desk = desk
        self._incoming = Incoming(url, store, places, desk)
        self._outgoing = Outgoing(store, places, desk)

    async def carry(self, order: Effect) -> None:
        """Raises Later."""
        try:
            event = await self._done(order)
        except Unavailable as error:
            raise Later(str(error)) from error
        except (StoreError, OSError) as error:
            raise later(self._outgoing.as_it_is(order), error, self._url, self._places) from error
        finally:
            self._desk.gauges = replace(self._desk.gauges, transfer=None)
        await self._desk.tell(Note(event=event, settles=order.key))

    async def _done(self, order: Effect) -> Event:
        match order:
            case ReadTerms() | LookAtPlan() | FetchData() | FetchWeights() | BringBack():
                return await self._incoming.brought(order)
            case (
                PublishCheckpoint()
                | PublishBest()
                | PublishCurve()
                | HandOn()
                | ForgetCheckpoint()
                | VerifyCheckpoint()
            ):
                return await self._outgoing.shelved(order)
            case _:
                raise AssertionError(f"{order.kind} is no matter of the bucket")
