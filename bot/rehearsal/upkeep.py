"""A daemon that ends before its audience is started again, as its systemd unit would, and they are told.

Only what needs a person (exit code 2) ends the play: there is no point in another try.
"""

import asyncio
import signal
from collections.abc import Callable

from bot.rehearsal.processes import Daemon

NEEDS_A_PERSON = 2
"""RestartPreventExitStatus= of the unit."""
PAUSE_S, LONGEST_PAUSE_S = 5.0, 40.0
"""As deploy/systemd/growing-pause has them, but for the end: nobody watches a rehearsal for five minutes."""

type Tell = Callable[[str, str], None]
"""A note for the audience, in English and in Korean."""


class Interrupted(Exception):
    """The play cannot go on; the message says why in one line."""


async def refused(daemon: Daemon) -> None:
    """The daemon may not end at all."""
    status = await daemon.wait()
    raise Interrupted(f"the daemon left with status {status}: {daemon.last_words()}")


async def kept_up(daemon: Daemon, tell: Tell, pause_s: float = PAUSE_S) -> None:
    """Start it again whenever it ends, until cancelled.

    Raises:
        Interrupted: it needs a person.
    """
    tell(*_invitation(daemon))
    pause = pause_s
    while True:
        if await daemon.wait() == NEEDS_A_PERSON:
            await refused(daemon)
        tell(*_gone(daemon.status, pause))
        await asyncio.sleep(pause)
        await daemon.start()
        pause = min(LONGEST_PAUSE_S, pause * 2)
        tell(*_back(daemon))


def _invitation(daemon: Daemon) -> tuple[str, str]:
    return (
        f"Training's daemon is process {daemon.pid}. `kill -9 {daemon.pid}` it and see: the trainer goes on.",
        f"Training 데몬은 process {daemon.pid}입니다. `kill -9 {daemon.pid}`을 해 보세요: 학습은 계속됩니다.",
    )


def _gone(status: int | None, pause_s: float) -> tuple[str, str]:
    how, in_korean = f"ended with status {status}", f"상태 {status}(으)로 끝났습니다"
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        how, in_korean = f"was killed ({name})", f"강제 종료되었습니다 ({name})"
    return (
        f"The daemon {how}. systemd would start it again after {pause_s:.0f} s, and so does the rehearsal.",
        f"데몬이 {in_korean}. systemd처럼 {pause_s:.0f}초 뒤에 다시 시작합니다.",
    )


def _back(daemon: Daemon) -> tuple[str, str]:
    return (
        f"The daemon is back (process {daemon.pid}): it reads what it missed and takes up what still runs.",
        f"데몬이 다시 시작되었습니다 (process {daemon.pid}): 놓친 메시지를 읽고 하던 일을 이어받습니다.",
    )
