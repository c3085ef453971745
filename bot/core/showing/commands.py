"""What an operator may ask behind a `!`, a peer in its own words: what each command shows."""

from collections.abc import Callable
from datetime import datetime

from bot.core.events import Gauges
from bot.core.policy import Policy
from bot.core.showing.checkpoints import checkpoints
from bot.core.showing.lessons import config, lessons
from bot.core.showing.status import status
from bot.core.state import State

View = Callable[[State, Gauges, datetime, Policy], str]

WHAT_WE_UNDERSTAND = (
    "이해하는 것: [HANDOFF], 레슨런, [APPROVE]/[REJECT] <hash>, stop/resume/retry, "
    "상태·레슨런·checkpoint·config 질문"
)
WHAT_OPERATORS_SAY = f"{WHAT_WE_UNDERSTAND}\n`!help`로 명령 목록을 봅니다."


def queue(state: State, _: Gauges, __: datetime, ___: Policy) -> str:
    lines = [f"{n}. Cycle {one.handoff.cycle}: {one.handoff.data}" for n, one in enumerate(state.queue, 1)]
    return "\n".join(lines) or "대기열이 비어 있습니다."


def help_(state: State, gauges: Gauges, at: datetime, policy: Policy) -> str:  # noqa: ARG001
    return "\n".join(f"`!{name}` {what}" for name, what in available(policy).items())


READS: dict[str, View] = {
    "status": status,
    "help": help_,
    "queue": queue,
    "lessons": lessons,
    "config": config,
    "checkpoints": checkpoints,
    "plot": status,
}
"""What an operator's `!` shows. All of it is answered at once, without waiting for the trainer."""

SHOWN = frozenset({"status", "plot"})
"""Answers that come with the loss curve."""

WHAT_COMMANDS_DO = {
    "status": "지금 하는 일",
    "queue": "기다리는 HANDOFF",
    "lessons": "레슨런과 처리 상태",
    "config": "설정과 출처",
    "checkpoints": "checkpoint와 업로드 상태",
    "plot": "학습 곡선",
    "logs": "최근 기록 (`!logs 20`: 20줄)",
    "stop": "저장하고 멈춤",
    "resume": "이어서 학습",
    "retry": "막힌 일을 다시 시도",
    "abandon": "올릴 수 없는 checkpoint를 포기 (`!abandon 50`, `!abandon best`), "
    "멈춘 cycle을 끝냄 (`!abandon cycle`)",
    "help": "이 목록",
}

DELEGATED = {"approve": "제안 승인 (위임)", "reject": "제안 반려 (위임)"}
"""Watcher's right; an operator has it where the settings say so."""


def available(policy: Policy) -> dict[str, str]:
    """Every command an operator may give: `!`, slash commands and help are drawn from it."""
    return WHAT_COMMANDS_DO | (DELEGATED if policy.operators_may_approve else {})


def told(about: str, state: State, gauges: Gauges, at: datetime, policy: Policy) -> str:
    """A peer's question gets the operators' answer; anything else, one line on what we understand."""
    return READS[about](state, gauges, at, policy) if about in READS else WHAT_WE_UNDERSTAND
