"""Stop, resume, retry, and the operators' `!` commands."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType

from bot.core.channel import consent
from bot.core.channel.typed import VERBS
from bot.core.effects import Post
from bot.core.events import Heard
from bot.core.moves import Move, Step, now, say
from bot.core.policy import Policy
from bot.core.saying import replies
from bot.core.showing import commands, logs
from bot.core.state import (
    Absent,
    Cycle,
    OwnWeights,
    Refused,
    State,
    Unproven,
    Unread,
    WeightsMissing,
    on_the_way,
    only_here,
)
from bot.core.tracks import cycles, data, run, shelf, terms
from protocol import parse
from protocol.messages import Answer, Approval, Command, Rejection
from protocol.talk import Verb

_HASH = re.compile(r"[0-9a-fA-F]{4,64}")


def commanded(state: State, command: Command, event: Heard, policy: Policy) -> Step:
    if command.name in VERBS:
        return given(state, command.name, event, f"operator {event.author}", policy)
    if command.name == "abandon" and command.arguments[:1] == ("cycle",):
        return _ended(state, event, policy)
    if command.name == "abandon":
        return _given_up(state, command, event)
    if command.name in commands.DELEGATED:
        return _decided(state, command, event, policy)
    if command.name == "logs":
        return state, say(logs.answer(command, event, policy))
    if command.name in commands.READS:
        read = commands.READS[command.name]
        body = read(state, event.gauges, event.at, policy)
        show = ("loss_curve",) if command.name in commands.SHOWN and state.cycle else ()
        picture = state.cycle.run_name if state.cycle and show else None
        return state, (Post(message=Answer(to=(event.author,), body=body), show=show, run=picture),)
    near = get_close_matches(command.name.rstrip("?？"), tuple(commands.available(policy)), n=1, cutoff=0.5)
    return state, say(Answer(to=(event.author,), body=replies.no_such_command(command.name, near)))


def _ended(state: State, event: Heard, policy: Policy) -> Step:
    """`!abandon cycle`: one that nobody goes on with must not keep the next ones waiting for ever."""
    if state.cycle is None:
        return state, say(replies.nothing_runs(event.author))
    if not cycles.stands_still(state):
        return state, say(replies.still_at_work(state.cycle, event.author))
    if waiting := on_the_way(state.cycle.shelf):  # nobody could give it up any more
        return state, say(replies.which_checkpoint(waiting, event.author))
    after, told = cycles.abandon(state, state.cycle, f"operator {event.author}", policy)
    return after, (*say(replies.cycle_ended(state.cycle, len(state.queue), event.author)), *told)


def _given_up(state: State, command: Command, event: Heard) -> Step:
    """`!abandon 50`: what can never be uploaded must not keep its cycle from its DONE for ever."""
    if state.cycle is None:
        return state, say(replies.nothing_runs(event.author))
    waiting, best = only_here(state.cycle.shelf), state.cycle.shelf.best
    what = next((word for word in command.arguments[:1] if word in waiting), None)
    if what is None:
        return state, say(replies.which_checkpoint(waiting, event.author))
    if what == "best" and best is not None and best.safe_epoch is None:
        return state, say(replies.no_other_best(event.author))
    cycle = shelf.given_up(state.cycle, what)
    return now(state, cycle=cycle), say(replies.gives_up(what, event.author))


def _decided(state: State, command: Command, event: Heard, policy: Policy) -> Step:
    """`!approve 3fa9c1 1 2`: what stands behind it is read as behind Watcher's `[APPROVE]`."""
    if not policy.operators_may_approve:
        return state, say(replies.not_delegated(command.name, event.author))
    named = next(filter(_HASH.fullmatch, command.arguments[:1]), None)
    words = command.arguments[1:] if named else command.arguments
    word = parse(" ".join((f"[{command.name.upper()}]", *words)))
    if not isinstance(word, Approval | Rejection):  # both at once is neither
        return state, say(replies.no_word(command.name, event.author))
    word = word.model_copy(update={"proposal": named or word.proposal})
    return consent.delegated(state, word, event, policy)


def given(state: State, verb: Verb, event: Heard, by: str, policy: Policy) -> Step:
    if state.cycle is None:
        return state, say(replies.nothing_runs(event.author))
    cycle, effects = DOES[verb](state.cycle, Given(by, event.author, event.at, policy))
    told = replies.order_taken(verb, by, cycle, event.author, policy)
    return now(state, cycle=cycle), (*say(*told), *effects)


@dataclass(frozen=True, slots=True)
class Given:
    """An order: `by` is what people call who gave it."""

    by: str
    author: int
    at: datetime
    policy: Policy


def _stop(cycle: Cycle, order: Given) -> Move:
    asker = order.author if order.author in order.policy.operators else None
    return run.stop(cycle, order.by, order.at, order.policy, asker)


def _resume(cycle: Cycle, order: Given) -> Move:
    return run.lift(cycle, order.at)


def _retry(cycle: Cycle, order: Given) -> Move:
    """Of each track that stands still; the run is let go on where none before it does."""
    if isinstance(cycle.weights, WeightsMissing):
        cycle = now(cycle, weights=OwnWeights())
    again, orders = _made_ready(cycle, order.at)
    return (again, orders) if again != cycle else run.lift(cycle, order.at)


def _made_ready(cycle: Cycle, at: datetime) -> Move:
    if isinstance(cycle.device, Absent):
        cycle = now(cycle, device=Unproven())
    if isinstance(cycle.data, Refused):
        cycle, _ = data.name(cycle, cycle.data.source, cycle.data.announced, at)
    return terms.look(cycle) if isinstance(cycle.terms, Unread) else (cycle, ())


DOES: Mapping[Verb, Callable[[Cycle, Given], Move]] = MappingProxyType(
    {"stop": _stop, "resume": _resume, "retry": _retry}
)
