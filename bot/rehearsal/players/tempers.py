"""Watchers of several tempers: what each says to a proposal, and what must come of it.

A language model says yes in its own words, or only nods, or not at all; the daemon must come to a right
ending with each.
"""

from enum import StrEnum

from bot.rehearsal.discord.record import Entry
from bot.rehearsal.players import peers, script
from bot.rehearsal.players.peers import Answer, Player

RIDDLE = "지난번처럼 하면 안 됨"
SLOW = "학습률이 너무 낮아 수렴이 느림"
REASON = "이번에는 메모리가 충분함"
NOD = "확인했습니다"
STAYS = "학습률은 그대로 둘 것"


class Temper(StrEnum):
    """approving: in the words it is asked for; rejecting: with a reason, and one lesson nobody understands;
    acknowledging: nods, and answers only when asked yes or no; partial: line 1 yes, line 2 no; silent: never;
    choosy: approves line 1 and says nothing of the other, rejects that when it is proposed again, and has
    one lesson nobody understands.
    """

    APPROVING = "approving"
    REJECTING = "rejecting"
    ACKNOWLEDGING = "acknowledging"
    PARTIAL = "partial"
    SILENT = "silent"
    CHOOSY = "choosy"


EXTRA_LESSONS = {
    Temper.REJECTING: (RIDDLE,),
    Temper.PARTIAL: (SLOW,),
    Temper.CHOOSY: (SLOW, RIDDLE),
}
"""Beside the card's two."""


async def watcher(player: Player, facts: script.Facts, temper: Temper) -> None:
    """Opens the cycle, then answers each proposal once, as the temper has it."""
    more = "".join(f"\n- [학습] {text}" for text in EXTRA_LESSONS.get(temper, ()))
    await peers.watcher(player, facts, more, _ANSWERS[temper])


async def _reject(player: Player, asked: Entry, named: str) -> None:
    await player.say(f"{script.to_training(player.roster)} [REJECT] {named} {REASON}", reply_to=asked.id)


async def _nod(player: Player, asked: Entry, named: str) -> None:
    """Until it is asked so that only a yes or a no answers."""
    await player.say(f"{script.to_training(player.roster)} {NOD}", reply_to=asked.id)
    question = await player.until(lambda one: script.has(one, "QUESTION") and named in one.content)
    await player.say(f"{script.to_training(player.roster)} 네, 승인합니다.", reply_to=question.id)


async def _in_part(player: Player, asked: Entry, _: str) -> None:
    await player.say(f"{script.to_training(player.roster)} 1번은 승인, 2번은 보류", reply_to=asked.id)


async def _bit_by_bit(player: Player, asked: Entry, named: str) -> None:
    first, *others = script.asked_lines(asked.content)
    said = f"{first}번만 승인합니다." if others else f"[REJECT] {named} {STAYS}"
    await player.say(f"{script.to_training(player.roster)} {said}", reply_to=asked.id)


async def _not_at_all(_player: Player, _asked: Entry, _named: str) -> None:
    pass


_ANSWERS: dict[Temper, Answer] = {
    Temper.APPROVING: peers.approve,
    Temper.REJECTING: _reject,
    Temper.ACKNOWLEDGING: _nod,
    Temper.PARTIAL: _in_part,
    Temper.SILENT: _not_at_all,
    Temper.CHOOSY: _bit_by_bit,
}


async def waiting_operator(player: Player) -> None:
    """With a silent Watcher: looks how it stands once the operators are told that nobody answers."""
    await player.until(lambda one: script.has(one, "ALERT") and player.me in one.mentions)
    await player.say("!status")
    await player.until(lambda one: script.has(one, "ANSWER") and player.me in one.mentions)
