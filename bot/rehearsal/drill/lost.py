"""The machine is lost, and its disk with it: another goes on from the bucket and from the channel alone."""

import re
import shutil

from bot.core.state import Training
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.drill.outside import Suffered
from bot.rehearsal.drill.theatre import ROSTER, Theatre
from bot.rehearsal.players import script
from bot.rehearsal.processes import end_jobs

AGAIN_S = 600.0


async def lose_machine(theatre: Theatre) -> Suffered:
    """Everything under STATE_DIR is gone. The bot asks; Watcher and Developer hand over again."""
    await theatre.until(lambda: _has_much_to_lose(theatre), "a checkpoint in the bucket", AGAIN_S)
    if theatre.over.is_set():
        return Suffered("over already")
    async with theatre.at_the_bot:
        await theatre.tally.news.until(lambda: not theatre.tally.waiting())
        since = theatre.now()
        await theatre.bot.kill()
        await end_jobs(theatre.stage.runs)
        if any(script.has(one, "HANDOFF", script.ENDING) for one in theatre.discord.record.entries):
            await theatre.bot.start()
            return Suffered("over already")
        newest = _published(theatre)
        _wipe(theatre)
        await theatre.bot.start()
        asked = await theatre.told(since, lambda one: "끝나지 않은 Cycle" in one.content, AGAIN_S)
        await _handed_over_again(theatre, since)
    at = theatre.discord.record.entries[since:]
    went_on = [one for one in at if script.has(one, "REPORT", "재시작 알림.") and "새 장비" in one.content]
    resumed = bool(went_on) and f"epoch_{newest:03d}" in went_on[-1].content
    return Suffered(f"epoch {newest}", told=asked, points_lost=int(not resumed))


def _published(theatre: Theatre) -> int:
    """The newest epoch of a whole checkpoint in the bucket; 0: there is none."""
    ours = re.compile(rf"checkpoints/cycle{script.CYCLE:02d}/act_epoch_(\d+)/manifest\.json")
    whole = (ours.fullmatch(name) for name in theatre.vault.names())
    return max((int(found[1]) for found in whole if found), default=0)


def _has_much_to_lose(theatre: Theatre) -> bool:
    return theatre.over.is_set() or (_trains(theatre) and _published(theatre) > 0)


def _wipe(theatre: Theatre) -> None:
    for path in theatre.stage.state.iterdir():
        if path == theatre.stage.runs:  # a disk of its own is mounted there
            for run in path.iterdir():
                shutil.rmtree(run)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


async def _handed_over_again(theatre: Theatre, since: int) -> None:
    """As before, word for word; and what is proposed is approved as before."""
    facts, say, record = theatre.facts, theatre.discord.say, theatre.discord.record
    await say(ROSTER.watcher, script.watchers_handoff(ROSTER, facts))
    await say(ROSTER.developer, script.developers_handoff(ROSTER, facts))

    def proposes(entry: Entry) -> bool:
        return entry.author_id == ROSTER.training and script.asked_approval(entry.content) is not None

    proposal = await record.until(proposes, since)
    named = script.asked_approval(proposal.content)
    assert named is not None, "it was looked for"
    await say(ROSTER.watcher, script.approval(ROSTER, named), reply_to=proposal.id)
    await theatre.until(lambda: _trains(theatre) or theatre.over.is_set(), "training after a loss", AGAIN_S)
    await theatre.told(since, lambda one: "새 장비" in one.content, 60.0)


def _trains(theatre: Theatre) -> bool:
    cycle = theatre.cycle()
    return cycle is not None and isinstance(cycle.run, Training)
