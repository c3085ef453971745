"""A message with its text attachments: a long one comes as `message.txt`."""

import asyncio
from collections.abc import Callable

import structlog

from bot.shell.conversation.channel import Attached, Letter
from bot.shell.deciding.lanes import Later

log = structlog.stdlib.get_logger("reading")

TEXT_BYTES = 64 << 10
TEXT_NAMES = (".txt", ".md")
MOST_TRIES = 6
"""About a minute: everybody else waits meanwhile, for what is heard stays in order."""


class Unreadable(Exception):
    """Part of a message cannot be had. `str()` is a line for its author."""


async def whole_text(letter: Letter, pause: Callable[[int], float]) -> str:
    """
    Raises:
        Unreadable: half a message is none.
    """
    found = [one for one in letter.attachments if one.name.lower().endswith(TEXT_NAMES)]
    return "\n".join([letter.content, *[await _text_of(one, pause) for one in found]])


async def _text_of(attached: Attached, pause: Callable[[int], float]) -> str:
    if attached.size_bytes > TEXT_BYTES:
        log.warning("attachment left out", name=attached.name, size_bytes=attached.size_bytes)
        return ""
    for failures in range(1, MOST_TRIES + 1):
        try:
            return (await attached.read()).decode(errors="replace")
        except Later as error:
            log.warning("cannot listen now", why=str(error))
            await asyncio.sleep(pause(failures))
    raise Unreadable(f"첨부 파일 {attached.name}을 가져오지 못해 그 메시지를 처리하지 않았습니다")
