"""Only one program works in a state folder at a time: two daemons would answer everything twice."""

import contextlib
import fcntl
from collections.abc import Generator

from bot.shell.machine.fatal import Fatal
from bot.shell.machine.places import Places
from bot.shell.remembering.owner import give_to_its_folder_s


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
        give_to_its_folder_s(places.lock)
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
