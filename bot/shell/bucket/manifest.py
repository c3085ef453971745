"""What a published checkpoint says of itself: a marker first, a manifest last, both JSON."""

import hashlib
import json
from collections.abc import Iterable
from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from bot.shell.bucket.errors import BadContent, NotFound
from bot.shell.bucket.layout import MANIFEST, MARKER
from bot.shell.bucket.names import check_prefix
from bot.shell.bucket.store import Obj, ObjectStore

SCHEMA = 1

Generation = Annotated[int, PlainSerializer(str, return_type=str)]
"""A string in JSON, as in GCS's own: it is larger than a double holds exactly."""


class _Json(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    schema_number: int = Field(default=SCHEMA, alias="schema", ge=1)

    def encoded(self) -> bytes:
        return self.model_dump_json(by_alias=True, indent=1).encode()


class Marker(_Json):
    """The prefix (or single object) `path` is ours: written by `run`. Elsewhere, as part of somebody's
    copy, it says nothing. `owns` names every file, relative to the prefix, that is or was ours there
    and so may be removed by us; no other ever is. `superseded_by` names the later run of the same cycle
    for whose sake the manifest was taken away."""

    path: str
    run: str
    cycle: int
    epoch: int
    owns: tuple[str, ...] = ()
    superseded_by: str = ""


class Meta(BaseModel):
    """What the bot knows of a checkpoint besides its files. An order to publish calls the hash `config`."""

    model_config = ConfigDict(frozen=True)

    loss: float | None = None
    certificate: str = ""
    config_hash: str = Field(default="", validation_alias=AliasChoices("config_hash", "config"))


class File(BaseModel):
    """One file of a checkpoint. `path` is relative to the prefix, `crc32c` base64 as in GCS."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    size: int
    crc32c: str
    generation: Generation = 0

    def object_under(self, prefix: str) -> Obj:
        return Obj(prefix + self.path, self.size, self.crc32c, self.generation)


class Manifest(_Json):
    """A whole checkpoint. It exists exactly if each file stands there at the generation named here."""

    run: str
    cycle: int
    epoch: int
    loss: float | None = None
    certificate: str = ""
    config_hash: str = ""
    files: tuple[File, ...]
    total_bytes: int

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over path, size and CRC32C of all files: equal for a checkpoint and its copies."""
        return content_hash(self.files)


def content_hash(files: Iterable[File]) -> str:
    """See Manifest.hash. The order of `files` does not matter."""
    rows = sorted((file.path, file.size, file.crc32c) for file in files)
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


async def read_manifest(store: ObjectStore, prefix: str) -> Manifest | None:
    """None when nothing is published there (yet). Raises BadContent when it is not one of ours."""
    try:
        data, _ = await store.get_bytes(check_prefix(prefix) + MANIFEST)
    except NotFound:
        return None
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        raise BadContent(
            f"{prefix}{MANIFEST} is not a manifest of ours: publish that checkpoint anew"
        ) from error


async def read_marker(store: ObjectStore, prefix: str) -> Marker | None:
    """None when the prefix is not ours."""
    return await read_marker_at(store, check_prefix(prefix) + MARKER, of=check_prefix(prefix))


async def read_marker_at(store: ObjectStore, name: str, *, of: str) -> Marker | None:
    """The marker `name`, if it speaks of `of`."""
    try:
        data, _ = await store.get_bytes(name)
        marker = Marker.model_validate_json(data)
    except (NotFound, ValidationError):
        return None
    return marker if marker.path == of else None
