"""What training teaches is told to Watcher; what is found within a minute goes out in one message.

The card says *at once*, the contract *in one message*: so the minute counts from the first insight and is
never prolonged. One cause often shows in several ways, epochs of seconds apart, and each message of ours
makes Watcher think anew; a run lasts for hours. When its process ends, nothing waits any longer.
"""

from datetime import datetime, timedelta

from bot.core.effects import Post
from bot.core.moves import Move, Step, now
from bot.core.state import Cycle, State, Untold
from bot.lessons.insights import insight, picture_of
from protocol.messages import LessonFound
from protocol.progress import Found

GATHERED_FOR = timedelta(seconds=60)


def found(cycle: Cycle, line: Found, at: datetime) -> Move:
    """Each fact once a run; one that there are no words for is not told."""
    words = insight(line)
    if words is None or line.fact in cycle.found:
        return cycle, ()
    before = cycle.untold or Untold(since=at)
    picture = picture_of(line)
    new = (picture,) if picture and picture not in before.pictures else ()
    untold = now(before, insights=(*before.insights, words), pictures=(*before.pictures, *new))
    return now(cycle, found=(*cycle.found, line.fact), untold=untold), ()


def due_at(cycle: Cycle) -> datetime | None:
    return cycle.untold and cycle.untold.since + GATHERED_FOR


def due(state: State, at: datetime) -> Step:
    """Tell what has waited for its minute."""
    cycle = state.cycle
    moment = cycle and due_at(cycle)
    if cycle is None or moment is None or at < moment:
        return state, ()
    after, effects = told(cycle)
    return now(state, cycle=after), effects


def told(cycle: Cycle) -> Move:
    """Tell all there is, now."""
    if cycle.untold is None:
        return cycle, ()
    message = LessonFound(insights=cycle.untold.insights)
    post = Post(message=message, show=cycle.untold.pictures, run=cycle.run_name)
    return now(cycle, untold=None), (post,)
