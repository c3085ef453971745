"""What arrives is written beside the event loop, however slow the disk; a pipe nobody reads from is one."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.shell.bucket.crc import crc32c
from bot.shell.bucket.unloading import GATHERED_BYTES, Unloading, unloading

from .workbench import files_in

type Sizes = list[int]


@pytest.fixture
def sizes() -> Sizes:
    return []


async def arriving(*pieces: bytes, breaks: bool = False) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if breaks:
        raise ConnectionResetError


class SlowDisk:
    """Whoever writes waits until `catches_up`."""

    def __init__(self, ashore: Unloading) -> None:
        self._reader, writer = os.pipe()
        landing = ashore._opened()
        landing._file.close()
        landing._file = os.fdopen(writer, "wb")

    async def is_written_to(self) -> bytes:
        return await asyncio.to_thread(os.read, self._reader, 1)

    async def catches_up(self) -> None:
        await asyncio.to_thread(self._drain)

    def _drain(self) -> None:
        while os.read(self._reader, GATHERED_BYTES):
            pass
        os.close(self._reader)


async def test_many_small_pieces_are_written_as_few_large_ones(tmp_path: Path, sizes: Sizes) -> None:
    small = [bytes([number]) * (GATHERED_BYTES // 4) for number in range(10)]
    async with unloading(tmp_path / "a") as ashore:
        await ashore.take(arriving(*small), sizes.append)
        await ashore.land()
    assert sizes == [GATHERED_BYTES, 2 * GATHERED_BYTES, 10 * GATHERED_BYTES // 4]
    assert files_in(tmp_path) == {"a": b"".join(small)}
    assert ashore.crc32c == crc32c(b"".join(small))


async def test_an_empty_file_lands_too(tmp_path: Path, sizes: Sizes) -> None:
    async with unloading(tmp_path / "a") as ashore:
        await ashore.take(arriving(), sizes.append)
        assert (ashore.size, ashore.crc32c) == (0, crc32c(b""))
        await ashore.land()
    assert (sizes, files_in(tmp_path)) == ([], {"a": b""})


async def test_what_is_not_landed_is_removed(tmp_path: Path, sizes: Sizes) -> None:
    async with unloading(tmp_path / "a") as ashore:
        await ashore.take(arriving(b"not as it was declared"), sizes.append)
    assert files_in(tmp_path) == {}


async def test_what_came_before_the_line_broke_is_kept(tmp_path: Path, sizes: Sizes) -> None:
    async with unloading(tmp_path / "a") as ashore:
        with pytest.raises(ConnectionResetError):
            await ashore.take(arriving(b"1", b"2", breaks=True), sizes.append)
        await ashore.take(arriving(b"3"), sizes.append)
        await ashore.land()
    assert (sizes, files_in(tmp_path)) == ([2, 3], {"a": b"123"})


async def test_the_loop_goes_on_while_the_disk_keeps_a_piece_waiting(tmp_path: Path, sizes: Sizes) -> None:
    async with unloading(tmp_path / "a") as ashore:
        disk = SlowDisk(ashore)
        taking = asyncio.create_task(ashore.take(arriving(bytes(GATHERED_BYTES)), sizes.append))
        await disk.is_written_to()
        assert (sizes, taking.done()) == ([], False)
        catching_up = asyncio.create_task(disk.catches_up())
        await taking
        assert sizes == [GATHERED_BYTES]
    await catching_up


async def test_one_that_is_cancelled_leaves_nothing_and_writes_no_longer(
    tmp_path: Path, sizes: Sizes
) -> None:
    async def fetch() -> None:
        async with unloading(tmp_path / "a") as ashore:
            disks.put_nowait(SlowDisk(ashore))
            await ashore.take(arriving(bytes(GATHERED_BYTES)), sizes.append)

    disks: asyncio.Queue[SlowDisk] = asyncio.Queue()
    fetching = asyncio.create_task(fetch())
    disk = await disks.get()
    await disk.is_written_to()
    fetching.cancel()
    await disk.catches_up()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert (sizes, files_in(tmp_path)) == ([], {})
