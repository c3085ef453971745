"""The shape of a decision: what we know now, and what must be done."""

from typing import Any

from bot.core.effects import Effect, Post
from bot.core.state import Cycle, Known, State
from protocol.messages import Outgoing

type Step = tuple[State, tuple[Effect, ...]]
type Move = tuple[Cycle, tuple[Effect, ...]]


def now[K: Known](known: K, **fields: Any) -> K:
    """The same, but for these fields."""
    return known.model_copy(update=fields)


def say(*messages: Outgoing) -> tuple[Effect, ...]:
    return tuple(Post(message=message) for message in messages)


def declare(*messages: Outgoing) -> tuple[Effect, ...]:
    """Say what must be said whether or not anybody asked: no budget of answers holds it back."""
    return tuple(Post(message=message, unasked=True) for message in messages)
