"""Who gave an operator's command and is none: never obeyed, never answered, and shown by status."""

import re
from datetime import datetime

from bot.core.events import StrangerCommanded
from bot.core.moves import Step, now
from bot.core.state import State, Stranger

REMEMBERED = 8
SHOWN = 3
"""Of so many people the newest command is kept, of so many it is shown: a message must remain readable."""

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


def in_words(state: State, at: datetime) -> list[str]:
    """A line each of the newest."""
    return [
        f"운영자 아닌 {one.author}의 명령: `!{one.command}` ({_ago(one.at, at)} 전, {one.times}회, 무시함)"
        for one in reversed(state.strangers[-SHOWN:])
    ]


def _ago(moment: datetime, at: datetime) -> str:
    minutes = max(0, round((at - moment).total_seconds() / 60))
    return f"{minutes // 60}시간 {minutes % 60}분" if minutes >= 60 else f"{minutes}분"
