"""Only one program works in a state folder at a time: two daemons would answer everything twice."""

import contextlib
import fcntl
from collections.abc import Generator

from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places


@contextlib.contextmanager
def alone(places: Places) -> Generator[None]:
    """Hold the folder's lock.

    Raises:
        Fatal: it cannot be used, or somebody else works in it.
    """
    try:
        places.path.mkdir(parents=True, exist_ok=True)
        lock = places.lock.open("w")
    except OSError as error:
        raise Fatal(
            f"STATE_DIR {places.path} cannot be used: {error.strerror}; correct it or its owner"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Fatal(f"another daemon works in STATE_DIR {places.path}; stop it first") from None
        yield
