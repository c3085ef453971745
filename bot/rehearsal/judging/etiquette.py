"""The card's first rule, as the channel can check it: whom a message of Training calls, and how."""

import re
from collections.abc import Iterable

from bot.rehearsal.discord.mentions import calls_everyone, outside_code
from bot.rehearsal.discord.record import Entry
from bot.rehearsal.players import script
from protocol.roster import MENTION, Peer, Roster, mentioned_ids

_PLAIN_NAME = re.compile(rf"@(?:{'|'.join(Peer)})\b", re.IGNORECASE)


def mention_faults(entry: Entry, roster: Roster, operators: tuple[int, ...]) -> list[str]:
    """What is wrong with whom a message of Training calls; nothing for a right one."""
    text = outside_code(entry.content)
    mentioned = set(mentioned_ids(text))
    expected = _recipients(entry, roster)
    unknown = mentioned - ({*roster.ids().values(), *operators} - {roster.training})
    faults = {
        "calls nobody": not MENTION.search(text) or not entry.mentions,
        f"calls outsiders ({names(unknown, roster)})": bool(unknown),
        "notifies others than its text calls": mentioned != set(entry.mentions),
        "calls somebody by a plain @name": calls_everyone(entry.content) or bool(_PLAIN_NAME.search(text)),
        f"goes to {names(entry.mentions, roster)} instead of {names(expected, roster)} alone": bool(expected)
        and entry.mentions != expected,
    }
    return [fault for fault, there in faults.items() if there]


def names(ids: Iterable[int], roster: Roster) -> str:
    """Peers by name, others by id."""
    return ", ".join(roster.peer_of(one) or str(one) for one in ids) or "nobody"


def _recipients(entry: Entry, roster: Roster) -> tuple[int, ...]:
    """Who alone must hear it, where its tag decides that."""
    match script.tag(entry):
        case "REPORT" | "BLOCKED" | "DONE":
            return (roster.watcher,)
        case "HANDOFF":
            return (roster.evaluation,)
        case _:
            return ()
