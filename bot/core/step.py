"""The one decision function. Pure: no clock, no I/O, no await.

`step` answers a single question: given what we know and what just happened, what do we know now, and what
must be done? An event goes to its track or tracks; then the joins fire; then what is said gets its reference.
"""

from bot.core import joins
from bot.core.channel import complaints, consent, forgotten, hearing, listening, sightings, strangers
from bot.core.effects import Effect, Post
from bot.core.events import (
    BestLost,
    BestPublished,
    BroughtBack,
    CheckpointForgotten,
    CheckpointLost,
    CheckpointPublished,
    CheckpointVerified,
    ClockJumped,
    CycleForgotten,
    DaemonWoke,
    DataFetched,
    Edited,
    Event,
    FetchFailed,
    Garbled,
    HandedOn,
    Heard,
    JobEnded,
    JobFellSilent,
    JobSpoke,
    LessonTranslated,
    PlanSeen,
    Reacted,
    RowsFetched,
    Sighted,
    Spoke,
    StrangerCommanded,
    TermsRead,
    TermsUnreadable,
    Ticked,
    WeightsFetched,
    WeightsRefused,
)
from bot.core.moves import Move, Step, now, say
from bot.core.policy import Policy
from bot.core.rhythm import cadence, jumps, ticks
from bot.core.saying import budget, restarts
from bot.core.state import Cycle, State
from bot.core.tracks import cycles, data, device, insights, left, plans, run, shelf, stall, terms, weights
from protocol.messages import ProposalPosted, Question, Said
from protocol.progress import Saved


def step(state: State, event: Event, policy: Policy) -> Step:
    """Decide. Never raises; an event that means nothing now changes nothing."""
    state, overdue = insights.due(state, event.at)
    after, effects = _taken(state, event, policy)
    if state.cycle is not None and after.cycle is None:
        after, effects = _over(after, effects, event, policy)
    after, more = _joined(cadence.hurried(after, event.at, policy), event)
    after, allowed = budget.kept(after, (*overdue, *effects, *more), event.at, policy)
    return _numbered(after, allowed)


def _taken(state: State, event: Event, policy: Policy) -> Step:
    match event:
        case DaemonWoke():
            return _woken(state, event, policy)
        case Ticked():
            return ticks.ticked(state, event, policy)
        case CycleForgotten():
            return forgotten.asked(state, event, policy)
        case ClockJumped():
            return jumps.jumped(state, event, policy)
        case Spoke() | Edited() | Heard() | Garbled() | Reacted() | Sighted() | StrangerCommanded():
            return _from_the_channel(state, event, policy)
        case CheckpointVerified():
            return complaints.verified(state, event, policy)
        case HandedOn():
            return cycles.finish(state, event, policy)
        case _ if state.cycle is None:
            return state, ()
        case _:
            cycle, effects = _told(state.cycle, event, policy)
            return now(state, cycle=cycle), effects


def _from_the_channel(
    state: State,
    event: Spoke | Edited | Heard | Garbled | Reacted | Sighted | StrangerCommanded,
    policy: Policy,
) -> Step:
    match event:
        case Spoke():
            return listening.spoke(state, event, policy)
        case Edited():
            return listening.edited(state, event, policy)
        case Heard():
            return hearing.heard(state, event, policy)
        case Garbled():
            return hearing.garbled(state, event, policy)
        case Reacted():
            return consent.reacted(state, event, policy)
        case Sighted():
            return sightings.sighted(state, event, policy)
        case _:
            return strangers.commanded(state, event)


def _told(cycle: Cycle, event: Event, policy: Policy) -> Move:
    """An event of the open cycle, to its track, or tracks. One of another cycle or run changes nothing."""
    match event:
        case (TermsRead() | TermsUnreadable() | LessonTranslated()) as of_terms if (
            of_terms.cycle == cycle.number
        ):
            return _read(cycle, of_terms, policy)
        case PlanSeen(cycle=cycle.number):
            return plans.seen(cycle, event, policy)
        case BroughtBack(cycle=cycle.number):
            return left.brought_back(cycle, event)
        case (
            RowsFetched() | DataFetched() | FetchFailed() | WeightsFetched() | WeightsRefused()
        ) as come if come.cycle == cycle.number:
            return _brought(cycle, come)
        case (
            CheckpointPublished() | BestPublished() | CheckpointLost() | BestLost() | CheckpointForgotten()
        ) as news if news.cycle == cycle.number:
            return _shelved(cycle, news, policy)
        case JobSpoke(run=cycle.run_name, line=Saved() as line):
            return shelf.saved(cycle, line)
        case JobSpoke(run=cycle.run_name):
            return run.spoke(cycle, event)
        case JobFellSilent(run=cycle.run_name):
            return stall.fell_silent(cycle, event)
        case JobEnded(run=cycle.run_name):
            return _job_ended(cycle, event, policy)
        case _:
            return cycle, ()


