"""The bucket of a play, in a folder or in an embedded Google Cloud Storage."""

import hashlib
import os
import random
import re
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, Protocol

from bot.rehearsal.gcs import FakeGcs, served
from bot.rehearsal.stage import Stage
from bot.shell.bucket import ObjectStore, open_bucket

type Kind = Literal["folder", "gcs"]

HASHED = ("model.safetensors", "optimizer_state.safetensors")
PAGE = 100
BAD_DAYS = ("reset", "stall", 503)
"""How a service is away: nobody listens, nobody answers, or somebody says that nobody is there."""


class Vault(Protocol):
    """`url` is what the daemon's BUCKET says, `address` where a stand-in for GCS listens."""

    url: str
    address: str

    def take_away(self) -> str:
        """Make it unreachable. Returns in which way, for the book."""
        ...

    def bring_back(self) -> None: ...

    def names(self) -> Collection[str]:
        """The names of all objects in it, whether it can be reached or not."""
        ...

    def weights(self) -> Mapping[str, str]:
        """SHA-256 of whatever was learned and is left, by its path below `checkpoints/`."""
        ...


class Folder:
    """The bucket is a link, so that what it leads to can be taken away and brought back."""

    address = ""

    def __init__(self, stage: Stage) -> None:
        self.url = stage.bucket_url
        self._here = stage.bucket.resolve()
        self._away = stage.folder / "disk" / "away" / "bucket"

    def take_away(self) -> str:
        """What the daemon sees is a disk that was unmounted."""
        self._away.parent.mkdir(exist_ok=True)
        self._here.rename(self._away)
        return "not mounted"

    def bring_back(self) -> None:
        self._away.rename(self._here)

    def names(self) -> Collection[str]:
        root = self._here if self._here.is_dir() else self._away
        walk = os.walk(root)  # what goes away meanwhile is passed over
        files = (Path(folder, name) for folder, _, names in walk for name in names)
        return [file.relative_to(root).as_posix() for file in files]

    def weights(self) -> Mapping[str, str]:
        checkpoints = self._here / "checkpoints"
        files = sorted(path for name in HASHED for path in checkpoints.rglob(name))
        return {path.relative_to(checkpoints).as_posix(): _sha256(path) for path in files}


class Gcs:
    def __init__(self, fake: FakeGcs, dice: random.Random) -> None:
        self.url = f"gs://{fake.bucket}"
        self.address = fake.address
        self._fake = fake
        self._dice = dice

    def take_away(self) -> str:
        how = self._dice.choice(BAD_DAYS)
        self._fake.weather = lambda _: how
        return str(how)

    def bring_back(self) -> None:
        self._fake.weather = lambda _: ""

    def names(self) -> Collection[str]:
        return tuple(self._fake.objects)

    def weights(self) -> Mapping[str, str]:
        return {
            name.removeprefix("checkpoints/"): hashlib.sha256(stored.data).hexdigest()
            for name, stored in sorted(self._fake.objects.items())
            if name.startswith("checkpoints/") and name.rpartition("/")[2] in HASHED
        }


@asynccontextmanager
async def opened(kind: Kind, stage: Stage, dice: random.Random) -> AsyncGenerator[Vault]:
    """With all that lies on the stage's own bucket in it."""
    if kind == "folder":
        yield Folder(stage)
        return
    async with served(FakeGcs("drill", page=PAGE)) as fake:
        for path in (one for one in stage.bucket.resolve().rglob("*") if one.is_file()):
            fake.put(path.relative_to(stage.bucket.resolve()).as_posix(), path.read_bytes())
        yield Gcs(fake, dice)


def store_of(vault: Vault) -> ObjectStore:
    return open_bucket(vault.url, emulator=vault.address)


def witness(vault: Vault, text: str) -> Mapping[str, bool]:
    """Which of the bucket paths a message names are there now; an empty folder is not."""
    found = re.findall(rf"{re.escape(vault.url)}/[\w./%+-]*", text, re.ASCII)
    names = vault.names() if found else ()
    named = dict.fromkeys(url.rstrip(".") for url in found)
    return {url: _is_there(url.removeprefix(vault.url).strip("/"), names) for url in named}


def _is_there(path: str, names: Collection[str]) -> bool:
    return any(name == path or name.startswith(f"{path}/" if path else "") for name in names)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
