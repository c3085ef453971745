"""PLAN.md is Watcher's word on a cycle when that is opened. Written anew later, it changes nothing of it.

It is looked at with each report, and Watcher is told once of every other config that stands there.
"""

from bot.core.effects import LookAtPlan
from bot.core.events import PlanSeen
from bot.core.moves import Move, declare, now
from bot.core.policy import Policy
from bot.core.saying import replies
from bot.core.state import Cycle, Judged, Settled, Unread
from protocol.training import TrainingConfig


def look(cycle: Cycle) -> Move:
    """Unless somebody is looking, or nothing was read yet that it could differ from."""
    if cycle.looking_at_plan or isinstance(cycle.terms, Unread):
        return cycle, ()
    asked = cycle.asked + 1
    return now(cycle, looking_at_plan=True, asked=asked), (LookAtPlan(cycle=cycle.number, asked=asked),)


def seen(cycle: Cycle, event: PlanSeen, policy: Policy) -> Move:
    looked = now(cycle, looking_at_plan=False)
    if isinstance(cycle.terms, Unread) or not event.readable:  # a broken one is the next cycle's to ask about
        return looked, ()
    says = _config(cycle.terms, event, policy)
    if says.hash == (cycle.plan_told or cycle.terms.base.hash):
        return looked, ()
    told = replies.plan_changed(cycle.number, cycle.terms.base, says, policy.roster.watcher)
    return now(looked, plan_told=says.hash), declare(told)


def _config(terms: Judged | Settled, event: PlanSeen, policy: Policy) -> TrainingConfig:
    """Where it set nothing and is not there nothing has changed, whatever the operators' defaults are now."""
    if event.plan:
        return event.plan.config
    return policy.defaults if terms.from_plan else terms.base