def _read(cycle: Cycle, event: TermsRead | TermsUnreadable | LessonTranslated, policy: Policy) -> Move:
    match event:
        case TermsRead():
            return terms.read(left.noticed(cycle, event), event, policy)
        case TermsUnreadable():
            return terms.unreadable(cycle, event)
        case _:
            return terms.translated(cycle, event, policy)


def _brought(
    cycle: Cycle, event: RowsFetched | DataFetched | FetchFailed | WeightsFetched | WeightsRefused
) -> Move:
    """What the bucket was asked for is here, in part or all of it, or will not come."""
    match event:
        case RowsFetched():
            return data.rows_fetched(cycle, event)
        case DataFetched():
            return data.fetched(cycle, event)
        case FetchFailed():
            return data.fetch_failed(cycle, event)
        case WeightsFetched():
            return weights.fetched(cycle, event)
        case _:
            return weights.refused(cycle, event)


def _shelved(
    cycle: Cycle,
    event: CheckpointPublished | BestPublished | CheckpointLost | BestLost | CheckpointForgotten,
    policy: Policy,
) -> Move:
    """What was to go up is in the bucket, is lost, or has gone from it."""
    match event:
        case CheckpointPublished():
            return shelf.checkpoint_published(cycle, event, policy)
        case BestPublished():
            return shelf.best_published(cycle, event)
        case CheckpointLost():
            return shelf.checkpoint_lost(cycle, event, policy)
        case BestLost():
            return shelf.best_lost(cycle, event, policy)
        case _:
            return shelf.checkpoint_forgotten(cycle, event)


def _job_ended(cycle: Cycle, event: JobEnded, policy: Policy) -> Move:
    after, of_device = device.job_ended(cycle, event, policy)
    after, of_data = data.job_ended(after, event, policy)
    after, untold = insights.told(after)
    after, of_run = run.ended(after, event, policy)
    return after, (*of_device, *of_data, *untold, *of_run)


def _woken(state: State, event: DaemonWoke, policy: Policy) -> Step:
    known = listening.woken(state if state.house else now(state, house=event.house), event)
    known = jumps.clamped(known, event.at, policy)
    known = sightings.reconsidered(known, policy)
    if known.cycle is None:
        return known, ()
    return known, say(restarts.of_the_daemon(known.cycle, event, policy))


def _over(state: State, effects: tuple[Effect, ...], event: Event, policy: Policy) -> Step:
    """The next cycle of the queue, once its forerunner is over, with both its halves if both wait."""
    while state.cycle is None and state.queue:
        state, halves = cycles.next_in_queue(state)
        for half in halves:
            state, more = hearing.take_handoff(state, half.handoff, half.author, event.at, policy)
            effects = (*effects, *more)
    return state, effects


def _joined(state: State, event: Event) -> Step:
    if state.cycle is None:
        return state, ()
    cycle, effects = joins.joined(state.cycle, event.at)
    return now(state, cycle=cycle), effects


def _numbered(state: State, effects: tuple[Effect, ...]) -> Step:
    """Give each message its reference, and remember by which references the open proposal goes."""
    numbered: list[Effect] = []
    for effect in effects:
        if not isinstance(effect, Post):
            numbered.append(effect)
            continue
        state = now(state, said=state.said + 1)
        message = effect.message.model_copy(update={"ref": f"{state.house}-{state.said}"})
        numbered.append(effect.model_copy(update={"message": message}))
        state = _carried_by(state, message)
    return state, tuple(numbered)


def _carried_by(state: State, message: Said) -> State:
    """The open proposal goes by its own message's reference, and by that of a question which names it."""
    cycle = state.cycle
    if cycle is None or cycle.proposal is None:
        return state
    match message:
        case ProposalPosted(hash=named) | Question(question=named) if cycle.proposal.hash in named:
            pass
        case _:
            return state
    proposal = now(cycle.proposal, refs=(*cycle.proposal.refs, message.ref))
    return now(state, cycle=now(cycle, proposal=proposal))
