"""How often anybody is answered: two bots that answer each other would never stop.

Only answers are withheld. What we have to say of ourselves (REPORT, BLOCKED, HANDOFF, DONE, proposals) never
is, and what comes in is taken in all the same.
"""

from datetime import datetime, timedelta

from bot.core.effects import Effect, Post
from bot.core.moves import Step, now, say
from bot.core.policy import Policy
from bot.core.saying import replies
from bot.core.state import Answered, State
from protocol.messages import Alert, Answer, Question, Receipt

MINUTE = timedelta(minutes=1)


def kept(state: State, effects: tuple[Effect, ...], at: datetime, policy: Policy) -> Step:
    """`effects` without the answers that go beyond `answers_a_minute` to anybody."""
    answered = [one for one in state.answered if at - one.at < MINUTE]
    allowed: list[Effect] = []
    for effect in effects:
        to = _answered_by(effect, policy)
        lately = sum(one.times for one in answered if one.to == to)
        if to is not None:
            answered = _counted(answered, to, at)
        if to is None or lately < policy.answers_a_minute:
            allowed.append(effect)
        elif lately == policy.answers_a_minute and policy.operators:
            told = replies.too_many_answers(to, policy)
            allowed += say(Alert(to=policy.operators, body=told))
    return now(state, answered=_bounded(answered, policy)), tuple(allowed)


def _answered_by(effect: Effect, policy: Policy) -> int | None:
    """Whom it answers; None if it is no answer, or answers an operator: people tire by themselves."""
    if not isinstance(effect, Post) or effect.unasked:
        return None
    if not isinstance(effect.message, Answer | Question | Receipt):
        return None
    to = effect.message.to[0]
    return None if to in policy.operators else to


def _counted(answered: list[Answered], to: int, at: datetime) -> list[Answered]:
    """One more. Those within a second are one entry, which is as old as the newest of them."""
    newest = next((one for one in reversed(answered) if one.to == to), None)
    if newest is None or newest.at.replace(microsecond=0) != at.replace(microsecond=0):
        return [*answered, Answered(to=to, at=at)]
    others = [one for one in answered if one is not newest]
    return [*others, now(newest, at=at, times=newest.times + 1)]


def _bounded(answered: list[Answered], policy: Policy) -> tuple[Answered, ...]:
    """What is remembered: the newest few answers to each, enough to tell that one is too many."""
    kept_back: list[Answered] = []
    for one in reversed(answered):
        if sum(other.times for other in kept_back if other.to == one.to) <= policy.answers_a_minute:
            kept_back.append(one)
    return tuple(reversed(kept_back))
