"""The journal's own word for how bad a line is, where stderr leads to it: sd-daemon(3), systemd.exec(5)."""

import os
from collections.abc import Mapping

PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
STDERR = 2


def is_read(environ: Mapping[str, str], descriptor: int = STDERR) -> bool:
    """Does the journal read what is written to `descriptor`? Children inherit JOURNAL_STREAM: compared."""
    try:
        there = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


def marked(text: str, level: str) -> str:
    """`text` as the journal files it under `level`, each of its lines.

    >>> marked("no token\\nno channel", "error")
    '<3>no token\\n<3>no channel'
    """
    mark = f"<{PRIORITIES.get(level, PRIORITIES['info'])}>"
    return "\n".join(mark + line for line in text.split("\n"))


def complaint(text: str) -> str:
    """The last words of a command on stderr: what `journalctl -p err` has to show."""
    return marked(text, "error") if is_read(os.environ) else text
