"""An embedded Google Cloud Storage: the JSON API as far as we use it, and its bad days on demand.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import BodyPartReader, web

from bot.shell.bucket.crc import crc32c

Errand = Literal["list", "stat", "read", "write", "begin", "chunk", "copy", "delete", "ask"]


@dataclass
class Trouble:
    """What befalls the next `times` errands of a kind.

    `how`: an HTTP status; `reset` before anything is done; `lost` once it is done, in place of the
    answer; `cut` half-way through the body; `flip` one bit of it; `stall` for ever in mid-body, or once
    it is done where there is none; `whole` ignores the range asked for; `forget` the upload's session;
    `garble` answers an upload without what it has to say.
    """

    errand: Errand
    how: int | Literal["reset", "lost", "cut", "flip", "stall", "whole", "forget", "garble"]
    times: int = 1


@dataclass
class Stored:
    data: bytes
    generation: int
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    content_type: str = ""
    crc32c: str = ""
    written_at: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.crc32c = self.crc32c or crc32c(self.data)


@dataclass
class Upload:
    resource: dict[str, Any]
    query: dict[str, str]
    data: bytearray = field(default_factory=bytearray)
    done: Stored | None = None


class FakeGcs:
    """One bucket. `address` is its root URL while it runs."""

    def __init__(self, bucket: str = "ours", page: int = 3) -> None:
        self.bucket = bucket
        self.page = page
        self.objects: dict[str, Stored] = {}
        self.troubles: list[Trouble] = []
        self.requests: list[str] = []
        self.received_bytes = 0
        self.address = ""
        self.closing = asyncio.Event()
        self.heard = asyncio.Event()
        self.token = ""  # asked for with every request when it is set
        self.weather: Callable[[Errand], int | str] = lambda _: ""  # what befalls errands without a trouble
        self.granted = {"storage.objects.get", "storage.objects.list"}
        self._uploads: dict[str, Upload] = {}
        self._generation = 1_795_000_000_000_000

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30)
        objects = "/storage/v1/b/{bucket}/o"
        app.router.add_get(objects, self._list)
        app.router.add_get(objects + "/{name}", self._read)
        app.router.add_get("/storage/v1/b/{bucket}/iam/testPermissions", self._permissions)
        app.router.add_delete(objects + "/{name}", self._delete)
        app.router.add_post(objects + "/{name}/rewriteTo/b/{other}/o/{dest}", self._copy)
        app.router.add_post("/upload" + objects, self._upload)
        app.router.add_put("/session/{id}", self._chunk)
        return app

    def put(self, name: str, data: bytes) -> None:
        """Somebody else's write."""
        self._commit({"name": name}, {}, data)

    # --- troubles -----------------------------------------------------------

    def _fate(self, errand: Errand) -> int | str:
        self.requests.append(errand)
        self.heard.set()
        for trouble in self.troubles:
            if trouble.errand == errand and trouble.times:
                trouble.times -= 1
                return trouble.how
        return self.weather(errand)

    async def hears(self, errand: Errand, times: int) -> None:
        """Returns once so many errands of a kind have come."""
        while self.requests.count(errand) < times:
            self.heard.clear()
            await self.heard.wait()

    async def _answered(
        self, request: web.Request, fate: int | str, body: dict[str, Any] | None
    ) -> web.Response:
        if fate == "stall":
            await self.closing.wait()
        if fate == "lost":
            _hang_up(request)
        return web.json_response(body) if body is not None else web.Response(status=204)

    def _refuse_early(self, request: web.Request, fate: int | str, *, asks_token: bool = True) -> None:
        if fate == "reset":
            _hang_up(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if asks_token and self.token and token != self.token:
            raise _refusal(401, "Invalid Credentials")
        if isinstance(fate, int):
            raise _refusal(fate, f"made to fail with {fate}")

    # --- reading --------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        fate = self._fate("list")
        self._refuse_early(request, fate)
        query = request.query
        entries = self._entries(query.get("prefix", ""), query.get("delimiter", ""))
        start = int(query.get("pageToken", 0))
        page = entries[start : start + self.page]
        answer: dict[str, Any] = {
            "items": [_resource(each, self.objects[each]) for kind, each in page if kind == "object"],
            "prefixes": [each for kind, each in page if kind == "prefix"],
        }
        if start + self.page < len(entries):
            answer["nextPageToken"] = str(start + self.page)
        return await self._answered(request, fate, {key: value for key, value in answer.items() if value})

    def _entries(self, prefix: str, delimiter: str) -> list[tuple[str, str]]:
        entries: dict[str, str] = {}
        for name in sorted(self.objects):
            rest = name.removeprefix(prefix)
            if name.startswith(prefix) and delimiter and delimiter in rest:
                entries[prefix + rest.partition(delimiter)[0] + delimiter] = "prefix"
            elif name.startswith(prefix):
                entries[name] = "object"
        return [(kind, name) for name, kind in entries.items()]

    async def _read(self, request: web.Request) -> web.StreamResponse:
        name, query = request.match_info["name"], request.query
        media = query.get("alt") == "media"
        fate = self._fate("read" if media else "stat")
        self._refuse_early(request, "reset" if media and fate == "lost" else fate)
        stored = self.objects.get(name)
        if not stored or query.get("generation", str(stored.generation)) != str(stored.generation):
            raise _refusal(404, f"No such object: {self.bucket}/{name}")
        if not media:
            return await self._answered(request, fate, _resource(name, stored))
        return await self._send(request, stored, fate)

    async def _send(self, request: web.Request, stored: Stored, fate: int | str) -> web.StreamResponse:
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "")) if fate != "whole" else None
        start = int(asked[1]) if asked else 0
        body = stored.data[start:]
        response = web.StreamResponse(status=206 if asked else 200)
        response.headers["x-goog-generation"] = str(stored.generation)
        response.headers["x-goog-hash"] = f"crc32c={stored.crc32c}"
        if asked:
            response.headers["Content-Range"] = f"bytes {start}-{len(stored.data) - 1}/{len(stored.data)}"
        response.content_length = len(body)
        await response.prepare(request)
        if fate in ("cut", "stall"):
            await response.write(body[: len(body) // 2])
            if fate == "stall":
                await self.closing.wait()
            _hang_up(request)
        await response.write(_flipped(body) if fate == "flip" else body)
        await response.write_eof()
        return response

    async def _permissions(self, request: web.Request) -> web.Response:
        fate = self._fate("ask")
        self._refuse_early(request, fate)
        held = [each for each in request.query.getall("permissions") if each in self.granted]
        return await self._answered(request, fate, {"permissions": held} if held else {})

    # --- writing --------------------------------------------------------------

    def _precondition(self, name: str, query: dict[str, str]) -> None:
        wanted = query.get("ifGenerationMatch")
        standing = self.objects[name].generation if name in self.objects else 0
        if wanted is not None and int(wanted) != standing:
            raise _refusal(412, "At least one of the pre-conditions you specified did not hold.")

    def _commit(self, resource: dict[str, Any], query: dict[str, str], data: bytes) -> Stored:
        self._precondition(resource["name"], query)
        if resource.get("crc32c", crc32c(data)) != crc32c(data):
            raise _refusal(400, "Provided CRC32C doesn't match calculated CRC32C.")
        self._generation += 1
        kind = resource.get("contentType", "")
        stored = Stored(data, self._generation, resource.get("metadata", {}), kind)
        self.objects[resource["name"]] = stored
        return stored

    async def _upload(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        if query["uploadType"] == "resumable":
            return await self._begin(request, query)
        fate = self._fate("write")
        self._refuse_early(request, fate)
        parts = await request.multipart()
        head, body = await parts.next(), None
        assert isinstance(head, BodyPartReader)
        resource = json.loads(await head.read())
        body = await parts.next()
        assert isinstance(body, BodyPartReader)
        data = bytes(await body.read())
        self.received_bytes += len(data)
        stored = self._commit(resource, query, _flipped(data) if fate == "flip" else data)
        return await self._answered(request, fate, _resource(resource["name"], stored))

    async def _begin(self, request: web.Request, query: dict[str, str]) -> web.Response:
        fate = self._fate("begin")
        self._refuse_early(request, fate)
        resource = await request.json()
        self._precondition(resource["name"], query)
        upload_id = str(len(self._uploads))
        self._uploads[upload_id] = Upload(resource, query)
        if fate == "lost":
            _hang_up(request)
        where = {"Location": f"{self.address}/session/{upload_id}"}
        return web.json_response({}, headers={} if fate == "garble" else where)

    async def _chunk(self, request: web.Request) -> web.Response:
        fate = self._fate("chunk")
        self._refuse_early(request, fate, asks_token=False)  # the session's URL stands for credentials
        if fate == "stall":
            await self.closing.wait()
        if fate == "forget":
            self._uploads.clear()
        upload = self._uploads.get(request.match_info["id"])
        if not upload:
            raise _refusal(410, "The upload session is gone")
        span = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)", request.headers["Content-Range"])
        assert span
        if span[1] and not upload.done:
            await self._take(request, upload, int(span[1]), fate)
        if len(upload.data) == int(span[3]) and not upload.done:
            upload.done = self._commit(upload.resource, upload.query, bytes(upload.data))
        if fate == "lost":
            _hang_up(request)
        if upload.done:
            return web.json_response(_resource(upload.resource["name"], upload.done))
        held = {"Range": f"bytes=0-{len(upload.data) - 1}"} if upload.data else {}
        return web.Response(status=308, headers={"Range": "bytes=some"} if fate == "garble" else held)

    async def _take(self, request: web.Request, upload: Upload, start: int, fate: int | str) -> None:
        assert start == len(upload.data), "a chunk must begin where the last one ended"
        data = await request.read()
        if fate == "flip":
            data = _flipped(data)
        kept = data[: len(data) // 2] if fate == "cut" else data
        self.received_bytes += len(kept)
        upload.data += kept
        if fate == "cut":
            _hang_up(request)

    async def _copy(self, request: web.Request) -> web.Response:
        fate = self._fate("copy")
        self._refuse_early(request, fate)
        name, dest, query = request.match_info["name"], request.match_info["dest"], dict(request.query)
        source = self.objects.get(name)
        if not source or query.get("sourceGeneration", str(source.generation)) != str(source.generation):
            raise _refusal(404, f"No such object: {self.bucket}/{name}")
        stored = self._commit({"name": dest, "metadata": source.metadata}, query, source.data)
        return await self._answered(request, fate, {"done": True, "resource": _resource(dest, stored)})

    async def _delete(self, request: web.Request) -> web.Response:
        fate = self._fate("delete")
        self._refuse_early(request, fate)
        name = request.match_info["name"]
        if name not in self.objects:
            raise _refusal(404, f"No such object: {self.bucket}/{name}")
        self._precondition(name, dict(request.query))
        del self.objects[name]
        return await self._answered(request, fate, None)


@asynccontextmanager
async def served(fake: FakeGcs) -> AsyncGenerator[FakeGcs]:
    """It listens on a port of its own on the loopback."""
    log = logging.getLogger(__name__)  # where nobody hears that we hung up on purpose
    log.propagate = False
    log.addHandler(logging.NullHandler())
    runner = web.AppRunner(fake.app(), shutdown_timeout=1, logger=log)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    fake.address = f"http://{host}:{port}"
    try:
        yield fake
    finally:
        fake.closing.set()
        await runner.cleanup()


def _resource(name: str, stored: Stored) -> dict[str, Any]:
    return {
        "name": name,
        "size": str(len(stored.data)),
        "crc32c": stored.crc32c,
        "generation": str(stored.generation),
        "timeCreated": datetime.fromtimestamp(stored.written_at, UTC).isoformat(),
        "contentType": stored.content_type,
        "metadata": stored.metadata,
    }


def _flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def _hang_up(request: web.Request) -> None:
    assert request.transport
    request.transport.abort()
    raise ConnectionResetError("hung up on purpose")


def _refusal(status: int, message: str) -> web.HTTPException:
    refusal = web.HTTPException(text=json.dumps({"error": {"code": status, "message": message}}))
    refusal.set_status(status)
    return refusal
