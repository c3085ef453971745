"""A TCP proxy, and what can happen to bytes on their way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal

PIECE_BYTES = 16 << 10


@dataclass(frozen=True)
class Fate:
    """What befalls the next bytes that go `side` (`up` to the server, `down` to the client).

    Once `after` of them have passed the connection is reset, closed in good order (`cut`), or no byte
    passes any more (`stall`); `slow` lets `after` bytes a second through and holds for that connection.
    """

    how: Literal["reset", "cut", "stall", "slow"]
    side: Literal["up", "down"]
    after: int = 0


class ChaosProxy:
    """`address` is its URL. A fate that is `armed` befalls one connection; `fired` counts them."""

    def __init__(self, target: str) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self.address = ""
        self.armed: list[Fate] = []
        self.fired = 0
        self._open: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Cuts every connection."""
        for connection in self._open:
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until one of its ends is gone."""
        task = asyncio.create_task(self._carry(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
            writers.append(server_writer)
            ways = (self._pump("up", reader, server_writer), self._pump("down", server_reader, writer))
            await _until_one_ends([asyncio.create_task(way) for way in ways])
        except ConnectionError:
            pass
        finally:
            for each in writers:
                each.close()
            for each in writers:
                with suppress(ConnectionError, TimeoutError):
                    await asyncio.wait_for(each.wait_closed(), 1)

    async def _pump(self, side: str, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        fate, passed, pause_s = None, 0, 0.0
        while piece := await source.read(PIECE_BYTES):
            fate = fate or self._take(side)
            if fate and fate.how == "slow":
                pause_s = len(piece) / fate.after
            elif fate and passed + len(piece) > fate.after:
                sink.write(piece[: fate.after - passed])
                await self._end(fate, sink)
                return
            sink.write(piece)
            await sink.drain()
            passed += len(piece) if fate else 0
            await asyncio.sleep(pause_s)

    def _take(self, side: str) -> Fate | None:
        for fate in self.armed:
            if fate.side == side:
                self.armed.remove(fate)
                self.fired += 1
                return fate
        return None

    async def _end(self, fate: Fate, sink: asyncio.StreamWriter) -> None:
        if fate.how == "stall":
            await asyncio.Event().wait()  # the impatient end hangs up, and this is cancelled
        if fate.how == "reset":
            sink.transport.abort()
        else:
            sink.close()


async def _until_one_ends(tasks: list[asyncio.Task[None]]) -> None:
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def chaos_before(target: str) -> AsyncIterator[ChaosProxy]:
    """A proxy before the server at `target` (`http://host:port`)."""
    proxy = ChaosProxy(target)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    proxy.address = f"http://{host}:{port}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
