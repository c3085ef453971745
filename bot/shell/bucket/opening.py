"""From the configured URL to a store. GCS and its client are imported only where they are used."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from bot.shell.bucket.errors import NotFound, StoreError
from bot.shell.bucket.folder import FolderStore
from bot.shell.bucket.names import BucketUrl
from bot.shell.bucket.store import ObjectStore

EMULATOR_VARIABLE = "STORAGE_EMULATOR_HOST"
KEY_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"

OF_A_USER = ("client_id", "client_secret", "refresh_token")
NEEDED = {
    "service_account": ("client_email", "private_key"),
    "authorized_user": OF_A_USER,
    "impersonated_service_account": ("service_account_impersonation_url", "source_credentials"),
    "external_account": ("audience", "credential_source", "subject_token_type", "token_url"),
}
"""What gcloud.aio.auth.Token reads of a key file without asking whether it is there, by type."""


def open_bucket(url: str | BucketUrl, *, emulator: str = "") -> ObjectStore:
    """The bucket at `gs://NAME` or in the folder `file:///…`. Call it inside the running event loop.

    `emulator` is the root URL of a stand-in for GCS that asks for no credentials, for tests only.

    Raises:
        BadName: `url` is no bucket.
        NotFound: there is no such folder.
        StoreError: STORAGE_EMULATOR_HOST is set, which would send data there without credentials; or
            GOOGLE_APPLICATION_CREDENTIALS names no key file.
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
    if not emulator:
        _look_at_key_file()
    from bot.shell.bucket.gcs import GcsStore  # noqa: PLC0415 - 20 MB that a folder does not need
    from bot.shell.bucket.wire import Pace, Wire  # noqa: PLC0415

    return GcsStore(Wire(bucket.root, Pace(), emulator))


def _look_at_key_file() -> None:
    """The library takes a file that is no JSON for none at all, and would go by the machine's own account.

    Raises:
        StoreError: one is named, and cannot be used.
    """
    from gcloud.aio.auth.token import Type  # noqa: PLC0415 - with GcsStore's 20 MB

    named = os.environ.get(KEY_VARIABLE)
    if not named:
        return
    remedy = "name a service account's key file, or unset it to go by the machine's own account"
    try:
        key = json.loads(Path(named).read_text(encoding="utf-8"))
        kind = Type(key["type"])
    except OSError as error:
        raise StoreError(f"{KEY_VARIABLE}: {named} cannot be read ({error.strerror}); {remedy}") from None
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{KEY_VARIABLE}: {named} is no key file of Google's; {remedy}") from None
    if missing := _missing(key, kind.value):
        raise StoreError(
            f"{KEY_VARIABLE}: {named} has no {', '.join(missing)}, which a {kind.value}'s key file needs; "
            "download it anew from Google"
        )
    if kind is Type.SERVICE_ACCOUNT and not _is_private_key(key["private_key"]):
        raise StoreError(
            f"{KEY_VARIABLE}: {named} has a private_key that is none in PEM; download it anew from Google"
        )


def _is_private_key(told: object) -> bool:
    """Whether tokens can be signed with it: the library would find out at its first request."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - with GcsStore's 20 MB
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        load_pem_private_key(str(told).encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _missing(key: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """
    >>> _missing({"source_credentials": {"client_id": "7"}}, "impersonated_service_account")[1]
    'source_credentials.client_secret'
    """
    fields = [(field, key.get(field)) for field in NEEDED.get(kind, ())]
    source: Any = dict(fields).get("source_credentials")
    if isinstance(source, dict):
        known = cast("dict[str, Any]", source)
        fields += [(f"source_credentials.{field}", known.get(field)) for field in OF_A_USER]
    return tuple(name for name, value in fields if not value)
