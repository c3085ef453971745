"""The play from curtain to curtain: stage, Discord, daemon and players, then the judge."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bot.rehearsal.cast import OPERATOR_ID, Person, cast_of
from bot.rehearsal.console import Onlooker, Review
from bot.rehearsal.discord.guild import Guild
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.gallery import Gallery
from bot.rehearsal.gauges import Dials
from bot.rehearsal.judging.judge import LESSON_WORDS, Act, Play, judge, numbers_of
from bot.rehearsal.judging.outcomes import acts_with
from bot.rehearsal.players import peers, script, tempers
from bot.rehearsal.players.laboratory import evaluate
from bot.rehearsal.players.tempers import Temper
from bot.rehearsal.processes import CommandFailed, Daemon, end_jobs, run_trainer
from bot.rehearsal.stage import TIMEZONE, Address, Stage, invite, set_stage, simulate_commands, write_env
from bot.rehearsal.upkeep import Interrupted, kept_up, refused
from protocol.roster import Peer, Roster

_ROSTER = Roster()


@dataclass(slots=True)
class Encore:
    """After the play the gallery stays open, and the daemon goes on, until it is `over`."""

    port: int = 0
    began: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Direction:
    """How to play. `patience_s` is for the whole play; `kill_at_epoch` 0 kills nobody.

    The parts of `guests` are left to programs of somebody else's, who find in the stage's folder how to join.
    With an `encore` it is played before a gallery that may call out, and takes as long as it takes.
    """

    stage: Stage
    transcript: Path
    patience_s: float = 900
    kill_at_epoch: int = 0
    guests: frozenset[Peer] = frozenset()
    encore: Encore | None = None
    temper: Temper = Temper.APPROVING


async def rehearse(direction: Direction, onlooker: Onlooker) -> Review:
    """Play once and judge. However it ends, no process is left behind."""
    began, stage = time.monotonic(), direction.stage
    set_stage(stage)
    guild, dials = Guild(cast_of(_ROSTER)), Dials(stage)
    async with (
        DiscordServer(guild, witness=stage.witness) as discord,
        _gallery(direction, discord, onlooker) as gallery,
    ):
        broken = ""
        try:
            async with (
                asyncio.timeout(None if gallery else direction.patience_s),
                _watching(discord, dials, onlooker),
            ):
                await _simulate(stage, onlooker)
                await _perform(direction, discord, dials, onlooker, gallery)
        except TimeoutError:
            broken = f"the play did not end within {direction.patience_s:.0f} s"
        except (Interrupted, CommandFailed) as problem:
            broken = str(problem)
        finally:
            discord.record.save(direction.transcript)
    return _review(direction, discord, broken, timedelta(seconds=time.monotonic() - began))


def players(
    discord: DiscordServer, stage: Stage, temper: Temper = Temper.APPROVING
) -> dict[str, Coroutine[Any, Any, None]]:
    """Everybody's part, by name."""
    play = partial(peers.player_of, discord, _ROSTER)
    operator = peers.Player(discord, OPERATOR_ID, _ROSTER)
    return {
        "Watcher": tempers.watcher(play(Peer.WATCHER), stage.facts, temper),
        "Developer": peers.developer(play(Peer.DEVELOPER), stage.facts),
        "Evaluation": peers.evaluation(play(Peer.EVALUATION), partial(evaluate, stage)),
        "operator": (tempers.waiting_operator if temper is Temper.SILENT else peers.operator)(operator),
    }


async def _simulate(stage: Stage, onlooker: Onlooker) -> None:
    """Make the data set and the held-out episodes, side by side."""
    onlooker.note(f"simulating {stage.sizes.episodes} episodes, and {stage.sizes.held_out} for Evaluation")
    tasks = [asyncio.create_task(run_trainer(command)) for command in simulate_commands(stage)]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _cancelled(tasks)


async def _perform(
    direction: Direction, discord: DiscordServer, dials: Dials, onlooker: Onlooker, gallery: Gallery | None
) -> None:
    """Raise the curtain, and hold the stage until the operator's last answer or until nothing can go on."""
    stage = direction.stage
    address = Address(discord.channel_id, discord.api_base, discord.gateway_url)
    write_env(stage, _person(Peer.TRAINING).token, address)
    async with _daemon(stage) as daemon:
        await _first_of(discord.gateway.until_connected(_ROSTER.training), refused(daemon))
        onlooker.note(
            f"the daemon is in the channel, where one speaks Korean (clocks: {TIMEZONE}); it REPORTs every "
            f"{stage.sizes.report_every_s} s, in production every 30 minutes"
        )
        parts = players(discord, stage, direction.temper)
        for guest in direction.guests:
            del parts[guest.value]
            invitation = invite(stage, guest, _person(guest).token, address)
            onlooker.note(f"{guest.value} is left to you: {invitation} says how to join")
        curtain, others = parts.pop("operator"), [_for_ever(part) for part in parts.values()]
        if gallery is None:
            watched = _watched(direction.kill_at_epoch, daemon, dials, onlooker)
            await _first_of(curtain, _blocked(discord), watched, *others)
        else:
            await _first_of(
                _played(_first_of(curtain, *others), direction, discord, gallery, onlooker),
                kept_up(daemon, partial(_tell, gallery, onlooker)),
                _for_ever(_killed(direction.kill_at_epoch, daemon, dials)),
            )


