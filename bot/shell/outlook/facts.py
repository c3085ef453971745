"""What a look comes to, as one object: `status --json`, /healthz and /metrics all say the same."""

from datetime import datetime
from typing import Any

from bot.core.events import PutOff
from bot.core.showing import disk
from bot.core.showing.halted import halted
from bot.core.showing.headline import headline
from bot.core.state import Cycle
from bot.shell.outlook.looking import Look

type Facts = dict[str, Any]


def facts(seen: Look) -> Facts:
    """Times are ISO 8601 in UTC, `*_s` seconds, `*_bytes` bytes; None where there is nothing to say."""
    stepped = seen.gauges.stepped
    return {
        "at": seen.at.isoformat(),
        "daemon": "runs" if seen.daemon_runs else "stopped",
        "blocked": seen.state.cycle and halted(seen.state.cycle),
        "headline": headline(seen.state, seen.gauges),
        "process": seen.process,
        "cycle": seen.state.cycle and _cycle(seen.state.cycle),
        "queue": len(seen.state.queue),
        "report_due_at": seen.state.report_due_at and seen.state.report_due_at.isoformat(),
        "sightings": [one.model_dump(mode="json") for one in seen.state.sightings],
        "stepped": stepped and stepped.model_dump(mode="json"),
        "stepped_ago_s": stepped and _ago_s(stepped.at, seen.at),
        "owed": {
            "messages": seen.backlog.parts,
            "effects": seen.backlog.effects,
            "parked": seen.backlog.parked,
            "message_waits_s": _ago_s(seen.waits.message_since, seen.at),
            "upload_waits_s": _ago_s(seen.waits.upload_since, seen.at),
            "put_off": [_put_off(one) for one in seen.gauges.put_off],
        },
        "disk": {
            "free_bytes": seen.disk[0],
            "total_bytes": seen.disk[1],
            "full": disk.is_full(seen.disk),
        },
    }


def at(told: Facts, path: str) -> Any:
    """The fact at a path of names with dots between; None where there is none.

    >>> at({"stepped": {"gpu": None}}, "stepped.gpu.used_bytes")
    """
    found: Any = told
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return found  # pyright: ignore[reportUnknownVariableType]


def _cycle(cycle: Cycle) -> Facts:
    return {
        "number": cycle.number,
        "run": cycle.run_name,
        "phases": {"data": cycle.data.phase, "terms": cycle.terms.phase, "run": cycle.run.phase},
        "checkpoints": [one.model_dump(mode="json") for one in cycle.shelf.checkpoints],
        "proposal": cycle.proposal and cycle.proposal.hash,
        "on_hold": list(cycle.on_hold),
    }


def _put_off(one: PutOff) -> Facts:
    return {"what": one.what, "why": one.why, "again_at": one.again_at and one.again_at.isoformat()}


def _ago_s(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
