"""When a process that may not be our child has ended."""

import asyncio
import os
from typing import Self

from bot.shell.supervising import launch
from protocol.folders import AttemptFolder


class Exit:
    """The end of the process in an attempt's lock. `happened` is set then, or if it is gone already.

    The lock may not say yet which process that is: `look` again.
    """

    def __init__(self, folder: AttemptFolder) -> None:
        self.happened = asyncio.Event()
        self._folder = folder
        self._process: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def look(self) -> None:
        if self._process is not None or self.happened.is_set():
            return
        who = launch.holder(self._folder)
        if who is None:
            return
        self._process = launch.open_process(who)
        if self._process is None:
            self.happened.set()
        else:
            asyncio.get_running_loop().add_reader(self._process, self._ended)

    def _ended(self) -> None:
        self.happened.set()
        self._close()

    def _close(self) -> None:
        if self._process is not None:
            asyncio.get_running_loop().remove_reader(self._process)
            os.close(self._process)
            self._process = None
