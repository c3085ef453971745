"""What stands still until somebody acts: the first thing that whoever looks must see, and the way out."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.state import (
    Absent,
    Admitted,
    Cycle,
    Held,
    Refused,
    Settled,
    Stopping,
    Unread,
    Unstarted,
    WeightsMissing,
    would_repeat,
)


def halted(cycle: Cycle, zone: ZoneInfo | None = None) -> str | None:
    """One line; None: it goes on by itself. With a `zone` it says since when somebody stopped it."""
    match cycle.run:
        case Stopping(by=by, since=since):
            return f"중지하는 중 ({_whose(by, since, zone)}): 저장 후 종료, `!resume`으로 재개"
        case Held(cause="operator", why=by, since=since):
            return f"중지됨 ({_whose(by, since, zone)}): `!resume`으로 재개"
        case Held(why=why):
            return _blocked(why, "조치 후 `!retry`")
        case Unstarted():
            return _before_the_run(cycle)
        case _:
            return None


def _before_the_run(cycle: Cycle) -> str | None:
    match cycle.device, cycle.data, cycle.terms:
        case Absent(why=why), _, _:
            return _blocked(why, "조치 후 `!retry`")
        case _, Refused(why=why), _:
            return _blocked(_all(why) or "데이터 검증 실패", "새 데이터 HANDOFF 또는 `!retry`")
        case _, _, Unread(broken=broken) if broken:
            return _blocked(f"PLAN.md 오류: {_all(broken)}", "고친 뒤 `!retry`")
        case _, Admitted(), Settled():
            return _before_the_start(cycle)
        case _:
            return None


def _before_the_start(cycle: Cycle) -> str | None:
    match cycle.weights:
        case WeightsMissing(why=why):
            return _blocked(why, "다른 start_from 또는 `!retry`")
        case _ if would_repeat(cycle):
            return _blocked("지난 cycle과 같은 데이터와 설정", "새 데이터나 레슨런, 또는 `!resume`")
        case _ if cycle.on_hold:
            return f"중지됨 ({', '.join(_who(by) for by in cycle.on_hold)}): `!resume`으로 시작"
        case _:
            return None


def _blocked(what: str, way_out: str) -> str:
    return f"BLOCKED: {what} → {way_out}"


def _all(problems: tuple[str, ...]) -> str:
    """The first, and how many more."""
    more = f" (외 {len(problems) - 1}건)" if len(problems) > 1 else ""
    return f"{problems[0]}{more}" if problems else ""


def _whose(by: str, since: datetime, zone: ZoneInfo | None) -> str:
    return f"{_who(by)}, {since.astimezone(zone):%H:%M}" if zone else _who(by)


def _who(by: str) -> str:
    """An operator's id says nothing to people.

    >>> _who("operator 300000000000000001")
    'operator'
    """
    return by.partition(" ")[0]
