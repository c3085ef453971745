"""A landing filled from the event loop: all that touches the disk is done by threads.

Once too much is still to be written, Linux has whoever writes wait for the disk, at times for seconds
(`vm.dirty_ratio`: https://docs.kernel.org/admin-guide/sysctl/vm.html). That must not be the loop, which
answers people meanwhile.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from bot.shell.bucket.crc import PIECE_BYTES
from bot.shell.bucket.landing import Landing
from bot.shell.bucket.stoppable import run_stoppable


class Unloading:
    """`size` bytes are written so far; `crc32c` is their checksum."""

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._held: list[bytes] = []
        self._held_bytes = 0

    @property
    def size(self) -> int:
        return self._landing.size

    @property
    def crc32c(self) -> str:
        return self._landing.crc32c

    async def take(self, pieces: AsyncIterable[bytes], told: Callable[[int], None]) -> None:
        """Writes them, gathered into larger ones; what came before the line broke is kept.

        `told` hears the size so far whenever something was written. Raises NoSpace when the disk is full.
        """
        try:
            async for piece in pieces:
                self._held.append(piece)
                self._held_bytes += len(piece)
                if self._held_bytes >= PIECE_BYTES:
                    await self._write(told)
        finally:
            await self._write(told)

    async def _write(self, told: Callable[[int], None]) -> None:
        gathered, self._held, self._held_bytes = self._held, [], 0
        if gathered:
            await run_stoppable(lambda _: self._landing.write(b"".join(gathered)))
            told(self.size)

    async def restart(self) -> None:
        """Forgets what was written."""
        await run_stoppable(lambda _: self._landing.restart())

    async def land(self) -> None:
        """See Landing.land."""
        await run_stoppable(lambda _: self._landing.land())


@asynccontextmanager
async def unloading(place: Path) -> AsyncGenerator[Unloading]:
    """What has not landed at `place` by the end is removed."""
    stack = ExitStack()  # holds the file even if we are cancelled while it is opened
    try:
        yield Unloading(await run_stoppable(lambda _: stack.enter_context(Landing(place))))
    finally:
        await run_stoppable(lambda _: stack.close())
