"""The run track: one training, however many processes it takes."""

from datetime import datetime, timedelta

from bot.core.effects import Effect, StartJob, StopJob
from bot.core.events import JobEnded, JobSpoke
from bot.core.moves import Move, declare, now, say
from bot.core.policy import Policy
from bot.core.saying import blocked, endings, restarts, starts
from bot.core.state import (
    Admitted,
    Cooling,
    Cycle,
    Ended,
    Held,
    Here,
    Stalled,
    Starting,
    Stopping,
    Training,
    Unread,
)
from bot.core.tracks import insights, ledger, mending
from protocol.job import Failed, Trained
from protocol.messages import BlockCause
from protocol.progress import Found, Started, Stepped
from protocol.training import TrainingConfig

type Alive = Starting | Training | Stalled
"""A process is there, and nobody wants it to leave for good."""


def start(cycle: Cycle, config: TrainingConfig, at: datetime, *, tries: int = 1, reached: int = 0) -> Move:
    """Order the next process of this run; it goes on from the newest good save by itself.

    `reached` is the number of epochs the process before had finished.
    """
    assert isinstance(cycle.data, Admitted), "nothing trains on unchecked data"
    assert not isinstance(cycle.terms, Unread), "nothing trains without terms"
    attempt = cycle.attempts + 1
    starting = Starting(attempt=attempt, tries=tries, config=config, reached=reached, since=at)
    order = StartJob(
        run=cycle.run_name,
        attempt=attempt,
        work="train",
        source=cycle.data.source,
        config=config,
        certificate=cycle.data.certificate,
        journal=ledger.journal(cycle.terms.ledger),
    )
    return now(cycle, run=starting, attempts=attempt), (order,)


def stop(cycle: Cycle, by: str, at: datetime, policy: Policy, asker: int | None = None) -> Move:
    """Save and leave. What is not running yet will not start. `asker`: an operator."""
    held = now(cycle, on_hold=(*cycle.on_hold, by)) if by not in cycle.on_hold else cycle
    match cycle.run:
        case (
            Starting(attempt=attempt, config=config)
            | Training(attempt=attempt, config=config)
            | Stalled(attempt=attempt, config=config)
        ):
            epoch = _reached(cycle.run)
            stopping = Stopping(attempt=attempt, config=config, epoch=epoch, by=by, since=at, asker=asker)
            return now(held, run=stopping), (StopJob(run=cycle.run_name, attempt=attempt),)
        case Cooling(config=config, reached=reached):
            after = now(held, run=Held(cause="operator", why=by, config=config, since=at))
            return after, _told_of_the_stop(after, by, reached, asker, policy)
        case _:
            return held, ()


def lift(cycle: Cycle, at: datetime) -> Move:
    """`resume` and `retry`: whatever holds the run, somebody with the right to say so lifts it."""
    free = now(cycle, on_hold=(), own="meant")
    match cycle.run:
        case Held() as held:
            return start(free, mending.goes_on_with(cycle, held), at)
        case Cooling(config=config, tries=tries, reached=reached):
            return start(free, config, at, tries=tries, reached=reached)
        case _:
            return free, ()


def cooled(cycle: Cycle, at: datetime) -> Move:
    match cycle.run:
        case Cooling(until=until, config=config, tries=tries, reached=reached) if at >= until:
            return start(cycle, config, at, tries=tries + 1, reached=reached)
        case _:
            return cycle, ()


def spoke(cycle: Cycle, event: JobSpoke) -> Move:
    """Only the process we ordered is listened to; a line of another changes nothing."""
    match cycle.run, event.line:
        case Starting(attempt=event.attempt) as run, Started() as line:
            return _under_way(cycle, run, line)
        case Training(attempt=event.attempt) as run, Stepped() as line if line.epoch > run.epoch:
            learned = now(
                run, epoch=line.epoch, tries=1, last_loss=line.last_loss, first_loss=line.first_loss
            )
            return now(cycle, run=learned), ()
        case (
            (
                Training(attempt=event.attempt)
                | Stalled(attempt=event.attempt)
                | Stopping(attempt=event.attempt)
            ),
            Found() as line,
        ):
            return insights.found(cycle, line, event.at)
        case _:
            return cycle, ()


