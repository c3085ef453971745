"""A landing filled from the event loop: all that touches the disk is done by threads.

Once too much is still to be written, Linux has whoever writes wait for the disk, at times for seconds
(`vm.dirty_ratio`: https://docs.kernel.org/admin-guide/sysctl/vm.html). That must not be the loop, which
answers people meanwhile. Nor may it hand over often: a thread waits for the interpreter while the loop is
busy, up to 5 ms each time (`sys.getswitchinterval`).
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from bot.shell.bucket.crc import Crc32c
from bot.shell.bucket.landing import Landing
from bot.shell.bucket.stoppable import run_stoppable

GATHERED_BYTES = 2 << 20


class Unloading:
    """`size` bytes are written so far; `crc32c` is their checksum. The first of them opens the file."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._open = ExitStack()  # holds the file even where we are cancelled while it is opened
        self._landing: Landing | None = None
        self._landed = False
        self._held: list[bytes] = []
        self._held_bytes = 0

    @property
    def size(self) -> int:
        return self._landing.size if self._landing else 0

    @property
    def crc32c(self) -> str:
        return self._landing.crc32c if self._landing else Crc32c().text

    async def take(self, pieces: AsyncIterable[bytes], told: Callable[[int], None]) -> None:
        """Writes them, gathered into larger ones; what came before the line broke is kept.

        `told` hears the size so far whenever something was written. Raises NoSpace when the disk is full.
        """
        try:
            async for piece in pieces:
                self._held.append(piece)
                self._held_bytes += len(piece)
                if self._held_bytes >= GATHERED_BYTES:
                    await self._write(told)
        finally:
            await self._write(told)

    async def _write(self, told: Callable[[int], None]) -> None:
        gathered, self._held, self._held_bytes = self._held, [], 0
        if gathered:
            await run_stoppable(lambda _: self._opened().write(b"".join(gathered)))
            told(self.size)

    async def restart(self) -> None:
        """Forgets what was written."""
        await run_stoppable(lambda _: self._opened().restart())

    async def land(self) -> None:
        """See Landing.land."""
        await run_stoppable(lambda _: self._opened().land())
        self._landed = True

    async def close(self) -> None:
        """Removes what has not landed."""
        if not self._landed:
            await run_stoppable(lambda _: self._open.close())

    def _opened(self) -> Landing:
        """Called in a thread."""
        if not self._landing:
            self._landing = self._open.enter_context(Landing(self._place))
        return self._landing


@asynccontextmanager
async def unloading(place: Path) -> AsyncGenerator[Unloading]:
    """What has not landed at `place` by the end is removed."""
    ashore = Unloading(place)
    try:
        yield ashore
    finally:
        await ashore.close()
