"""Memory: how this process keeps it, and how much there is."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""The parameters' numbers in glibc's malloc.h."""

LARGE = 1 << 30
MOST = (1 << 31) - 1

MEMINFO, OWN_GROUP, GROUPS = Path("/proc/meminfo"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def keep_what_was_freed() -> bool:
    """Whether glibc keeps freed memory for us from now on. It would give back any large piece, and fetch it
    page by page when it is wanted again: on a CPU that is a tenth of a small model's step."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(
        mallopt(what, most) for what, most in ((M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, MOST))
    )


def total_bytes() -> int:
    """What this process may take at most: all the machine has, or what its control groups allow."""
    return min([meminfo("MemTotal"), *(most for _, most in limits())])


def free_bytes() -> int:
    """What can be had without swapping (`man 5 proc`), and without reaching the limit of a control group:
    systemd's MemoryMax=, a container's --memory. Who reaches one is killed."""
    return min([meminfo("MemAvailable"), *(most - used(group) for group, most in limits())])


def meminfo(name: str) -> int:
    """A figure of /proc/meminfo, in bytes."""
    line = next(line for line in MEMINFO.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def limits() -> Iterator[tuple[Path, int]]:
    """The control groups this process is in, from its own upwards, and the bytes that each allows if it has a
    limit (version 2, https://docs.kernel.org/admin-guide/cgroup-v2.html)."""
    listed = OWN_GROUP.read_text().splitlines() if OWN_GROUP.is_file() else []
    own = next((line.removeprefix("0::/") for line in listed if line.startswith("0::/")), "")
    for group in (GROUPS / own, *(GROUPS / own).parents):
        most = group / "memory.max"
        said = most.read_text().strip() if group.is_relative_to(GROUPS) and most.is_file() else "max"
        if said != "max":
            yield group, int(said)


def used(group: Path) -> int:
    """Without the files' pages that the kernel would give up first."""
    figures = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return int((group / "memory.current").read_text()) - int(figures["inactive_file"])
