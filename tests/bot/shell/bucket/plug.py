"""Checkpoints saved on this machine, and plugs pulled while they are published."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from bot.shell.bucket import ObjectStore

from .workbench import Bench

WEIGHTS = "pretrained_model/model.safetensors"

type Save = Callable[..., Path]
"""Saves a checkpoint: `save(mark, **more)`; `mark` makes its content one of a kind."""


class PlugPulledError(Exception):
    """The process ends here."""


class Interrupted:
    """A store whose plug is pulled at its n-th write."""

    WRITES = frozenset({"put_bytes", "put_file", "copy", "delete"})

    def __init__(self, store: ObjectStore, writes: int) -> None:
        self._store = store
        self.writes_left = writes

    def __getattr__(self, name: str) -> Any:
        if name in self.WRITES:
            if not self.writes_left:
                raise PlugPulledError
            self.writes_left -= 1
        return getattr(self._store, name)


def interrupted_after(writes: int, bench: Bench) -> ObjectStore:
    return cast("ObjectStore", Interrupted(bench.store, writes))
