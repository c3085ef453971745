"""One play from its first HANDOFF to its last, with faults all the way."""

import asyncio
import random
import re
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bot.rehearsal.drill import points
from bot.rehearsal.drill.book import Befallen, Evening, Size
from bot.rehearsal.drill.bot import Refused
from bot.rehearsal.drill.inside import INSIDE, about_to_check, epochs_done, vulnerable
from bot.rehearsal.drill.outside import OUTSIDE, Fault, Suffered
from bot.rehearsal.drill.reckoning import reckoned
from bot.rehearsal.drill.theatre import ROSTER, Programme, Theatre, TooLong, opened
from bot.rehearsal.players import peers, script
from bot.rehearsal.soak.thermometer import size_of
from protocol.roster import Peer

PLAY_S = 5400.0
CALM_S = 240.0
PAUSE_S = (0.2, 3.0)
EARLY = 0.3
"""So often a trainer is hit again before it has finished an epoch; never twice running: three crashes without
progress are a BLOCKED, as they should be."""
POINTS_A_PLAY = 20
LONG_S = 60.0
"""An outage longer than this begins in the midst of a training."""
RARE = frozenset(
    {"machine lost", "freeze trainer", "stop, resume", "second daemon", "SIGTERM bot", "SIGTERM trainer"}
)


@dataclass
class Log:
    """What has befallen so far. `shown` is told of every fault."""

    shown: Callable[[Befallen], None]
    left: int
    faults: list[Befallen] = field(default_factory=list[Befallen])
    sizes: list[Size] = field(default_factory=list[Size])

    def note(self, one: Befallen) -> None:
        self.faults.append(one)
        self.shown(one)


