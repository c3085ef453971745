"""What requests to the embedded Discord say, and how its answers look."""

import json
import math

from aiohttp import BodyPartReader, web
from pydantic import BaseModel, ConfigDict

from bot.rehearsal.discord.guild import File, RequestError
from bot.rehearsal.discord.mentions import AllowedMentions


class Reference(BaseModel):
    model_config = ConfigDict(extra="ignore")

    message_id: int
    fail_if_not_exists: bool = True


class SendBody(BaseModel):
    """What of a new message's body matters here; the rest is accepted and ignored."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    content: str | None = None
    nonce: str | None = None
    enforce_nonce: bool = False
    allowed_mentions: AllowedMentions | None = None
    message_reference: Reference | None = None


class EditBody(BaseModel):
    model_config = ConfigDict(extra="ignore")

    content: str | None = None
    allowed_mentions: AllowedMentions | None = None


def is_send(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/messages")


async def read_message(request: web.Request) -> tuple[SendBody, tuple[File, ...]]:
    """A new message's body and files, from JSON or from multipart with `payload_json` and `files[n]`."""
    if not request.content_type.startswith("multipart/"):
        return SendBody.model_validate_json(await request.read()), ()
    body, files = SendBody(), list[File]()
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read(decode=False))
        if part.name == "payload_json":
            body = SendBody.model_validate_json(content)
        elif (part.name or "").startswith("files["):
            kind = part.headers.get("Content-Type", "application/octet-stream")
            files.append(File(part.filename or "unknown", content, kind))
    return body, tuple(files)


def id_in(request: web.Request, name: str) -> int:
    text = request.match_info[name]
    if not text.isdecimal():
        raise RequestError(400, 50035, f'{name}: Value "{text}" is not snowflake.')
    return int(text)


def refused_for_now(
    retry_after_s: float, *, via: bool = True, everywhere: bool = False, headers: dict[str, str] | None = None
) -> web.Response:
    """429 as Discord words it; without `via` it looks like its proxy's. `everywhere`: the global limit."""
    body = {
        "message": "You are being rate limited.",
        "retry_after": round(retry_after_s, 3),
        "global": everywhere,
    }
    answer = json_answer(body, 429)
    answer.headers["Retry-After"] = str(math.ceil(retry_after_s))
    answer.headers["X-RateLimit-Scope"] = "global" if everywhere else "user"
    if everywhere:
        answer.headers["X-RateLimit-Global"] = "true"
    if via:
        answer.headers["Via"] = "1.1 google"
    answer.headers.update(headers or {})
    return answer


def json_answer(value: object, status: int = 200) -> web.Response:
    """JSON under exactly `application/json`: the client library reads no other content type as JSON."""
    return web.Response(
        body=json.dumps(value, ensure_ascii=False).encode(), status=status, content_type="application/json"
    )
