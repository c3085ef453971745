"""The players: each a short story told in order, in which only what is heard moves anything on.

DomainExpert has no lines. Training is not played: it is the daemon under rehearsal.
"""

from collections.abc import Awaitable, Callable

from bot.rehearsal.discord.record import Entry
from bot.rehearsal.discord.server import DiscordServer
from bot.rehearsal.players import script
from bot.rehearsal.players.numbers import read_numbers
from protocol.roster import Peer, Roster

Evaluate = Callable[[str], Awaitable[str]]
"""Evaluates what a HANDOFF hands over; gives the numbers in words. Raises EvaluationFailed."""


type Answer = Callable[["Player", Entry, str], Awaitable[None]]
"""Answers a proposal of that name, asked in that message."""


class EvaluationFailed(Exception):
    """It could not be evaluated; the message is one line."""


class Player:
    """Somebody on the stage, who hears the channel from its beginning and misses nothing."""

    def __init__(self, server: DiscordServer, me: int, roster: Roster) -> None:
        self.roster = roster
        self.me = me
        self._server = server
        self._heard = 0

    async def say(self, content: str, reply_to: int | None = None) -> None:
        await self._server.say(self.me, content, reply_to=reply_to)

    async def until(self, wanted: Callable[[Entry], bool]) -> Entry:
        """The next entry by Training that is `wanted`, of those not heard yet."""
        while True:
            entry = await self._server.record.entry(self._heard)
            self._heard += 1
            if entry.author_id == self.roster.training and wanted(entry):
                return entry

    async def ever(self, author_id: int, wanted: Callable[[Entry], bool]) -> Entry:
        """The first entry by `author_id` that is `wanted`, be it long said or yet to come."""
        return await self._server.record.until(lambda one: one.author_id == author_id and wanted(one))


async def approve(player: Player, asked: Entry, named: str) -> None:
    """In the words it is asked for."""
    await player.say(script.approval(player.roster, named), reply_to=asked.id)


async def watcher(player: Player, facts: script.Facts, more: str = "", answer: Answer = approve) -> None:
    """Opens the cycle, with `more` below it, then answers each proposal once: of what was left open by an
    answer the name is the same, and the lines are others."""
    await player.say(script.watchers_handoff(player.roster, facts) + more)
    answered = set[tuple[str, tuple[int, ...]]]()
    while True:
        asked = await player.until(lambda one: script.has(one, "REPORT", script.PROPOSAL))
        named, lines = script.asked_approval(asked.content), script.asked_lines(asked.content)
        if named is not None and (named, lines) not in answered and player.me in asked.mentions:
            answered.add((named, lines))
            await answer(player, asked, named)


async def developer(player: Player, facts: script.Facts) -> None:
    """Hands the data over as soon as Training has answered Watcher."""
    await player.until(lambda one: player.roster.watcher in one.mentions)
    await player.say(script.developers_handoff(player.roster, facts))


async def operator(player: Player) -> None:
    """Asks how it goes in mid-training, and once more when all is over."""
    await player.until(script.is_progress)
    await player.say("!status")
    await player.until(lambda one: player.me in one.mentions)
    await player.ever(player.roster.training, lambda one: script.has(one, "DONE"))
    await player.ever(player.roster.evaluation, lambda one: read_numbers(one.content) is not None)
    await player.say("!status")
    await player.until(lambda one: player.me in one.mentions)


async def evaluation(player: Player, evaluate: Evaluate) -> None:
    """Evaluates what Training hands over and tells Watcher."""
    handoff = await player.until(
        lambda one: script.has(one, "HANDOFF", script.ENDING) and player.me in one.mentions
    )
    try:
        numbers = await evaluate(handoff.content)
    except EvaluationFailed as failed:
        await player.say(script.evaluation_failed(player.roster, str(failed)))
    else:
        await player.say(script.evaluations_report(player.roster, numbers))


def player_of(server: DiscordServer, roster: Roster, peer: Peer) -> Player:
    return Player(server, roster.id_of(peer), roster)
