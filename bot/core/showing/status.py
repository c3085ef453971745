"""`!status`: all of it that fits into one message, what waits for somebody first."""

from datetime import datetime

from bot.core.events import Gauges
from bot.core.policy import Policy
from bot.core.showing import checkpoints, disk, lessons, people, progress, put_off
from bot.core.showing.headline import first_line
from bot.core.state import State

NOTHING = "대기 중: 열린 cycle이 없습니다. HANDOFF를 기다립니다."


def status(state: State, gauges: Gauges, at: datetime, policy: Policy) -> str:
    cycle = state.cycle
    if cycle is None:
        queued = f"대기열: {len(state.queue)}개"
        return "\n".join(
            (
                *(*disk.no_room(gauges), NOTHING, queued, *put_off.line(gauges, at)),
                *(*disk.lines(gauges), *people.lines(state, at)),
            )
        )
    lines = [
        *disk.no_room(gauges),
        first_line(cycle, state, gauges, policy),
        *progress.training_lines(cycle, gauges, at),
        *checkpoints.in_short(cycle, policy),
        *progress.notes(cycle, gauges),
        *put_off.line(gauges, at),
        f"레슨런: {lessons.counted(cycle)}",
        *([f"승인 대기: {cycle.proposal.hash}"] if cycle.proposal else []),
        *([f"중지: {', '.join(cycle.on_hold)}"] if cycle.on_hold else []),
        *([f"대기열: {len(state.queue)}개"] if state.queue else []),
        *([f"다음 REPORT: {_in(state.report_due_at, at)} 후"] if state.report_due_at else []),
        *disk.lines(gauges),
        *people.lines(state, at),
    ]
    return "\n".join(lines)


def _in(moment: datetime, at: datetime) -> str:
    return progress.length(max(0.0, (moment - at).total_seconds()))
