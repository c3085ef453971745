"""The data track: from a path somebody named to an admitted data set, or a refusal that names the episode."""

from datetime import datetime

from bot.core.effects import Effect, FetchData, Post, StartJob, StopJob, TellArrived
from bot.core.events import DataFetched, FetchFailed, JobEnded, RowsFetched
from bot.core.moves import Move, declare, now, say
from bot.core.policy import Policy
from bot.core.saying import blocked, starts
from bot.core.state import (
    Abandoning,
    Admitted,
    Arriving,
    Awaited,
    Checking,
    CheckingAhead,
    Converting,
    Cycle,
    Fetched,
    Fetching,
    Named,
    Refused,
)
from protocol.job import Checked, Converted, Failed, Problem
from protocol.messages import BlockCause, Outgoing
from protocol.training import TrainingConfig

DATA_SECTIONS = {"dataset": True, "observation": True, "model": {"action_dim"}}
"""The part of a config that decides what the data must be like and which of it is used."""

OF_TRAINING = {"image_transforms", "max_num_transforms"}
"""What is done to pictures on their way to the policy; the data set stays as it is."""


def rule(config: TrainingConfig) -> str:
    """Names the data rule of a config: two configs of one rule can share a checked, converted data set."""
    return config.model_dump_json(include=DATA_SECTIONS, exclude={"dataset": OF_TRAINING})


def name(cycle: Cycle, source: str, announced: int | None, at: datetime) -> Move:
    """Somebody said where it lies."""
    if announced is None and isinstance(cycle.data, Awaited):
        announced = cycle.data.announced
    return now(cycle, data=Named(source=source, announced=announced, since=at)), ()


def announce(cycle: Cycle, episodes: int | None) -> Cycle:
    """Watcher said how many episodes there are, not where. Developer's own number, whose data it is, stands
    above that; so does a verdict."""
    match cycle.data:
        case (
            Awaited()
            | Named(announced=None)
            | Fetching(announced=None)
            | Arriving(announced=None)
            | CheckingAhead(announced=None)
            | Fetched(announced=None)
            | Checking(announced=None)
        ) as data if episodes is not None:
            return now(cycle, data=now(data, announced=episodes))
        case _:
            return cycle


def fetch(cycle: Cycle, source: str, announced: int | None, at: datetime) -> Move:
    asked = cycle.asked + 1
    fetching = Fetching(source=source, announced=announced, since=at)
    order = FetchData(cycle=cycle.number, source=source, asked=asked)
    return now(cycle, data=fetching, asked=asked), (order,)


def rows_fetched(cycle: Cycle, event: RowsFetched) -> Move:
    """A fetch that is repeated says so again, and a check may be at work by then."""
    match cycle.data:
        case Fetching(source=source, announced=announced, since=since):
            arriving = Arriving(
                source=source, announced=announced, coming_bytes=event.coming_bytes, since=since
            )
            return now(cycle, data=arriving), ()
        case _:
            return cycle, ()


def fetched(cycle: Cycle, event: DataFetched) -> Move:
    match cycle.data:
        case Fetching() | Arriving() as data:
            done = Fetched(source=data.source, announced=data.announced, since=event.at)
            return now(cycle, data=done), ()
        case CheckingAhead() as data:
            return _check_the_rest(cycle, data, event.at)
        case _:
            return cycle, ()


def _check_the_rest(cycle: Cycle, data: CheckingAhead, at: datetime) -> Move:
    """The check that has begun goes on to its verdict."""
    checking = Checking(
        source=data.source,
        announced=data.announced,
        attempt=data.attempt,
        tries=1,
        config=data.config,
        since=at,
    )
    return now(cycle, data=checking), (TellArrived(run=cycle.run_name, attempt=data.attempt),)


def fetch_failed(cycle: Cycle, event: FetchFailed) -> Move:
    match cycle.data:
        case Fetching() | Arriving():
            return refuse(cycle, event.cause, (event.problem,), event.at)
        case CheckingAhead() as data:
            return _abandon(cycle, data, event)
        case _:
            return cycle, ()


def _abandon(cycle: Cycle, data: CheckingAhead, event: FetchFailed) -> Move:
    """Two processes of one run never meet: nothing begins anew before this one has left."""
    leaving = Abandoning(
        source=data.source,
        announced=data.announced,
        attempt=data.attempt,
        cause=event.cause,
        problem=event.problem,
        since=event.at,
    )
    return now(cycle, data=leaving), (StopJob(run=cycle.run_name, attempt=data.attempt),)


def check_ahead(cycle: Cycle, data: Arriving, config: TrainingConfig) -> Move:
    """Begin to look whether what is still arriving is fit for `config`."""
    order = _check_of(cycle, data.source, config, data.coming_bytes)
    ahead = CheckingAhead(
        source=data.source, announced=data.announced, attempt=order.attempt, config=config, since=data.since
    )
    return now(cycle, data=ahead, attempts=order.attempt), (order,)


def check(cycle: Cycle, config: TrainingConfig, at: datetime, tries: int = 1) -> Move:
    """(Again) look whether what was fetched is fit for `config`."""
    assert not isinstance(cycle.data, Awaited), "nothing was fetched yet"
    order = _check_of(cycle, cycle.data.source, config)
    checking = Checking(
        source=cycle.data.source,
        announced=cycle.data.announced,
        attempt=order.attempt,
        tries=tries,
        config=config,
        since=at,
    )
    return now(cycle, data=checking, attempts=order.attempt), (order,)