async def play(programme: Programme, shown: Callable[[Befallen], None]) -> Evening:
    """Play it, and reckon up what was lost."""
    began = time.monotonic()
    dice = random.Random(f"{programme.seed}/{programme.number}")  # noqa: S311  repeatable, not secret
    at_points = min(POINTS_A_PLAY, programme.faults // 2) if "kill bot" in programme.kinds else 0
    deadly = points.chosen(dice, programme.passed, at_points)
    log = Log(shown, programme.faults - len(deadly))
    async with opened(programme, dice) as theatre:
        theatre.orders.die_at.write_text("".join(f"{one}\n" for one in deadly), encoding="utf-8")
        await _performed(theatre, programme, log)
        await theatre.bot.stop()
        ending = await reckoned(theatre)
        return Evening(
            number=programme.number,
            took_s=round(time.monotonic() - began, 1),
            faults=tuple(log.faults),
            points=_died_at(theatre),
            sizes=tuple(log.sizes),
            ending=ending,
        )


async def _performed(theatre: Theatre, programme: Programme, log: Log) -> None:
    """Until the last HANDOFF, and then until everything asked is answered."""
    patience_s = PLAY_S + programme.faults * programme.away_s[1]
    parts = [
        theatre.bot.keep(),
        peers.watcher(peers.player_of(theatre.discord, ROSTER, Peer.WATCHER), theatre.facts),
        peers.developer(peers.player_of(theatre.discord, ROSTER, Peer.DEVELOPER), theatre.facts),
        _measured(theatre, log),
        _terms_come_late(theatre),
        _evaluation_doubts(theatre),
        theatre.lookout.watch(),
    ]
    around = [asyncio.ensure_future(part) for part in parts]
    lanes = [
        asyncio.create_task(_befall(theatre, OUTSIDE, theatre.at_the_bot, programme, log)),
        asyncio.create_task(_befall(theatre, INSIDE, theatre.at_the_trainer, programme, log)),
    ]
    try:
        async with asyncio.timeout(patience_s):
            await _first_trouble(_ending(theatre), around[0])
            theatre.over.set()
            await asyncio.gather(*lanes)
        await _calm(theatre)
    except TimeoutError:
        theatre.troubles.append(f"the play did not end within {patience_s:.0f} s")
    except (Refused, TooLong) as error:
        theatre.troubles.append(str(error))
    finally:
        theatre.over.set()
        for task in (*lanes, *around):
            task.cancel()
        await asyncio.gather(*lanes, *around, return_exceptions=True)


async def _ending(theatre: Theatre) -> None:
    """DONE and HANDOFF, both."""
    record = theatre.discord.record
    await record.until(lambda one: script.has(one, "DONE"))
    await record.until(lambda one: script.has(one, "HANDOFF", script.ENDING))


async def _first_trouble(ending: Coroutine[Any, Any, None], keeping: asyncio.Future[Any]) -> None:
    """Until the play ends; a daemon that refuses to run ends it at once."""
    playing = asyncio.create_task(ending)
    try:
        await asyncio.wait((playing, keeping), return_when=asyncio.FIRST_COMPLETED)
        if keeping.done():
            keeping.result()
        await playing
    finally:
        playing.cancel()


async def _calm(theatre: Theatre) -> None:
    """No more faults: everything that was asked is answered now."""
    theatre.orders.die_at.unlink(missing_ok=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(CALM_S):
            await theatre.ask()
            await theatre.tally.news.until(lambda: not theatre.tally.waiting())


async def _befall(
    theatre: Theatre, faults: dict[str, Fault], turn: asyncio.Lock, programme: Programme, log: Log
) -> None:
    """One fault after the other, of kinds that come in turns, until the play is over."""
    inside = faults is INSIDE
    deck: list[str] = []
    hit_early, last_epoch = False, 0
    if programme.away_s[0] > LONG_S:
        await _at_work(theatre, 1)
    while not theatre.over.is_set() and log.left > 0 and time.monotonic() < programme.until:
        await _pause(theatre)
        if inside:
            hurried = points.leads_to("disk full (runs)", theatre.orders.deadly()) and not hit_early
            early = hurried or (theatre.dice.random() < EARLY and not hit_early)
            at_work = about_to_check if hurried else vulnerable
            if not await _at_work(theatre, 0 if early else last_epoch + 1, at_work):
                return
            hit_early = early
        deck = deck or _shuffled(theatre, faults, programme)
        if not deck:
            return
        async with turn:
            if theatre.over.is_set() or log.left <= 0 or time.monotonic() > programme.until:
                return
            log.left -= 1
            kind = _next(theatre, deck)
            log.note(await _suffered(theatre, kind, faults[kind]))
        last_epoch = epochs_done(theatre)


async def _suffered(theatre: Theatre, kind: str, fault: Fault) -> Befallen:
    began, mark, wrong = time.monotonic(), await theatre.ask(), ""
    suffered = Suffered()
    try:
        suffered = await fault(theatre)
    except (TooLong, Refused) as error:
        wrong = str(error)
    except TimeoutError:
        wrong = "the daemon did not come back into the channel"
    return Befallen(
        kind=kind.partition(" (")[0],
        detail=suffered.detail,
        mark=mark,
        took_s=round(time.monotonic() - began, 1),
        told=suffered.told,
        steps_lost=suffered.steps_lost,
        points_lost=suffered.points_lost,
        wrong=wrong,
    )


def _shuffled(theatre: Theatre, faults: dict[str, Fault], programme: Programme) -> list[str]:
    """Every kind twice, rare ones once."""
    kinds = [
        kind
        for kind in faults
        if kind.partition(" (")[0] in programme.kinds and (theatre.disks or not kind.startswith("disk full"))
    ]
    deck = [kind for kind in kinds for _ in range(1 if kind in RARE else 2)]
    theatre.dice.shuffle(deck)
    return deck


def _next(theatre: Theatre, deck: list[str]) -> str:
    """The top of the deck, or what leads to a point where the daemon is to be ended."""
    wanted = theatre.orders.deadly()
    kind = next((one for one in deck if points.leads_to(one, wanted)), deck[-1])
    deck.remove(kind)
    return kind


async def _pause(theatre: Theatre) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(theatre.dice.uniform(*PAUSE_S)):
            await theatre.over.wait()


async def _at_work(theatre: Theatre, epoch: int, at_work: Callable[[Theatre], bool] = vulnerable) -> bool:
    """Wait until a process works and has finished `epoch` epochs; False: there will be none any more."""

    def there() -> bool:
        return theatre.over.is_set() or (at_work(theatre) and epochs_done(theatre) >= epoch)

    try:
        await theatre.until(there, f"epoch {epoch}", PLAY_S)
    except TooLong:
        return False
    return not theatre.over.is_set()


async def _terms_come_late(theatre: Theatre) -> None:
    """Who is to be ended with its data fetched and the terms unread must find PLAN.md unreadable so long."""
    if points.FETCHED not in theatre.orders.deadly() or theatre.vault.address:
        return
    plan = theatre.stage.bucket / "ssot" / "PLAN.md"
    async with theatre.at_the_bot:  # and the bucket stays where it is
        aside = plan.rename(plan.with_name("aside"))
        plan.symlink_to(plan.name)
        try:
            with suppress(TooLong):
                await theatre.until(lambda: points.FETCHED not in theatre.orders.deadly(), points.FETCHED)
        finally:
            plan.unlink()
            aside.rename(plan)


async def _evaluation_doubts(theatre: Theatre) -> None:
    """Who is to be ended while a checkpoint is read again must be asked to read one."""
    if not theatre.orders.deadly().intersection(points.DOUBTED):
        return
    ours = re.compile(r"checkpoints/act_epoch_\d+")
    speaks = theatre.discord.record.until(
        lambda one: one.author_id == ROSTER.training and ours.search(one.content) is not None
    )
    named = ours.search((await speaks).content)
    assert named is not None, "it was looked for"
    await theatre.discord.say(ROSTER.evaluation, f"{script.to_training(ROSTER)} {named[0]} 이 안 열립니다")


async def _measured(theatre: Theatre, log: Log) -> None:
    """The daemon's size, now and again."""
    while True:
        await asyncio.sleep(1.0)
        with suppress(OSError):
            theatre.lookout.look()
            rss_kb, descriptors = size_of(theatre.bot.pid)
            age_s = round(time.monotonic() - theatre.bot.born_at, 1)
            log.sizes.append(Size(age_s=age_s, rss_kb=rss_kb, descriptors=descriptors))


def _died_at(theatre: Theatre) -> tuple[str, ...]:
    try:
        return tuple(theatre.orders.died_at.read_text(encoding="utf-8").splitlines())
    except OSError:
        return ()
