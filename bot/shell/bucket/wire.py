"""Requests to one GCS bucket: credentials, the URL of each thing, retries. No meaning.

JSON API: https://cloud.google.com/storage/docs/json_api/v1/objects
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import quote, urlencode

import aiohttp
from gcloud.aio.storage import Storage

from bot.shell.bucket.errors import Unavailable
from bot.shell.bucket.patience import Policy, persist
from bot.shell.bucket.refusals import one_line

API_ROOT = "https://storage.googleapis.com"
CONNECT_S = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How transfers go: uploads over `multipart_bytes` in requests of `chunk_bytes` (a multiple of 256 KiB).

    Of a request that breaks off the server keeps what has come, so smaller ones only cost round trips.
    A transfer in which nothing moves for `stall_s` seconds is cut and taken up again; it has no limit in
    all. A request with a small body may take `small_s` in all, a copy inside the bucket `copy_s`.
    """

    policy: Policy = field(default_factory=Policy)
    stall_s: float = 60.0
    small_s: float = 60.0
    copy_s: float = 120.0
    chunk_bytes: int = 1 << 40
    multipart_bytes: int = 1 << 20


class Wire:
    """One bucket's connections. Make it inside the running event loop; close it there too."""

    def __init__(self, bucket: str, pace: Pace, emulator: str = "") -> None:
        """`emulator` is the root URL of a stand-in that asks for no credentials."""
        self.bucket = bucket
        self.pace = pace
        # The library asks for whole seconds and hands them to aiohttp, which takes any.
        self.small_s, self.copy_s = cast("int", pace.small_s), cast("int", pace.copy_s)
        self._root = emulator.rstrip("/") or API_ROOT
        self._anonymous = bool(emulator)
        # Said outright: with a root of its own the library would else drop credentials and TLS checks.
        self.storage = Storage(api_root=self._root, api_is_dev=self._anonymous)

    async def headers(self) -> dict[str, str]:
        """A fresh dict each time: the library writes into what it is given.

        Raises:
            Unavailable: no credentials can be had.
        """
        if self._anonymous:
            return {}
        try:
            # Shielded: all callers wait on one task, and one being cancelled would cancel everybody.
            token = await asyncio.shield(self.storage.token.get())
        except Exception as error:
            raise Unavailable(
                f"no Google credentials ({one_line(error)}): run on a VM with a service account, "
                "or name a key file in GOOGLE_APPLICATION_CREDENTIALS"
            ) from error
        return {"Authorization": f"Bearer {token}"}

    async def persist[T](
        self, what: str, attempt: Callable[[], Awaitable[T]], progressed: Callable[[], int] = lambda: 0
    ) -> T:
        """See bot.shell.bucket.patience.persist. `what` begins with its verb: refusals.explain reads it."""
        return await persist(
            f"{what} in gs://{self.bucket}",
            attempt,
            self.pace.policy,
            progressed=progressed,
            renew=self._drop_token,
        )

    @asynccontextmanager
    async def media(
        self, name: str, generation: int | None, offset: int = 0
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """The object's bytes from `offset` on, as they are stored."""
        headers = await self.headers() | {"Accept-Encoding": "gzip"}  # else gzip'd objects arrive unpacked
        if offset:
            headers["Range"] = f"bytes={offset}-"
        params: dict[str, int | str] = {"alt": "media"}
        if generation:
            params["generation"] = str(generation)
        response = await self.storage.session.get(
            f"{self._root}/storage/v1/b/{self.bucket}/o/{quote(name, safe='')}",
            headers=headers,
            params=params,
            timeout=aiohttp.ClientTimeout(  # without `connect` it would wait for a free connection for ever
                total=None, connect=2 * CONNECT_S, sock_connect=CONNECT_S, sock_read=self.pace.stall_s
            ),
            auto_decompress=False,
        )
        try:
            yield response
        finally:
            response.close()

    async def granted(self, permissions: Sequence[str]) -> frozenset[str]:
        """https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions"""
        query = urlencode([("permissions", each) for each in permissions])
        response = await self.storage.session.get(
            f"{self._root}/storage/v1/b/{self.bucket}/iam/testPermissions?{query}",
            headers=await self.headers(),
            timeout=self.small_s,
        )
        return frozenset((await response.json()).get("permissions", ()))

    async def begin_upload(self, params: dict[str, int | str], metadata: str) -> str:
        """Opens a resumable upload; answers its session's URL, which needs no further credentials."""
        response = await self.storage.session.post(
            f"{self._root}/upload/storage/v1/b/{self.bucket}/o",
            headers=await self.headers() | {"Content-Type": "application/json; charset=UTF-8"},
            params=params | {"uploadType": "resumable"},
            data=metadata.encode(),
            timeout=self.small_s,
        )
        response.release()
        if where := response.headers.get("Location"):
            return where
        raise aiohttp.ClientPayloadError("an upload was begun, and its answer does not say where")

    async def put_chunk(
        self, session: str, headers: dict[str, str], body: AsyncIterable[bytes] | None
    ) -> aiohttp.ClientResponse:
        """One request of a resumable upload, its answer read. Raises for 400 and above; 308 is no error."""
        response = await self.storage.session.request(
            "PUT",
            session,
            headers=headers,
            auto_raise_for_status=False,
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        )
        try:
            text = await response.text()
        finally:
            response.release()
        if response.status >= 400:
            raise aiohttp.ClientResponseError(
                response.request_info, (), status=response.status, message=text, headers=response.headers
            )
        return response

    async def close(self) -> None:
        await self.storage.close()

    def _drop_token(self) -> None:
        self.storage.token.access_token = None
