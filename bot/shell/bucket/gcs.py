"""The bucket in Google Cloud Storage, over gcloud-aio-storage.

The library's own transfer helpers are not used: its downloads verify nothing and truncate the target
first, its large uploads do not survive one 503. Here every write declares its CRC32C, so corrupt
bytes are never committed, and carries a `uid` by which we know our own write when its answer is lost.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from multidict import CIMultiDictProxy

from bot.shell.bucket.crc import FileSums, crc32c
from bot.shell.bucket.errors import IntegrityError, NotFound, PreconditionFailed, TooLarge
from bot.shell.bucket.names import check_name, check_prefix, check_writable
from bot.shell.bucket.resources import continues, declared_crc32c, object_of, only_over
from bot.shell.bucket.resumable import ResumableUpload
from bot.shell.bucket.store import IN_MEMORY_BYTES, Obj, Progress, content_type, quiet
from bot.shell.bucket.unloading import Unloading, unloading
from bot.shell.bucket.wire import Wire

WHOLE_TRIES = 3
_FIELDS = "items(name,size,crc32c,generation,timeCreated),prefixes,nextPageToken"


class GcsStore:
    """See bot.shell.bucket.store.ObjectStore. Make it inside the running event loop."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.sums = FileSums()

    # --- reading ----------------------------------------------------------------

    async def list(self, prefix: str = "") -> AsyncIterator[Obj]:
        async for page in self._pages(check_prefix(prefix)):
            for item in page.get("items", ()):
                if not item["name"].endswith("/"):  # the console's placeholder for an empty folder
                    check_name(item["name"])
                    yield object_of(item)

    async def list_dirs(self, prefix: str) -> tuple[str, ...]:
        pages = self._pages(check_prefix(prefix), delimiter="/")
        return tuple([each async for page in pages for each in page.get("prefixes", ())])

    async def _pages(self, prefix: str, **more: str) -> AsyncIterator[Mapping[str, Any]]:
        params = {"prefix": prefix, "fields": _FIELDS, **more}

        async def attempt() -> Mapping[str, Any]:
            headers = await self._wire.headers()
            storage, bucket = self._wire.storage, self._wire.bucket
            return await storage.list_objects(
                bucket, params=dict(params), headers=headers, timeout=self._wire.small_s
            )

        while True:
            page = await self._wire.persist(f"list {prefix or 'everything'}", attempt)
            yield page
            if not page.get("nextPageToken"):
                return
            params["pageToken"] = page["nextPageToken"]

    async def stat(self, name: str) -> Obj | None:
        check_name(name)

        async def attempt() -> Obj:
            headers = await self._wire.headers()
            storage, bucket = self._wire.storage, self._wire.bucket
            return object_of(
                await storage.download_metadata(bucket, name, headers=headers, timeout=self._wire.small_s)
            )

        try:
            return await self._wire.persist(f"look up {name}", attempt)
        except NotFound:
            return None

    async def get_bytes(self, name: str, *, limit: int = IN_MEMORY_BYTES) -> tuple[bytes, Obj]:
        check_name(name)

        async def attempt() -> tuple[bytes, CIMultiDictProxy[str]]:
            data = bytearray()
            async with self._wire.media(name, None) as response:
                async for piece in response.content.iter_any():
                    data += piece
                    if len(data) > limit:
                        raise TooLarge(f"{name} is larger than {limit} bytes: is it the right file?")
                return bytes(data), response.headers

        for _ in range(WHOLE_TRIES):
            data, headers = await self._wire.persist(f"read {name}", attempt)
            crc = crc32c(data)
            if declared_crc32c(headers) in ("", crc):
                return data, Obj(name, len(data), crc, int(headers.get("x-goog-generation", 0)))
        raise IntegrityError(
            f"{name} arrived damaged {WHOLE_TRIES} times: check this machine's memory and network"
        )

    async def get_file(
        self, name: str, dest: Path, *, want: Obj | None = None, progress: Progress = quiet
    ) -> Obj:
        check_name(name)
        wanted = want or await self.stat(name)
        if not wanted:
            raise NotFound(f"{name} is not in gs://{self._wire.bucket}: see `training-claw bucket ls`")
        for _ in range(WHOLE_TRIES):
            async with unloading(dest) as ashore:
                await self._wire.persist(
                    f"read {name}", lambda to=ashore: self._receive(wanted, to, progress), _size_of(ashore)
                )
                if wanted.holds(ashore.size, ashore.crc32c):
                    await ashore.land()
                    return wanted
        raise IntegrityError(
            f"{name} arrived damaged {WHOLE_TRIES} times: check this machine's memory and network"
        )

    async def _receive(self, wanted: Obj, ashore: Unloading, progress: Progress) -> None:
        """What is still missing `ashore`. Raises ClientPayloadError when the server stops early."""
        if ashore.size == wanted.size:
            return
        async with self._wire.media(wanted.name, wanted.generation, ashore.size) as response:
            if not continues(response, ashore.size):
                await ashore.restart()
            if int(response.headers.get("x-goog-generation", wanted.generation)) != wanted.generation:
                raise NotFound(f"{wanted.name} has been replaced since it was looked up: look again")
            await ashore.take(response.content.iter_any(), lambda size: progress(size, wanted.size))
        if ashore.size < wanted.size:
            raise aiohttp.ClientPayloadError(f"{ashore.size} of {wanted.size} bytes came")

    # --- writing ----------------------------------------------------------------

    async def put_bytes(self, name: str, data: bytes, *, if_generation: int | None = None) -> Obj:
        check_writable(name)
        uid, crc = uuid4().hex, crc32c(data)

        async def attempt() -> None:
            await self._wire.storage.upload(
                self._wire.bucket,
                name,
                data,
                content_type=content_type(name),
                parameters=only_over(if_generation),
                headers=await self._wire.headers(),
                # The library turns `content-Type` into contentType, and would spoil contentType itself.
                metadata={"crc32c": crc, "content-Type": content_type(name), "metadata": {"uid": uid}},
                force_resumable_upload=False,
                timeout=self._wire.small_s,
            )

        async def send() -> None:
            await self._wire.persist(f"write {name}", attempt)

        return await self._settle(Obj(name, len(data), crc, 0, uid), send)

    async def put_file(
        self, name: str, source: Path, *, if_generation: int | None = None, progress: Progress = quiet
    ) -> Obj:
        check_writable(name)
        local = await asyncio.to_thread(self.sums.of, source)
        if local.size <= self._wire.pace.multipart_bytes:
            data = await asyncio.to_thread(source.read_bytes)
            if crc32c(data) != local.crc32c:
                raise IntegrityError(f"{source} changed while it was read: try again")
            stored = await self.put_bytes(name, data, if_generation=if_generation)
            progress(local.size, local.size)
            return stored
        wanted = Obj(name, local.size, local.crc32c, 0, uuid4().hex)

        async def send() -> None:
            await self._resumable(wanted, source, if_generation, progress).run(f"write {name}")

        return await self._settle(wanted, send)

    def _resumable(
        self, wanted: Obj, source: Path, if_generation: int | None, progress: Progress
    ) -> ResumableUpload:
        resource = {
            "name": wanted.name,
            "crc32c": wanted.crc32c,
            "contentType": content_type(wanted.name),
            "metadata": {"uid": wanted.uid},
        }
        return ResumableUpload(
            self._wire,
            source,
            wanted.size,
            params={"name": wanted.name, **only_over(if_generation)},
            metadata=json.dumps(resource),
            progress=progress,
        )

    async def _settle(self, wanted: Obj, send: Callable[[], Awaitable[None]]) -> Obj:
        """Sends until the object is seen to stand there. An answer alone proves nothing either way:

        a lost one may belong to a write that won, and a resumable session may echo an old success.
        """
        for _ in range(WHOLE_TRIES):
            lost: PreconditionFailed | None = None
            try:
                await send()
            except PreconditionFailed as error:
                lost = error
            except IntegrityError:
                continue
            stored = await self.stat(wanted.name)
            if stored and stored.uid == wanted.uid and stored.holds(wanted.size, wanted.crc32c):
                return stored
            if lost:
                raise lost
        raise IntegrityError(
            f"{wanted.name} was refused as damaged {WHOLE_TRIES} times: check memory and disk"
        )

    async def copy(
        self,
        source: str,
        dest: str,
        *,
        source_generation: int | None = None,
        if_generation: int | None = None,
    ) -> Obj:
        check_name(source)
        check_writable(dest)
        pin = {} if source_generation is None else {"sourceGeneration": str(source_generation)}

        async def attempt() -> Obj:
            answer = await self._wire.storage.copy(
                self._wire.bucket,
                source,
                self._wire.bucket,
                new_name=dest,
                params=only_over(if_generation) | pin,
                headers=await self._wire.headers(),
                timeout=self._wire.copy_s,
            )
            return object_of(answer["resource"])

        try:
            return await self._wire.persist(f"write {dest}", attempt)
        except PreconditionFailed:
            return await self._same(source, dest)

    async def _same(self, source: str, dest: str) -> Obj:
        """`dest` if a copy of `source` already stands there, as after an answer that was lost."""
        wanted, stored = await self.stat(source), await self.stat(dest)
        if wanted and stored and stored.holds(wanted.size, wanted.crc32c):
            return stored
        raise PreconditionFailed(f"{dest} was written by somebody else meanwhile: look again")

    async def delete(self, name: str, *, if_generation: int | None = None) -> None:
        check_writable(name)

        async def attempt() -> None:
            headers = await self._wire.headers()
            params = only_over(if_generation)
            storage, bucket = self._wire.storage, self._wire.bucket
            await storage.delete(bucket, name, params=params, headers=headers, timeout=self._wire.small_s)

        with contextlib.suppress(NotFound):
            await self._wire.persist(f"delete {name}", attempt)

    async def may(self, permissions: Collection[str]) -> frozenset[str]:
        asked = sorted(permissions)
        return await self._wire.persist("look up our permissions", lambda: self._wire.granted(asked))

    async def close(self) -> None:
        await self._wire.close()


def _size_of(ashore: Unloading) -> Callable[[], int]:
    return lambda: ashore.size
