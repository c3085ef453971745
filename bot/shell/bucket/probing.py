"""What this machine may do with the bucket, asked before anybody depends on it.

Writing is tried in one place only, `checkpoints/.probe/<host>`; about `ssot/` Google is asked, and nothing
is ever written there.
"""

import asyncio
import socket
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from bot.shell.bucket.errors import IntegrityError, StoreError
from bot.shell.bucket.layout import probe_of
from bot.shell.bucket.store import ObjectStore
from protocol.paths import CHECKPOINTS

READ = ("dataset/", "ssot/", "lessons/")
CHANGING = ("storage.objects.create", "storage.objects.delete", "storage.objects.update")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `said` is one line: what is the case, and the next step unless it is fine.

    "unseen": it could not be looked at, so nothing is known of it.
    """

    what: str
    verdict: Literal["fine", "warning", "fault", "unseen"]
    said: str


async def probe(store: ObjectStore, host: str = "") -> tuple[Finding, ...]:
    """Reads, writes and asks; never raises StoreError. `host` is this machine's name unless given.

    What nothing at all can be done for, say without credentials, is one finding.
    """
    name = probe_of(host or socket.gethostname())
    looks: dict[str, Awaitable[str]] = {
        **{f"read {place}": _read(store, place) for place in READ},
        f"write {CHECKPOINTS}": _write(store, name),
        "ssot/ is safe from us": _ask(store),
    }
    found = tuple(await asyncio.gather(*(_found(what, look) for what, look in looks.items())))
    faults = {one.said for one in found if one.verdict == "fault"}
    if len(faults) == 1 and all(one.verdict == "fault" for one in found):
        return (Finding("read and write", "fault", faults.pop()),)
    return found


async def _found(what: str, look: Awaitable[str]) -> Finding:
    try:
        said = await look
    except StoreError as error:
        return Finding(what, "fault", str(error))
    return Finding(what, "warning" if said else "fine", said or "yes")


async def _read(store: ObjectStore, place: str) -> str:
    async for each in store.list(place):
        await store.get_bytes(each.name, limit=each.size)
        return ""
    return f"{place} holds nothing yet, so reading an object could not be tried"


async def _write(store: ObjectStore, name: str) -> str:
    """Writes, reads back and deletes; with a generation, so that two machines of one name do not meet."""
    data = uuid4().hex.encode()
    written = await store.put_bytes(name, data)
    read, _ = await store.get_bytes(name)
    await store.delete(name, if_generation=written.generation)
    if read != data:
        raise IntegrityError(
            f"{name} is read as something else than was written: is another machine called so?"
        )
    return ""


async def _ask(store: ObjectStore) -> str:
    granted = await store.may(CHANGING)
    if not granted:
        return ""
    return (
        f"this account holds {', '.join(sorted(granted))} on the whole bucket, ssot/ too (this program never "
        f"writes there): grant roles/storage.objectUser under a condition on {CHECKPOINTS} only"
    )
