"""Who gave an operator's command and is none: never obeyed, never answered, and shown by status."""

import re

from bot.core.events import StrangerCommanded
from bot.core.moves import Step, now
from bot.core.state import State, Stranger

REMEMBERED = 8
"""Of how many people the newest command is kept."""

_COMMAND = re.compile(r"\s*[!！]\s?([A-Za-z][A-Za-z-]{0,19})")


def command_in(text: str) -> str | None:
    """The command's name, where the text is one.

    >>> command_in("!stop now"), command_in("멈춰!")
    ('stop', None)
    """
    found = _COMMAND.match(text)
    return found[1].lower() if found else None


def commanded(state: State, event: StrangerCommanded) -> Step:
    before = next((one for one in state.strangers if one.author == event.author), None)
    others = tuple(one for one in state.strangers if one is not before)
    times = before.times + 1 if before else 1
    newest = Stranger(author=event.author, command=event.command, at=event.at, times=times)
    return now(state, strangers=(*others, newest)[-REMEMBERED:]), ()
