"""A daemon without any memory, in a channel that remembers: a cycle that was never ended is asked about.

Nothing is guessed from what was said: Watcher hands over again, and the run goes on from the bucket.
"""

import re
from collections.abc import Iterable

from bot.core.events import CycleForgotten
from bot.core.moves import Step, declare
from bot.core.policy import Policy
from bot.core.state import State
from protocol.messages import CycleStopped, FinalHandoff, Question, Said, TrainingReport

_CYCLE = re.compile(r"Cycle: (\d+)")


def unfinished(said: Iterable[Said]) -> int | None:
    """The cycle that our own messages, the oldest first, tell of and do not end.

    >>> unfinished([])
    """
    cycle: int | None = None
    for message in said:
        match message:
            case FinalHandoff() | CycleStopped():  # DONE comes first: without a HANDOFF it is not over
                cycle = None
            case TrainingReport(notes=notes):
                found = (_CYCLE.fullmatch(note) for note in notes)
                cycle = next((int(one[1]) for one in found if one), cycle)
            case _:
                cycle = getattr(message, "cycle", cycle)
    return cycle


def asked(state: State, event: CycleForgotten, policy: Policy) -> Step:
    if state.cycle is not None or any(one.number == event.cycle for one in state.finished):
        return state, ()
    question = Question(
        to=(policy.roster.watcher,),
        question=f"이 장비에는 이전 기록이 없습니다. 채널 기록에 끝나지 않은 Cycle {event.cycle}이 있습니다.",
        how_to_answer=(
            f"Cycle {event.cycle} HANDOFF를 다시 보내 주세요 (Developer의 데이터 HANDOFF도 필요). "
            "설정과 데이터가 같으면 버킷의 마지막 checkpoint에서 이어서 학습합니다."
        ),
    )
    return state, declare(question)
