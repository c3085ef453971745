"""No room left under STATE_DIR: said at once and past the outbox, which is what cannot be written any more.

It may be said twice if the daemon is killed just then; unsaid it would look like a daemon that has died.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

import structlog

from bot.core.effects import Post
from bot.core.saying import blocked
from bot.shell.conversation.channel import SendRefused, Sent
from bot.shell.conversation.speech import Speech
from bot.shell.deciding.lanes import Later
from bot.shell.remembering.rows import Part

log = structlog.stdlib.get_logger("cramped")

AGAIN_S = 2.0

type Lock = Literal["alive", "dead", "unknown", "absent"]
"""What the lock says of the process that should be running."""

TRAINER: dict[Lock, str] = {
    "alive": "학습 프로세스는 아직 실행 중 (저장할 공간이 없으면 멈춤)",
    "dead": "학습 프로세스는 종료됨 (공간이 생기면 마지막 저장 지점에서 재개)",
    "unknown": "학습 프로세스 상태 미확인",
    "absent": "실행 중이어야 할 학습 프로세스 없음",
}


class Mouth(Protocol):
    async def send(self, part: Part, files: Sequence[Path]) -> Sent: ...


class Cramped:
    """`warn` tells the operators a line through the outbox, once that can be written again.

    `trainer` is asked just before it is spoken of: its disk is this one, and it may have died of it.
    """

    def __init__(
        self,
        channel: Mouth,
        speech: Speech,
        warn: Callable[[str], Awaitable[None]],
        place: Path,
        trainer: Callable[[], Lock],
        again_s: float = AGAIN_S,
    ) -> None:
        self._channel = channel
        self._speech = speech
        self._warn = warn
        self._place = place
        self._trainer = trainer
        self._again_s = again_s

    async def begins(self) -> None:
        """Watcher and the operators hear that nothing is taken in until there is room."""
        ref = f"room-{time.time_ns():x}"
        for kind in ("blocked", "alert"):
            await self._insist(lambda kind=kind: self._parts(kind, ref))

    async def ends(self, waited_s: float) -> None:
        await self._warn(f"{self._place}: 디스크 공간 확보됨. {waited_s:.0f}초 동안 미룬 일을 이어서 처리")

    def _parts(self, kind: str, ref: str) -> Sequence[Part]:
        what = (
            f"{self._place}: 디스크 공간 부족, 기록할 수 없어 대기 중. {TRAINER[self._trainer()]}. "
            "공간을 확보하면 스스로 이어서 처리"
        )
        if kind == "alert":
            return self._speech.alert(what)
        return self._speech.parts(Post(message=blocked.by("disk", (what,)).model_copy(update={"ref": ref})))

    async def _insist(self, worded: Callable[[], Sequence[Part]]) -> None:
        """Until Discord has it: there may be no connection yet. Worded anew each time."""
        told = 0
        while told < len(parts := worded()):
            try:
                await self._channel.send(parts[told], ())
                told += 1
            except SendRefused as error:
                log.error("refused, and not said again", kind=parts[told].kind, why=str(error))
                told += 1
            except Later as error:
                log.error("nobody could be told yet", kind=parts[told].kind, why=str(error))
                await asyncio.sleep(self._again_s)
