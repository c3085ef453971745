"""GCS's JSON, headers and parameters, read and written.

https://cloud.google.com/storage/docs/json_api/v1/objects#resource
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

from bot.shell.bucket.store import Obj


def object_of(resource: Mapping[str, Any]) -> Obj:
    return Obj(
        name=resource["name"],
        size=int(resource.get("size", 0)),
        crc32c=resource.get("crc32c", ""),
        generation=int(resource.get("generation", 0)),
        uid=resource.get("metadata", {}).get("uid", ""),
        written_at=_seconds(resource.get("timeCreated", "")),
    )


def _seconds(timestamp: str) -> float:
    """Since the epoch, from RFC 3339; infinite for what is no time."""
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return math.inf


def only_over(generation: int | None) -> dict[str, str]:
    return {} if generation is None else {"ifGenerationMatch": str(generation)}


def continues(response: aiohttp.ClientResponse, offset: int) -> bool:
    """Whether the body starts at `offset`; a server that ignores ranges starts from 0 with a 200."""
    if not offset:
        return True
    return response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {offset}-")


def declared_crc32c(headers: CIMultiDictProxy[str]) -> str:
    """From `x-goog-hash: crc32c=…,md5=…`, which may come as one header or as two."""
    parts = ",".join(headers.getall("x-goog-hash", [])).split(",")
    return next((part.strip()[7:] for part in parts if part.strip().startswith("crc32c=")), "")