def _check_of(cycle: Cycle, source: str, config: TrainingConfig, coming_bytes: int = 0) -> StartJob:
    """The next attempt's order."""
    return StartJob(
        run=cycle.run_name,
        attempt=cycle.attempts + 1,
        work="check",
        source=source,
        config=config,
        coming_bytes=coming_bytes,
    )


def job_ended(cycle: Cycle, event: JobEnded, policy: Policy) -> Move:
    match cycle.data, event.outcome:
        case CheckingAhead(attempt=event.attempt) as data, _:
            return _wait_for_the_rest(cycle, data), ()
        case Abandoning(attempt=event.attempt, cause=cause, problem=problem), _:
            return refuse(cycle, cause, (problem,), event.at)
        case Checking(attempt=event.attempt) as data, Checked() as verdict:
            return _judge(cycle, data, verdict, event.at)
        case Converting(attempt=event.attempt) as data, Converted() as made:
            return _admit(cycle, data, made, policy)
        case (
            (Checking(attempt=event.attempt) | Converting(attempt=event.attempt)) as data,
            Failed(failure="stopped"),
        ):
            return _try_again(cycle, data, event, policy)
        case ((Checking(attempt=event.attempt) | Converting(attempt=event.attempt)), Failed() as failed):
            return refuse(cycle, blocked.cause_of(failed), (failed.message,), event.at)
        case (Checking(attempt=event.attempt) | Converting(attempt=event.attempt)) as data, None:
            return _try_again(cycle, data, event, policy)
        case _:
            return cycle, ()


def _wait_for_the_rest(cycle: Cycle, data: CheckingAhead) -> Cycle:
    """However a check ended before all was here, the one after the fetch says what there is to say."""
    return now(cycle, data=Fetching(source=data.source, announced=data.announced, since=data.since))


def refuse(cycle: Cycle, cause: BlockCause, problems: tuple[str, ...], at: datetime) -> Move:
    return _refused(cycle, problems, at), say(blocked.by(cause, problems))


def _refused(cycle: Cycle, why: tuple[str, ...], at: datetime) -> Cycle:
    assert not isinstance(cycle.data, Awaited), "nothing was named yet"
    refused = Refused(source=cycle.data.source, announced=cycle.data.announced, since=at, why=why)
    return now(cycle, data=refused)


def _judge(cycle: Cycle, data: Checking, verdict: Checked, at: datetime) -> Move:
    refusals = tuple(problem for problem in verdict.problems if problem.severity == "refuse")
    found = verdict.episodes + _left_out(data.config, verdict)
    if data.announced is not None and data.announced != found:
        refusals = (*refusals, _miscounted(data.announced, found))
    if refusals or not verdict.ok:
        why = blocked.grouped(refusals) or (blocked.NO_REASON,)
        told = blocked.by("data", why)
        return _refused(cycle, why, at), _with_report(told, cycle, data.attempt)
    attempt = cycle.attempts + 1
    converting = Converting(
        source=data.source,
        announced=data.announced,
        attempt=attempt,
        tries=data.tries,
        checked_by=data.attempt,
        config=data.config,
        certificate=verdict.hash,
        warnings=verdict.problems,
        since=at,
    )
    order = StartJob(
        run=cycle.run_name,
        attempt=attempt,
        work="convert",
        source=data.source,
        config=data.config,
        certificate=verdict.hash,
    )
    return now(cycle, data=converting, attempts=attempt), (order,)


def _with_report(message: Outgoing, cycle: Cycle, attempt: int) -> tuple[Effect, ...]:
    """What the check of this attempt has written and drawn goes along."""
    return (Post(message=message, show=(f"attempts/{attempt}/report",), run=cycle.run_name),)


def _left_out(config: TrainingConfig, verdict: Checked) -> int:
    """How many episodes that are there were not looked at: one that a lesson excludes may be gone already."""
    absent = sum(problem.check == "excluded_names" for problem in verdict.problems)
    return len(config.dataset.exclude_episodes) - absent


def _miscounted(announced: int, found: int) -> Problem:
    message = f"에피소드 수 불일치 (HANDOFF {announced}개, 실제 {found}개)"
    return Problem(severity="refuse", check="announced", message=message)


def _admit(cycle: Cycle, data: Converting, made: Converted, policy: Policy) -> Move:
    admitted = Admitted(
        source=data.source,
        announced=data.announced,
        config=data.config,
        certificate=data.certificate,
        episodes=made.episodes,
        frames=made.frames,
        warnings=data.warnings,
    )
    told = _with_report(starts.admitted(admitted, policy), cycle, data.checked_by)
    asked = declare(*starts.criteria_unknown(admitted, policy))
    return now(cycle, data=admitted), (*told, *asked)


def _try_again(cycle: Cycle, data: Checking | Converting, event: JobEnded, policy: Policy) -> Move:
    """A crashed check is begun anew at once; it costs minutes, and changes nothing."""
    if data.tries >= policy.max_attempts:
        return refuse(cycle, "trainer", (blocked.crashed(event),), event.at)
    return check(cycle, data.config, event.at, data.tries + 1)
