"""Small disks of our own, seen by nobody else: tmpfs in a mount namespace that ends with this process.

Full means shrunk to what lies on it: that costs no memory, and nothing on it is touched.
"""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOMY = "6g"
"""Only what is written takes memory."""
TRIES = 20
_PAGE = os.sysconf("SC_PAGE_SIZE")


class NoDisks(Exception):
    """This machine does not let us mount; the message says why."""


def set_apart() -> None:
    """Mounts of this process and its children are their own from now on. Needs a process of one thread.

    Raises:
        NoDisks: neither root's way nor that of an ordinary user is open here.
    """
    try:
        os.unshare(os.CLONE_NEWNS)
    except PermissionError:
        _as_our_own_root()
    _run("mount", "--make-rprivate", "/")


@dataclass(frozen=True, slots=True)
class Disk:
    """What is mounted at `place`."""

    place: Path

    @classmethod
    def mount(cls, place: Path) -> "Disk":
        """Raises NoDisks."""
        place.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={ROOMY},mode=700", "claw-drill", str(place))
        return cls(place)

    def fill(self) -> None:
        """Not a page is left; who writes just then is given another try."""
        for _ in range(TRIES):
            seen = os.statvfs(self.place)
            used = max(_PAGE, (seen.f_blocks - seen.f_bfree) * seen.f_frsize)
            with suppress(NoDisks):
                self._resize(str(used))
                return

    def empty(self) -> None:
        """There is room again."""
        self._resize(ROOMY)

    def leave(self) -> None:
        """Everything on it is gone; who still has a file open there keeps it that long."""
        with suppress(NoDisks):
            _run("umount", "--lazy", str(self.place))

    def _resize(self, size: str) -> None:
        _run("mount", "-o", f"remount,size={size}", str(self.place))


def _as_our_own_root() -> None:
    """An ordinary user is root of a namespace of his own, where the system lets him (user_namespaces(7))."""
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    except OSError as error:
        raise NoDisks(f"no disks of our own can be mounted: {error.strerror}") from None


def _run(*command: str) -> None:
    """Raises NoDisks."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NoDisks(f"{command[0]} is not installed") from error
    if ran.returncode != 0:
        raise NoDisks((ran.stderr or ran.stdout).strip().splitlines()[-1])
