"""Files that strangers wrote, read with care: regular ones only, no more than fits, JSON that says one thing.

Reading never waits: a named pipe among the files would otherwise hold a check up for ever.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any

MAX_METADATA_BYTES = 4 * 2**20
MAX_ROWS_BYTES = 256 * 2**20
MAX_LINE_BYTES = 2**16
"""An episode of an hour has rows of 25 MB; a row of ten joints has 500 bytes."""

BOM = b"\xef\xbb\xbf"


class Damaged(Exception):
    """What is read is not what it should be. The reason is Korean, for the verdict."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


def read_whole(path: Path, limit_bytes: int) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: it is not there, cannot be read.
        Damaged: it is no regular file, or larger than `limit_bytes`.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Damaged("일반 파일이 아님")
        if found.st_size > limit_bytes:
            raise Damaged(f"너무 큼, {found.st_size}바이트, 최대 {limit_bytes}바이트")
        return file.read(limit_bytes)


def read_json(content: bytes | str) -> Any:
    """Like `json.loads`, but a key said twice, a byte order mark and bottomless nesting are damage too."""
    try:
        text = content if isinstance(content, str) else _text_of(content)
        return DECODER.decode(text)
    except (ValueError, RecursionError):
        raise Damaged("JSON이 아님") from None


def _text_of(content: bytes) -> str:
    if content.startswith(BOM):
        raise Damaged("UTF-8 BOM으로 시작함")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Damaged("UTF-8이 아님") from None


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Damaged(f"키 중복 ({twice[:40]})")
    return found


DECODER = json.JSONDecoder(object_pairs_hook=_each_key_once)
"""Made once: making it takes as long as reading a row."""
