"""One resumable upload: what the server has is asked after every doubt, never assumed.

https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import aiohttp

from bot.shell.bucket.crc import PIECE_BYTES
from bot.shell.bucket.errors import IntegrityError, StoreError
from bot.shell.bucket.store import Progress
from bot.shell.bucket.wire import Wire

NEW_SESSIONS = 3


class SessionLost(StoreError):
    """The server no longer knows the upload, or claims more bytes of it than there are."""


class ResumableUpload:
    """Sends the file `source` of `size` bytes. Used once."""

    def __init__(
        self,
        wire: Wire,
        source: Path,
        size: int,
        *,
        params: dict[str, int | str],
        metadata: str,
        progress: Progress,
    ) -> None:
        """`params` and `metadata` (JSON) belong to the request that opens the session."""
        self._wire = wire
        self._source, self._size = source, size
        self._params, self._metadata = params, metadata
        self._progress = progress
        self._session = ""
        self._offset = 0
        self._furthest = 0
        self._unsure = False
        self._done = False
        self._sessions_left = NEW_SESSIONS

    async def run(self, what: str) -> None:
        """Returns when the server says it has everything; whether it kept it, only a look can tell."""
        await self._wire.persist(what, self._advance, lambda: self._furthest)

    async def _advance(self) -> None:
        while not self._done:
            try:
                await self._step()
            except SessionLost:
                if not self._sessions_left:
                    raise
                self._sessions_left -= 1
                self._session = ""

    async def _step(self) -> None:
        if not self._session:
            self._session = await self._wire.begin_upload(self._params, self._metadata)
            self._offset, self._unsure = 0, False
        elif self._unsure:
            await self._ask()
        else:
            await self._send()

    async def _ask(self) -> None:
        headers = {"Content-Range": f"bytes */{self._size}", "Content-Length": "0"}
        async with asyncio.timeout(self._wire.pace.stall_s):
            await self._request(headers, None)

    async def _send(self) -> None:
        end = min(self._offset + self._wire.pace.chunk_bytes, self._size)
        headers = {
            "Content-Range": f"bytes {self._offset}-{end - 1}/{self._size}",
            "Content-Length": str(end - self._offset),
        }
        self._unsure = True
        async with asyncio.timeout(self._wire.pace.stall_s) as watchdog:
            await self._request(headers, self._pieces(self._offset, end, watchdog))

    async def _request(self, headers: dict[str, str], body: AsyncIterator[bytes] | None) -> None:
        try:
            answer = await self._wire.put_chunk(self._session, headers, body)
        except aiohttp.ClientResponseError as error:
            if error.status in (404, 410):
                raise SessionLost(f"{self._source}: the upload's session is gone") from error
            raise
        self._take(answer)
        self._unsure = False

    def _take(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status == 308:
            self._offset = _held_bytes(answer.headers.get("Range", ""))
        else:
            self._offset, self._done = self._size, True
        if self._offset > self._size:
            raise SessionLost(f"{self._source}: the server claims {self._offset} of {self._size} bytes")
        self._furthest = max(self._furthest, self._offset)
        self._progress(self._offset, self._size)

    async def _pieces(self, start: int, end: int, watchdog: asyncio.Timeout) -> AsyncIterator[bytes]:
        """The file's bytes; asking for the next piece shows that the last one has left."""
        loop = asyncio.get_running_loop()
        file = await asyncio.to_thread(_open_at, self._source, start)
        with file:
            while start < end:
                piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, end - start))
                if not piece:
                    raise IntegrityError(f"{self._source} became shorter while it was sent: try again")
                start += len(piece)
                watchdog.reschedule(loop.time() + self._wire.pace.stall_s)
                yield piece
                self._progress(start, self._size)


def _held_bytes(range_: str) -> int:
    """What the server says that it has; without a range that is nothing yet."""
    last = range_.rpartition("-")[2]
    if range_ and not last.isdecimal():
        raise aiohttp.ClientPayloadError(f"an upload's answer says Range: {range_[:40]}")
    return int(last) + 1 if range_ else 0


def _open_at(path: Path, offset: int) -> BinaryIO:
    file = path.open("rb")
    file.seek(offset)
    return file
