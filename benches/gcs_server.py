"""A fast stand-in for Google Cloud Storage, for measuring clients: a process of its own, no faults.

It speaks as much of the JSON API as we and google-cloud-storage use, and of the XML API as obstore uses.
Objects are served from disk by sendfile; what is uploaded is counted, checksummed and let go.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from bot.shell.bucket.crc import Crc32c, FileSums


@dataclass
class Stored:
    size: int
    crc32c: str
    generation: int
    metadata: dict[str, str] = field(default_factory=dict)
    file: Path | None = None


class Server:
    """`tree` is served under `dataset/`; every request is answered `latency_s` late."""

    def __init__(self, tree: Path, latency_s: float) -> None:
        self._latency_s = latency_s
        sums, self._objects = FileSums(), dict[str, Stored]()
        for path in sorted(each for each in tree.rglob("*") if each.is_file()):
            found = sums.of(path)
            name = f"dataset/{path.relative_to(tree).as_posix()}"
            self._objects[name] = Stored(found.size, found.crc32c, len(self._objects) + 1, file=path)
        self._sessions: list[dict[str, Any]] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 40, middlewares=[self._late])
        objects = "/storage/v1/b/{bucket}/o"
        app.router.add_get("/storage/v1/b/{bucket}", self._bucket)
        app.router.add_get(objects, self._list)
        app.router.add_get(objects + "/{name}", self._json_read)
        app.router.add_get("/download" + objects + "/{name}", self._media)
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
        prefix = request.query.get("prefix", "")
        names = [name for name in self._objects if name.startswith(prefix)]
        return web.json_response({"items": [self._resource(name) for name in names]})

    async def _json_read(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("alt") == "media":
            return await self._media(request)
        if request.match_info["name"] not in self._objects:
            raise web.HTTPNotFound
        return web.json_response(self._resource(request.match_info["name"]))

    async def _media(self, request: web.Request) -> web.StreamResponse:
        stored = self._objects[request.match_info["name"]]
        assert stored.file
        told = {"x-goog-generation": str(stored.generation), "x-goog-hash": f"crc32c={stored.crc32c}"}
        return web.FileResponse(stored.file, headers=told, chunk_size=1 << 20)

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
        return web.json_response(self._store(resource, len(data), crc))

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

    def _store(self, resource: dict[str, Any], size: int, crc: Crc32c) -> dict[str, Any]:
        stored = Stored(size, crc.text, len(self._objects) + 1, resource.get("metadata", {}))
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
        }


async def _swallow(request: web.Request, crc: Crc32c) -> int:
    size = 0
    async for piece in request.content.iter_any():
        crc.update(piece)
        size += len(piece)
    return size


async def main(tree: str, latency_s: str) -> None:
    runner = web.AppRunner(Server(Path(tree), float(latency_s)).app(), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
