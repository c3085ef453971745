"""From the configured URL to a store. GCS and its client are imported only where they are used."""

import os
from pathlib import Path

from bot.shell.bucket.errors import NotFound, StoreError
from bot.shell.bucket.folder import FolderStore
from bot.shell.bucket.names import BucketUrl
from bot.shell.bucket.store import ObjectStore

EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"


def open_bucket(url: str | BucketUrl, *, emulator: str = "") -> ObjectStore:
    """The bucket at `gs://NAME` or in the folder `file:///…`. Call it inside the running event loop.

    `emulator` is the root URL of a stand-in for GCS that asks for no credentials, for tests only.

    Raises:
        BadName: `url` is no bucket.
        NotFound: there is no such folder.
        StoreError: STORAGE_EMULATOR_HOST is set, which would send data there without credentials.
    """
    bucket = url if isinstance(url, BucketUrl) else BucketUrl.parse(url)
    if bucket.scheme == "file":
        if not Path(bucket.root).is_dir():
            raise NotFound(f"{bucket.root} is no folder: create it, or correct BUCKET")
        folder = FolderStore(Path(bucket.root))
        folder.sweep()
        return folder
    if os.environ.get(EMULATOR_VARIABLE, emulator) != emulator:
        raise StoreError(
            f"{EMULATOR_VARIABLE} is set: unset it, or the data would go there, not to {bucket.url()}"
        )
    from bot.shell.bucket.gcs import GcsStore  # noqa: PLC0415 - 20 MB that a folder does not need
    from bot.shell.bucket.wire import Pace, Wire  # noqa: PLC0415

    return GcsStore(Wire(bucket.root, Pace(), emulator))
