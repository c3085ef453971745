"""What we did not write is never lost: before the first write in its place it is copied aside."""

import hashlib
import json
from collections.abc import Mapping

from bot.shell.bucket.errors import IntegrityError
from bot.shell.bucket.gathering import COPIES, gather
from bot.shell.bucket.layout import foreign_prefix
from bot.shell.bucket.store import Obj, ObjectStore
from protocol.paths import CHECKPOINTS


async def set_aside(store: ObjectStore, prefix: str, objects: Mapping[str, Obj]) -> str:
    """Copies `objects` (keyed by path relative to `prefix`) to a place named by their content.

    Answers that place, or "" when there are none. Safe to repeat: what is there already stays.

    Raises:
        IntegrityError: something else lies in that place.
    """
    if not objects:
        return ""
    aside = f"{foreign_prefix(_digest(objects))}{prefix.removeprefix(CHECKPOINTS)}"
    there = {each.name: each async for each in store.list(aside)}

    async def copy(path: str) -> None:
        original = objects[path]
        kept = there.get(aside + path) or await store.copy(
            original.name, aside + path, source_generation=original.generation, if_generation=0
        )
        if not kept.holds(original.size, original.crc32c):
            raise IntegrityError(f"{kept.name} is not the copy of {original.name} it should be: look at both")

    await gather(copy, sorted(objects), COPIES)
    return aside


def _digest(objects: Mapping[str, Obj]) -> str:
    rows = sorted((path, each.size, each.crc32c) for path, each in objects.items())
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]
