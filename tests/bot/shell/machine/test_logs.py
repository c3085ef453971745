"""What a log line looks like, in the journal and elsewhere: a process of its own each time."""

import doctest
import json
import os
import subprocess
import sys

import pytest

from bot.shell.machine import journal

TALKS = """
import logging, structlog
from datetime import UTC, datetime
from bot.shell.machine.logs import set_up_logs
set_up_logs("a.secret")
log = structlog.stdlib.get_logger("test")
log.info("heard", heard_at=datetime(2026, 3, 1, tzinfo=UTC))
log.warning("a.secret is out")
logging.getLogger("discord").error("a library speaks")
log.error("two\\nlines")
"""


def lines(*, journal_reads: bool) -> list[str]:
    """What stderr was told."""
    reading, writing = os.pipe()
    there = os.fstat(writing)
    stream = f"{there.st_dev}:{there.st_ino}" if journal_reads else "8:1"
    with os.fdopen(reading) as out:
        subprocess.run(
            [sys.executable, "-c", TALKS],
            stderr=writing,
            env=os.environ | {"JOURNAL_STREAM": stream},
            check=True,
        )
        os.close(writing)
        return out.read().splitlines()


@pytest.mark.parametrize("journal_reads", [True, False], ids=["journal", "file"])
def test_each_line_has_its_priority_for_the_journal_alone(journal_reads: bool) -> None:
    said = lines(journal_reads=journal_reads)
    marks = [line.partition("{")[0] for line in said]
    assert marks == (["<6>", "<4>", "<3>", "<3>"] if journal_reads else [""] * 4)
    told = [json.loads(line[line.index("{") :]) for line in said]
    assert [one["level"] for one in told] == ["info", "warning", "error", "error"]


def test_a_time_is_a_time_and_a_secret_is_none() -> None:
    heard, out, *_ = (json.loads(line) for line in lines(journal_reads=False))
    assert heard["heard_at"] == "2026-03-01T00:00:00+00:00"
    assert out["event"] == "*** is out"


def test_last_words_are_errors_for_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert journal.complaint("no token") == "no token"
    there = os.fstat(journal.STDERR)
    monkeypatch.setenv("JOURNAL_STREAM", f"{there.st_dev}:{there.st_ino}")
    assert journal.complaint("no token") == "<3>no token"


def test_the_examples_hold() -> None:
    assert doctest.testmod(journal).failed == 0
