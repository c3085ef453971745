"""Doing what the bot left word for: a supervisor starts us, and the bot cannot (see protocol.folders)."""

import sys
from pathlib import Path

from protocol.folders import WANTED, requested
from protocol.job import ExitCode
from trainer.process.attempt import Work, run_attempt


def take(runs: Path, work: Work) -> ExitCode:
    """Do, by `work`, the oldest job asked for in `runs/wanted/`, if there is one.

    Whatever comes of it, it is not asked for any more: a supervisor that finds the same request again would
    start us without end.
    """
    request = _oldest(runs / WANTED)
    if request is None:
        return ExitCode.DONE
    try:
        folder = requested(request)
    except ValueError:
        request.unlink()
        print(f"{request} names no attempt; removed", file=sys.stderr)
        return ExitCode.USAGE
    try:
        return run_attempt(folder.job, None, work, taken=lambda: request.unlink(missing_ok=True))
    finally:
        request.unlink(missing_ok=True)


def _oldest(wanted: Path) -> Path | None:
    """One that vanishes meanwhile was withdrawn."""
    aged: list[tuple[int, Path]] = []
    for request in wanted.glob("*"):
        try:
            aged.append((request.stat().st_mtime_ns, request))
        except FileNotFoundError:
            continue
    return min(aged)[1] if aged else None
