"""What an object may be called, where we may write, and how a bucket's URL is read.

Object names follow https://cloud.google.com/storage/docs/objects#naming, less everything that could
leave a folder once the name becomes a local path.
"""

import posixpath
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

from bot.shell.bucket.errors import BadName, WriteDenied
from protocol.paths import CHECKPOINTS

WRITABLE = CHECKPOINTS
"""The only place in the bucket this program writes to or deletes from."""

PLACES = ("checkpoints", "dataset", "lessons", "ssot")
"""What lies at the top of a bucket of ours."""

MAX_NAME_BYTES = 1024

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\\]")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


def check_name(name: str) -> str:
    """`name`, if an object of ours may be called so.

    Raises:
        BadName: empty, too long, absolute, or with an empty, `.` or `..` part, a backslash or a control
            character in it.
    """
    fault = _fault_of(name)
    if fault:
        raise BadName(f"object name {name!r} is refused: {fault}; rename it in the bucket")
    return name


def check_prefix(prefix: str) -> str:
    """`prefix` with its closing `/`; empty for the whole bucket. Raises BadName as check_name does."""
    return f"{check_name(prefix.removesuffix('/'))}/" if prefix else ""


def check_writable(name: str) -> str:
    """`name`, if it lies where we write.

    Raises:
        BadName: see check_name.
        WriteDenied: it lies anywhere else.
    """
    if not check_name(name).startswith(WRITABLE):
        raise WriteDenied(f"{name} is not ours to write: this program writes under {WRITABLE} only")
    return name


def is_nameable(prefix: str) -> bool:
    """May anything of ours lie under `prefix`? In GCS others may call theirs what they like: `a//`."""
    return not _fault_of(prefix.removesuffix("/"))


def local_path(folder: Path, name: str) -> Path:
    """Where the object `name` (relative to what `folder` mirrors) lies on disk. Raises BadName."""
    return folder.joinpath(*check_name(name).split("/"))


def check_kind(path: Path) -> None:
    """Raises BadName: at `path` is a pipe, say, or a device. Who opens one may wait for ever."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # whoever opens it says so
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise BadName(f"{path} is neither a file nor a folder: take it out of there")


def _fault_of(name: str) -> str:
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "it is not UTF-8"
    if not name:
        return "it is empty"
    if length > MAX_NAME_BYTES:
        return f"it is longer than {MAX_NAME_BYTES} bytes"
    if _UNPRINTABLE.search(name):
        return "it holds a backslash or a control character"
    if {"", ".", ".."} & set(name.split("/")):
        return "it has an empty, '.' or '..' part"
    return ""


@dataclass(frozen=True, slots=True)
class BucketUrl:
    """The configured bucket: `gs://NAME`, or a folder as `file:///absolute/path`.

    >>> BucketUrl.parse("gs://ralphton-handoff/").locate("gs://ralphton-handoff/dataset/")
    'dataset/'
    """

    scheme: Literal["gs", "file"]
    root: str
    """The bucket's name, or the folder's absolute path without a closing `/`."""

    @classmethod
    def parse(cls, text: str) -> "BucketUrl":
        """Raises BadName unless `text` is a whole bucket, not a place in one."""
        scheme, separator, rest = text.strip().partition("://")
        if separator and scheme == "gs" and _BUCKET.fullmatch(rest.removesuffix("/")):
            return cls("gs", rest.removesuffix("/"))
        folder = posixpath.normpath(unquote(rest.removeprefix("localhost")))
        if separator and scheme == "file" and folder.startswith("/") and folder != "/":
            return cls("file", folder)
        raise BadName(f"{text!r} is no bucket: write gs://NAME or file:///absolute/folder")

    @classmethod
    def split(cls, text: str) -> "tuple[BucketUrl, str]":
        """The bucket a whole URL lies in, and the name there; see `locate`.

        A folder's URL does not say where the bucket ends: it is taken to end before one of the places that
        a bucket of ours has. Raises BadName.

        >>> BucketUrl.split("file:///srv/bucket/checkpoints/act_best/")[1]
        'checkpoints/act_best/'
        """
        scheme, separator, rest = text.strip().partition("://")
        if not separator:
            raise BadName(
                f"{text!r} does not name its bucket: write gs://NAME/{text.lstrip('/')}, or set BUCKET"
            )
        parts = rest.split("/")
        inside = [number for number, part in enumerate(parts) if part in PLACES and number]
        end = 1 if scheme == "gs" else min(inside, default=len(parts))
        bucket = cls.parse(f"{scheme}://{'/'.join(parts[:end])}")
        return bucket, bucket.locate(text)

    def locate(self, text: str) -> str:
        """The object name or prefix that `text` means: a URL in this bucket, or a path relative to it.

        A closing `/` is kept; the whole bucket is "".

        Raises:
            BadName: it lies in another bucket, or is no name an object may have.
        """
        name = self._inside(text.strip())
        return name if not name else check_name(name.removesuffix("/")) + "/" * name.endswith("/")

    def url(self, name: str = "") -> str:
        """How people are told the place: `gs://NAME/dataset/`."""
        return (
            f"gs://{self.root}/{name}" if self.scheme == "gs" else f"file://{quote(self.root)}/{quote(name)}"
        )

    def _inside(self, text: str) -> str:
        scheme, separator, rest = text.partition("://")
        if not separator:
            return text
        path = unquote(rest.removeprefix("localhost")) if scheme == "file" else rest
        if scheme == self.scheme and path in (self.root, f"{self.root}/"):
            return ""
        if scheme == self.scheme and path.startswith(f"{self.root}/"):
            return path.removeprefix(f"{self.root}/")
        raise BadName(
            f"{text} lies outside the configured bucket {self.url()}: bring it there, or correct BUCKET"
        )
