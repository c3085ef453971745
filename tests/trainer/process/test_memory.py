"""Freed memory stays ours: on glibc, which is what we run on."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, numpy
from trainer.process.memory import keep_what_was_freed
assert keep_what_was_freed()
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
numpy.ones(4_000_000)
before = faults()
for _ in range(10): numpy.ones(4_000_000)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_large_pieces_are_not_fetched_anew() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000, "each piece has 7,812 pages"