def ended(cycle: Cycle, event: JobEnded, policy: Policy) -> Move:
    match cycle.run:
        case (
            Starting(attempt=event.attempt) | Training(attempt=event.attempt) | Stalled(attempt=event.attempt)
        ) as run:
            return _left(cycle, run, event, policy)
        case Stopping(attempt=event.attempt) as run:
            return _stopped(cycle, run, event, policy)
        case _:
            return cycle, ()


def _under_way(cycle: Cycle, run: Starting, line: Started) -> Move:
    training = Training(
        attempt=run.attempt,
        tries=run.tries,
        config=run.config,
        epoch=line.epoch,
        first_loss=None,
        last_loss=None,
        since=line.at,
    )
    after = now(cycle, run=training)
    if not line.resumed_from:
        return after, say(starts.started(after, line))
    if isinstance(cycle.left, Here) and not run.reached:  # nobody here has heard of its beginning
        return after, say(starts.started(after, line), restarts.gone_on(after, line, cycle.left))
    return after, say(restarts.resumed(after, line, run.reached))


def _reached(run: Alive) -> int:
    """How many epochs are finished."""
    return run.epoch if isinstance(run, Training) else run.reached


def _left(cycle: Cycle, run: Alive, event: JobEnded, policy: Policy) -> Move:
    match event.outcome:
        case Trained() as outcome:
            return now(cycle, run=Ended(config=run.config, outcome=outcome, since=event.at)), ()
        case Failed(failure="error" | "stopped") | None:
            return _crashed(cycle, run, event, policy)
        case Failed() as failed:
            cause = blocked.cause_of(failed)
            held = _held(cycle, run, cause, failed.message, event.at)
            after, asked = mending.propose(held, failed, event.at, policy)
            says = blocked.mended if mending.mended(after) else blocked.by
            return after, (*say(says(cause, (failed.message,))), *asked)
        case _:
            return _hold(cycle, run, "trainer", blocked.crashed(event), event.at)


def _crashed(cycle: Cycle, run: Alive, event: JobEnded, policy: Policy) -> Move:
    if run.tries >= policy.max_attempts:
        return _hold(cycle, run, "trainer", blocked.crashed(event), event.at)
    until = event.at + timedelta(seconds=policy.pause_s(run.tries))
    cooling = Cooling(
        attempt=run.attempt, tries=run.tries, config=run.config, reached=_reached(run), until=until
    )
    return now(cycle, run=cooling), say(
        restarts.will_restart(cycle, event, until, by_us=isinstance(run, Stalled))
    )


def _hold(cycle: Cycle, run: Alive, cause: BlockCause, why: str, at: datetime) -> Move:
    return _held(cycle, run, cause, why, at), say(blocked.by(cause, (why,)))


def _held(cycle: Cycle, run: Alive, cause: BlockCause, why: str, at: datetime) -> Cycle:
    return now(cycle, run=Held(cause=cause, why=why, config=run.config, since=at))


def _stopped(cycle: Cycle, run: Stopping, event: JobEnded, policy: Policy) -> Move:
    """It may have come to its end while the order was on its way; or somebody has lifted that order since."""
    if isinstance(event.outcome, Trained):
        done = Ended(config=run.config, outcome=event.outcome, since=event.at)
        return now(cycle, run=done, on_hold=()), ()
    held = Held(cause="operator", why=run.by, config=run.config, since=event.at)
    after = now(cycle, run=held)
    if not cycle.on_hold:
        return lift(after, event.at)
    return after, _told_of_the_stop(after, run.by, run.epoch, run.asker, policy)


def _told_of_the_stop(
    cycle: Cycle, by: str, epoch: int, asker: int | None, policy: Policy
) -> tuple[Effect, ...]:
    to_operator = declare(endings.stopped_as_asked(cycle, epoch, asker)) if asker else ()
    return (*to_operator, *say(endings.stopped(cycle, by, epoch, policy)))
