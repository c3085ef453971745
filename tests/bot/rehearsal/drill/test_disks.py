"""Small disks of our own, in a process of their own: this one keeps its mounts."""

import subprocess
import sys
from pathlib import Path

import pytest

FILL = """
import errno, sys
from pathlib import Path
from bot.rehearsal.drill.disks import Disk, NoDisks, set_apart

place = Path(sys.argv[1])
try:
    set_apart()
    disk = Disk.mount(place)
except NoDisks as error:
    sys.exit(f"SKIP {error}")
(place / "kept").write_bytes(b"k" * 100_000)
disk.fill()
try:
    (place / "more").write_bytes(b"m" * 1_000_000)
except OSError as error:
    print(errno.errorcode[error.errno])
disk.empty()
(place / "more").write_bytes(b"m" * 1_000_000)
print((place / "kept").read_bytes() == b"k" * 100_000)
disk.leave()
"""


def test_a_full_disk_refuses_and_keeps_and_nobody_else_sees_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FILL, str(tmp_path / "disk")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.stderr.startswith("SKIP"):
        pytest.skip(ran.stderr.strip())
    assert ran.stdout.split() == ["ENOSPC", "True"], ran.stderr
    assert list((tmp_path / "disk").iterdir()) == [], "the mount is gone with its process"
