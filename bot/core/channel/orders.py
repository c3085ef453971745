"""Stop, resume, retry, and the operators' `!` commands."""

import re
from difflib import get_close_matches

from bot.core.channel import consent
from bot.core.channel.typed import VERBS
from bot.core.effects import Post
from bot.core.events import Heard
from bot.core.moves import Move, Step, now, say
from bot.core.policy import Policy
from bot.core.saying import replies
from bot.core.showing import commands, logs
from bot.core.state import Absent, OwnWeights, Refused, State, Unproven, Unread, WeightsMissing
from bot.core.tracks import data, run, terms
from protocol import parse
from protocol.messages import Answer, Approval, Command, Rejection

_HASH = re.compile(r"[0-9a-fA-F]{4,64}")


def commanded(state: State, command: Command, event: Heard, policy: Policy) -> Step:
    if command.name in VERBS:
        return given(state, command.name, event, f"operator {event.author}", policy)
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


def given(state: State, verb: str, event: Heard, by: str, policy: Policy) -> Step:
    if state.cycle is None:
        return state, say(replies.nothing_runs(event.author))
    match verb:
        case "stop":
            asker = event.author if event.author in policy.operators else None
            cycle, effects = run.stop(state.cycle, by, event.at, asker)
        case "resume":
            cycle, effects = run.lift(state.cycle, event.at)
        case _:
            cycle, effects = _retry(state, event)
    told = replies.order_taken(verb, by, cycle, event.author, policy)
    return now(state, cycle=cycle), (*say(*told), *effects)


def _retry(state: State, event: Heard) -> Move:
    cycle = state.cycle
    assert cycle is not None, "there is a cycle to retry"
    if isinstance(cycle.weights, WeightsMissing):
        cycle = now(cycle, weights=OwnWeights())
    match cycle.device, cycle.data, cycle.terms:
        case Absent(), _, _:
            return now(cycle, device=Unproven()), ()
        case _, Refused(source=source, announced=announced), _:
            return data.name(cycle, source, announced, event.at)
        case _, _, Unread():
            return terms.look(cycle)
        case _:
            return run.lift(cycle, event.at)
