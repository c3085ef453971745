"""No room left under STATE_DIR: said at once and past the outbox, which is what cannot be written any more.

It may be said twice if the daemon is killed just then; unsaid it would look like a daemon that has died.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from bot.core import words
from bot.core.effects import Post
from bot.shell.conversation.channel import SendRefused, Sent
from bot.shell.conversation.speech import Speech
from bot.shell.deciding.lanes import Later
from bot.shell.remembering.rows import Part

log = structlog.stdlib.get_logger("cramped")


class Mouth(Protocol):
    async def send(self, part: Part, files: Sequence[Path]) -> Sent: ...


class Cramped:
    """`warn` tells the operators a line through the outbox, once that can be written again."""

    def __init__(
        self, channel: Mouth, speech: Speech, warn: Callable[[str], Awaitable[None]], place: Path
    ) -> None:
        self._channel = channel
        self._speech = speech
        self._warn = warn
        self._place = place

    async def begins(self) -> None:
        """Watcher and the operators hear that nothing is taken in until there is room."""
        what = (
            f"{self._place}: 디스크 공간 부족, 기록할 수 없어 대기 중 (학습 프로세스는 계속 실행). "
            "공간을 확보하면 스스로 이어서 처리"
        )
        blocked = words.blocked("disk", (what,)).model_copy(update={"ref": f"room-{time.time_ns():x}"})
        for part in (*self._speech.parts(Post(message=blocked)), *self._speech.alert(what)):
            try:
                await self._channel.send(part, ())
            except (Later, SendRefused) as error:
                log.error("nobody could be told", kind=part.kind, why=str(error))

    async def ends(self, waited_s: float) -> None:
        await self._warn(f"{self._place}: 디스크 공간 확보됨. {waited_s:.0f}초 동안 미룬 일을 이어서 처리")
