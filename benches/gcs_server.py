"""A fast stand-in for Google Cloud Storage, for measuring clients: a process of its own, no faults.

It speaks as much of the JSON API as we and google-cloud-storage use, and of the XML API as obstore uses.
Objects are served from disk by sendfile; what is uploaded is counted and checksummed, and let go if it is
larger than a manifest.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from bot.shell.bucket.crc import Crc32c, FileSums

PIECE_BYTES = 32 << 10
KEPT_BYTES = 1 << 20
"""Uploads up to this size can be read again: a checkpoint's marker and manifest."""


@dataclass
class Stored:
    size: int
    crc32c: str
    generation: int
    metadata: dict[str, str] = field(default_factory=dict)
    file: Path | None = None
    data: bytes | None = None
    made_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class Server:
    """`tree` is served under `dataset/`; every request is answered `latency_s` late.

    All that is read goes through one line of `bytes_per_s`, shared by who reads; 0: as fast as it goes.
    """

    def __init__(self, tree: Path, latency_s: float, bytes_per_s: float = 0.0) -> None:
        self._latency_s = latency_s
        self._bytes_per_s = bytes_per_s
        self._free_at = 0.0
        sums, self._objects = FileSums(), dict[str, Stored]()
        for path in sorted(each for each in tree.rglob("*") if each.is_file()):
            found = sums.of(path)
            name = f"dataset/{path.relative_to(tree).as_posix()}"
            self._objects[name] = Stored(found.size, found.crc32c, len(self._objects) + 1, file=path)
        self._generation = len(self._objects) + 1
        self._sessions: list[dict[str, Any]] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 40, middlewares=[self._late])
        objects = "/storage/v1/b/{bucket}/o"
        app.router.add_get("/storage/v1/b/{bucket}", self._bucket)
        app.router.add_get(objects, self._list)
        app.router.add_get(objects + "/{name}", self._json_read)
        app.router.add_get("/download" + objects + "/{name}", self._media)
        app.router.add_post(objects + "/{name}/rewriteTo/b/{other}/o/{dest}", self._copy)
        app.router.add_delete(objects + "/{name}", self._delete)
        app.router.add_post("/upload" + objects, self._upload)
        app.router.add_put("/session/{id}", self._session)
        app.router.add_get("/{bucket}/{name:.+}", self._media)
        app.router.add_put("/{bucket}/{name:.+}", self._put)
        return app

    @web.middleware
    async def _late(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await asyncio.sleep(self._latency_s)
        return await handler(request)

    async def _bucket(self, request: web.Request) -> web.Response:
        return web.json_response({"name": request.match_info["bucket"]})

    async def _list(self, request: web.Request) -> web.Response:
        prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
        names = sorted(name for name in self._objects if name.startswith(prefix))
        if not delimiter:
            return web.json_response({"items": [self._resource(name) for name in names]})
        heads = {name: name.removeprefix(prefix).partition(delimiter) for name in names}
        below = dict.fromkeys(f"{prefix}{head}{delimiter}" for head, cut, _ in heads.values() if cut)
        items = [self._resource(name) for name, (_, cut, _) in heads.items() if not cut]
        return web.json_response({"items": items, "prefixes": list(below)})

    async def _json_read(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("alt") == "media":
            return await self._media(request)
        if request.match_info["name"] not in self._objects:
            raise web.HTTPNotFound
        return web.json_response(self._resource(request.match_info["name"]))

    async def _media(self, request: web.Request) -> web.StreamResponse:
        stored = self._objects.get(request.match_info["name"])
        if stored is None:
            raise web.HTTPNotFound
        told = {"x-goog-generation": str(stored.generation), "x-goog-hash": f"crc32c={stored.crc32c}"}
        if stored.data is not None:
            return web.Response(body=stored.data, headers=told)
        assert stored.file, "it was let go"
        if self._bytes_per_s:
            return await self._paced(request, stored.file, told | {"Content-Length": str(stored.size)})
        return web.FileResponse(stored.file, headers=told, chunk_size=1 << 20)

    async def _paced(self, request: web.Request, file: Path, told: dict[str, str]) -> web.StreamResponse:
        response = web.StreamResponse(headers=told)
        await response.prepare(request)
        data = memoryview(await asyncio.to_thread(file.read_bytes))
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            now = asyncio.get_running_loop().time()
            self._free_at = max(self._free_at, now) + len(piece) / self._bytes_per_s
            await asyncio.sleep(self._free_at - now)
            await response.write(piece)
        return response

    async def _copy(self, request: web.Request) -> web.Response:
        name, dest = request.match_info["name"], request.match_info["dest"]
        self._objects[dest] = replace(self._objects[name], generation=self._new_generation())
        return web.json_response({"done": True, "resource": self._resource(dest)})

    async def _delete(self, request: web.Request) -> web.Response:
        if self._objects.pop(request.match_info["name"], None) is None:
            raise web.HTTPNotFound
        return web.Response(status=204)

    async def _upload(self, request: web.Request) -> web.Response:
        if request.query["uploadType"] == "resumable":
            resource = await request.json()
            self._sessions.append(resource | {"name": resource.get("name", request.query.get("name"))})
            where = f"{request.scheme}://{request.host}/session/{len(self._sessions) - 1}"
            return web.json_response({}, headers={"Location": where})
        parts = await request.multipart()
        head = await parts.next()
        assert isinstance(head, BodyPartReader)
        resource = json.loads(await head.read())
        body = await parts.next()
        assert isinstance(body, BodyPartReader)
        crc = Crc32c(data := bytes(await body.read()))
        return web.json_response(self._store(resource, len(data), crc, data))

    async def _session(self, request: web.Request) -> web.Response:
        """One request a file, or pieces in their order."""
        resource = self._sessions[int(request.match_info["id"])]
        crc = resource.setdefault("crc", Crc32c())
        resource["held"] = resource.get("held", 0) + await _swallow(request, crc)
        total = request.headers.get("Content-Range", "").rpartition("/")[2]
        if total.isdigit() and resource["held"] < int(total):
            return web.Response(status=308, headers={"Range": f"bytes=0-{resource['held'] - 1}"})
        return web.json_response(self._store(resource, resource["held"], crc))

    async def _put(self, request: web.Request) -> web.Response:
        crc = Crc32c()
        size = await _swallow(request, crc)
        made = self._store({"name": request.match_info["name"]}, size, crc)
        return web.Response(headers={"ETag": '"1"', "x-goog-generation": made["generation"]})

    def _new_generation(self) -> int:
        self._generation += 1
        return self._generation

    def _store(
        self, resource: dict[str, Any], size: int, crc: Crc32c, data: bytes | None = None
    ) -> dict[str, Any]:
        kept = data if size <= KEPT_BYTES else None
        told = resource.get("metadata", {})
        stored = Stored(size, crc.text, self._new_generation(), told, data=kept)
        self._objects[resource["name"]] = stored
        return self._resource(resource["name"])

    def _resource(self, name: str) -> dict[str, Any]:
        stored = self._objects[name]
        return {
            "name": name,
            "size": str(stored.size),
            "crc32c": stored.crc32c,
            "generation": str(stored.generation),
            "metadata": stored.metadata,
            "timeCreated": stored.made_at,
        }


async def _swallow(request: web.Request, crc: Crc32c) -> int:
    size = 0
    async for piece in request.content.iter_any():
        crc.update(piece)
        size += len(piece)
    return size


async def main(tree: str, latency_s: str, bytes_per_s: str = "0") -> None:
    server = Server(Path(tree), float(latency_s), float(bytes_per_s))
    runner = web.AppRunner(server.app(), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
