"""The bucket: where data sets and checkpoints live, in GCS or in a folder, behind one interface.

Reads anywhere in the configured bucket, writes under `checkpoints/` only.
"""

from bot.shell.bucket.adopting import adopt
from bot.shell.bucket.manifest import Manifest, Meta, read_manifest
from bot.shell.bucket.names import BucketUrl
from bot.shell.bucket.opening import open_bucket
from bot.shell.bucket.placing import Placed
from bot.shell.bucket.probing import Finding, probe
from bot.shell.bucket.publish import (
    Published,
    publish_best,
    publish_checkpoint,
    publish_curve,
    publish_flat_best,
)
from bot.shell.bucket.shelf import Listed, fetch_checkpoint, list_checkpoints, unpublish, verify
from bot.shell.bucket.store import Obj, ObjectStore, Progress
from bot.shell.bucket.trees import Fetched, fetch_dataset, read_text, settle

__all__ = [
    "BucketUrl",
    "Fetched",
    "Finding",
    "Listed",
    "Manifest",
    "Meta",
    "Obj",
    "ObjectStore",
    "Placed",
    "Progress",
    "Published",
    "adopt",
    "fetch_checkpoint",
    "fetch_dataset",
    "list_checkpoints",
    "open_bucket",
    "probe",
    "publish_best",
    "publish_checkpoint",
    "publish_curve",
    "publish_flat_best",
    "read_manifest",
    "read_text",
    "settle",
    "unpublish",
    "verify",
]
