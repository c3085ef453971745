"""A cycle's beginning and its end."""

from datetime import datetime, timedelta

from bot.core.effects import Effect
from bot.core.events import HandedOn
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.saying import endings
from bot.core.state import (
    Awaited,
    Cycle,
    Ended,
    Finished,
    LessonHeard,
    State,
    Terms,
    Unread,
    Unstarted,
    Waiting,
    expected_job,
    is_under_way,
)
from bot.core.tracks import device, terms
from protocol import paths
from protocol.messages import Handoff, Lesson


def next_number(state: State) -> int:
    """The number of a cycle nobody numbered: one more than the last."""
    known = [one.number for one in state.finished]
    return max(known, default=0) + 1


def begin(state: State, number: int, at: datetime, policy: Policy) -> tuple[State, Cycle, tuple[Effect, ...]]:
    """Open cycle `number` with whatever lessons were carried over, and look for its terms."""
    opened = Cycle(
        number=number,
        opened_at=at,
        run_name=f"cycle{number:02d}-{at:%Y%m%dT%H%M%S}",
        device=device.unproven(policy),
        data=Awaited(since=at),
        terms=Unread(heard=state.carried, since=at),
        last=state.finished[-1].config if state.finished else None,
        last_best=_newest_best(state),
        last_certificate=_last_certificate(state),
    )
    cycle, orders = terms.look(opened)
    due = at + timedelta(seconds=policy.report_every_s)
    return now(state, cycle=cycle, carried=(), report_due_at=due), cycle, orders


def _newest_best(state: State) -> str:
    """The best checkpoint of the last cycle that came to its DONE, by its place in the bucket; or nothing."""
    done = [one.number for one in state.finished if one.done]
    return paths.act_best(done[-1]) if done else ""


def _last_certificate(state: State) -> str:
    """Of the data of the last cycle, if that came to its DONE."""
    last = state.finished[-1] if state.finished else None
    return last.certificate if last and last.done else ""


def lessons_of(handoff_lessons: tuple[Lesson, ...], source: str) -> tuple[LessonHeard, ...]:
    return tuple(LessonHeard(lesson=lesson, rank="order", source=source) for lesson in handoff_lessons)


def finish(state: State, event: HandedOn, policy: Policy) -> Step:
    """Everything is in the bucket: DONE to Watcher, HANDOFF to Evaluation, and the cycle is over."""
    cycle = state.cycle
    if cycle is None or cycle.number != event.cycle or not isinstance(cycle.run, Ended):
        return state, ()
    last_words = say(
        endings.done(cycle, cycle.run.outcome, policy),
        endings.final_handoff(cycle, cycle.run.outcome, event.manifest, policy),
    )
    return remembered(state, cycle, done=True, policy=policy), last_words


def stands_still(state: State) -> bool:
    """Is nothing at work for the open cycle, and will nothing be before somebody acts?"""
    cycle = state.cycle
    return cycle is not None and not is_under_way(cycle.run) and expected_job(state) is None


def abandon(state: State, cycle: Cycle, by: str, policy: Policy) -> Step:
    """It ends without a DONE, so that the next one can begin. What Watcher told a cycle that never trained is
    the next one's."""
    unheeded = _told(cycle.terms) if isinstance(cycle.run, Unstarted) else ()
    carrying = now(state, carried=(*state.carried, *unheeded))
    return remembered(carrying, cycle, done=False, policy=policy), say(endings.abandoned(cycle, by, policy))


def _told(terms: Terms) -> tuple[LessonHeard, ...]:
    heard = terms.heard if isinstance(terms, Unread) else tuple(entry.heard for entry in terms.ledger)
    return tuple(one for one in heard if one.rank == "order")


def remembered(state: State, cycle: Cycle, *, done: bool, policy: Policy) -> State:
    over = Finished(
        number=cycle.number,
        done=done,
        source="" if isinstance(cycle.data, Awaited) else cycle.data.source,
        certificate=getattr(cycle.data, "certificate", ""),
        config=policy.defaults if isinstance(cycle.terms, Unread) else cycle.terms.config,
    )
    return now(state, cycle=None, report_due_at=None, finished=(*state.finished, over))


def queued(state: State, waiting: Waiting) -> State:
    """Behind what waits; what says nothing that is not in the queue already keeps its place."""
    known = any(_asks(one.handoff) == _asks(waiting.handoff) for one in state.queue)
    return state if known else now(state, queue=(*state.queue, waiting))


def place_in_queue(state: State, number: int) -> int:
    """Of a cycle that waits, from 1: Developer's half and Watcher's wait at one place."""
    return 1 + list(dict.fromkeys(one.handoff.cycle for one in state.queue)).index(number)


def next_in_queue(state: State) -> tuple[State, tuple[Waiting, ...]]:
    """All that was handed over of the cycle that waits first, and the state without it."""
    number = state.queue[0].handoff.cycle
    halves = tuple(one for one in state.queue if one.handoff.cycle == number)
    return now(state, queue=tuple(one for one in state.queue if one not in halves)), halves


def _asks(handoff: Handoff) -> tuple[object, ...]:
    return handoff.cycle, handoff.data, handoff.episodes, handoff.lessons