async def _played(
    play: Awaitable[None],
    direction: Direction,
    discord: DiscordServer,
    gallery: Gallery,
    onlooker: Onlooker,
) -> None:
    """To its end, and then for as long as the gallery likes."""
    await play
    gallery.verdict(_review(direction, discord, "", timedelta()))
    assert direction.encore is not None, "there is a gallery"
    await _stay(direction.encore, gallery, onlooker)


def _tell(gallery: Gallery, onlooker: Onlooker, english: str, korean: str) -> None:
    onlooker.note(english)
    gallery.note(english, korean)


async def _stay(encore: Encore, gallery: Gallery, onlooker: Onlooker) -> None:
    encore.began = True
    onlooker.note(f"the play is over; the daemon goes on and {gallery.url} stays open until Ctrl-C")
    await encore.over.wait()


async def _first_of(*parts: Awaitable[None]) -> None:
    """Until the first part ends; the others are cancelled. What it raised is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancelled(tasks)
    for task in done:
        task.result()


async def _cancelled(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """End what is still going on, and wait for it to have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _for_ever(part: Awaitable[None]) -> None:
    """A part that has been played to its end goes on being there."""
    await part
    await asyncio.Future[None]()


async def _blocked(discord: DiscordServer) -> None:
    """A BLOCKED, whoever says it, ends a rehearsal in which nothing should be wrong."""
    entry = await discord.record.until(lambda one: script.has(one, "BLOCKED"))
    raise Interrupted(" / ".join(entry.content.splitlines()[:3]))


async def _killed(number: int, daemon: Daemon, dials: Dials) -> None:
    """kill -9 the daemon after epoch `number`; 0: nobody does."""
    if number:
        await dials.until_epoch(number)
        await daemon.kill()


async def _watched(kill_at_epoch: int, daemon: Daemon, dials: Dials, onlooker: Onlooker) -> None:
    """Where a kill is part of the plot it is started again after that; otherwise it must live."""
    if kill_at_epoch:
        await _killed(kill_at_epoch, daemon, dials)
        onlooker.note("the daemon was killed (kill -9) and is started again")
        await daemon.start()
    await refused(daemon)


@asynccontextmanager
async def _daemon(stage: Stage) -> AsyncGenerator[Daemon]:
    """A running daemon; at the end neither it nor any trainer of its is left."""
    daemon = Daemon(stage.env_file, stage.daemon_log)
    try:
        await daemon.start()
        yield daemon
    finally:
        await daemon.stop()
        await end_jobs(stage.runs)


@asynccontextmanager
async def _gallery(
    direction: Direction, discord: DiscordServer, onlooker: Onlooker
) -> AsyncGenerator[Gallery | None]:
    """An open gallery, if the direction wants one."""
    if direction.encore is None:
        yield None
        return
    async with Gallery(discord, direction.stage, direction.encore.port) as gallery:
        onlooker.note(f"watch, and call out, at {gallery.url}")
        yield gallery


@asynccontextmanager
async def _watching(discord: DiscordServer, dials: Dials, onlooker: Onlooker) -> AsyncGenerator[None]:
    """Show messages as they are accepted, and the bars."""
    tasks = [
        asyncio.create_task(_show_messages(discord, onlooker), name="transcript"),
        asyncio.create_task(dials.follow(onlooker.gauge), name="dials"),
    ]
    try:
        yield
    finally:
        await _cancelled(tasks)


async def _show_messages(discord: DiscordServer, onlooker: Onlooker) -> None:
    number = 0
    while True:
        onlooker.said(await discord.record.entry(number))
        number += 1


def _review(direction: Direction, discord: DiscordServer, broken: str, took: timedelta) -> Review:
    stage = direction.stage
    play = Play(discord.record.entries, _ROSTER, (OPERATOR_ID,), lesson_words=_lessons(direction))
    acts = judge(play, acts_with(direction.temper, guest_watcher=Peer.WATCHER in direction.guests))
    if broken:
        acts = (Act("The play came to its end", passed=False, evidence=broken), *acts)
    with suppress(OSError):
        shutil.copyfile(stage.bucket / "checkpoints" / "loss_curve.png", stage.loss_curve)
    return Review(
        acts=acts,
        numbers=numbers_of(play),
        took=took,
        loss_curve=stage.loss_curve if stage.loss_curve.exists() else None,
        folder=stage.folder,
        transcript=direction.transcript,
    )


def _lessons(direction: Direction) -> tuple[str, ...]:
    """By which words DONE's lines are known; a guest has lessons of its own."""
    return () if Peer.WATCHER in direction.guests else LESSON_WORDS


def _person(peer: Peer) -> Person:
    return next(person for person in cast_of(_ROSTER) if person.id == _ROSTER.id_of(peer))
