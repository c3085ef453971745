"""Only one program works in a state folder at a time: two daemons would answer everything twice."""

import contextlib
import fcntl
import os
from collections.abc import Generator

from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places


class Taken(Fatal):
    """Somebody else works in the folder."""


@contextlib.contextmanager
def alone(places: Places) -> Generator[None]:
    """Hold the folder's lock.

    Raises:
        Taken: somebody else works in it.
        Fatal: it cannot be used.
    """
    try:
        places.path.mkdir(parents=True, exist_ok=True)
        lock = places.lock.open("w")
        if os.geteuid() == 0:  # what root leaves must not keep the daemon's user out
            os.chown(places.lock, places.path.stat().st_uid, places.path.stat().st_gid)
    except OSError as error:
        raise Fatal(
            f"STATE_DIR {places.path} cannot be used: {error.strerror}; correct it or its owner"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(f"another daemon works in STATE_DIR {places.path}; stop it first") from None
        yield
