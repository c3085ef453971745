"""A refusal by GCS, as one of our errors: one line, with the next step.

Statuses and reasons: https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

import json
import re

import aiohttp

from bot.shell.bucket.errors import (
    AccessDenied,
    IntegrityError,
    NotFound,
    PreconditionFailed,
    StoreError,
)

_CHECKSUM = re.compile(r"crc32c|md5|checksum|hash", re.IGNORECASE)
_SCOPE = re.compile(r"scope", re.IGNORECASE)
_MESSAGE_CHARACTERS = 200
_READING = ("list", "look up", "read")


def explain(what: str, error: aiohttp.ClientResponseError) -> StoreError:
    """`what` is the errand in words, its verb first: `read dataset/meta.json in gs://…`."""
    said = one_line(error)
    match error.status:
        case 401 | 403:
            return AccessDenied(f"{what}: refused ({said}); {_remedy(what, said)}")
        case 404 | 410:
            return NotFound(f"{what}: not there ({said})")
        case 400 | 412 if _CHECKSUM.search(said):
            return IntegrityError(f"{what}: other bytes arrived than were declared ({said})")
        case 412:
            return PreconditionFailed(f"{what}: written by somebody else meanwhile; look again")
        case _:
            return StoreError(f"{what}: {error.status} ({said})")


def one_line(error: Exception) -> str:
    """What an exception says, the server's own words where there are any, in one short line."""
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    text = _spoken(text) or text or type(error).__name__
    return " ".join(text.split())[:_MESSAGE_CHARACTERS]


def _remedy(what: str, said: str) -> str:
    if _SCOPE.search(said):
        return "give the machine the cloud-platform access scope"
    role = "roles/storage.objectViewer" if what.startswith(_READING) else "roles/storage.objectUser"
    return f"give this machine's service account {role} on the bucket"


def _spoken(text: str) -> str:
    """`error.message` of the JSON that follows the reason, if there is any."""
    try:
        return str(json.loads(text[text.index("{") :])["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
