"""What became of each lesson, and what the lessons made of the config."""

from datetime import datetime

from bot.core.events import Gauges
from bot.core.policy import Policy
from bot.core.state import Cycle, State, Unread
from protocol.training import TrainingConfig, diff

IN_KOREAN = {
    "applied": "적용",
    "proposed": "승인 대기",
    "rejected": "반려",
    "satisfied": "이미 충족",
    "not_ours": "해당 없음",
    "unclear": "질문함",
    "translating": "번역 중",
}
"""What became of a lesson, for people."""


def lessons(state: State, _: Gauges, __: datetime, ___: Policy) -> str:
    match state.cycle.terms if state.cycle else None:
        case None:
            lines = [f"- (다음 cycle) {one.lesson.text}" for one in state.carried]
        case Unread(heard=heard):
            lines = [f"- (판단 전) {one.lesson.text}" for one in heard]
        case terms:
            lines = [
                f"- [{IN_KOREAN[one.status]}] {one.heard.lesson.text} ({one.note})" for one in terms.ledger
            ]
    return "\n".join(lines) or "없음"


def counted(cycle: Cycle) -> str:
    if isinstance(cycle.terms, Unread):
        return f"{len(cycle.terms.heard)}개 (판단 전)"
    counts: dict[str, int] = {}
    for entry in cycle.terms.ledger:
        counts[entry.status] = counts.get(entry.status, 0) + 1
    return ", ".join(f"{IN_KOREAN[status]} {count}" for status, count in counts.items()) or "없음"


def config(state: State, _: Gauges, __: datetime, policy: Policy) -> str:
    """Each value that is not the card's, and on whose word."""
    if state.cycle is None or isinstance(state.cycle.terms, Unread):
        return f"기본 설정 ({policy.defaults.hash})"
    terms = state.cycle.terms
    changes = diff(TrainingConfig(), terms.config)
    lines = [f"{c.field}: {c.before} → {c.after} ({_source(state.cycle, c.field)})" for c in changes]
    return "\n".join([f"config {terms.config.hash}", *(lines or ["카드의 기본값 그대로"])])


def _source(cycle: Cycle, field: str) -> str:
    terms = cycle.terms
    assert not isinstance(terms, Unread), "the caller has looked"
    for entry in terms.ledger:
        if entry.status == "applied" and any(change.field == field for change in entry.changes):
            return f"{entry.approved_by}: {entry.heard.lesson.text}"
    return "PLAN.md" if field in terms.from_plan else "기본 설정"
