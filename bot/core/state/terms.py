"""With which config, on whose word?"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from bot.core.state.known import Known
from protocol.messages import Lesson
from protocol.training import Change, TrainingConfig


class LessonHeard(Known):
    """`rank` order: Watcher's own message says it. Hint: it stood in a file of the bucket."""

    lesson: Lesson
    rank: Literal["order", "hint"]
    source: str


class Entry(Known):
    """What became of one lesson so far. `changes` are what it asks for; `note` says why, for people.

    `translated`: a translator said what it asks for, and nothing but somebody's word approves that.
    """

    heard: LessonHeard
    status: Literal["applied", "proposed", "rejected", "satisfied", "not_ours", "unclear", "translating"]
    changes: tuple[Change, ...] = ()
    approved_by: str = ""
    note: str = ""
    translated: bool = False


def like(entries: tuple[Entry, ...], place: int) -> list[int]:
    """The places of the other lessons that wait and ask for the very same."""
    mine = entries[place]
    return [
        other
        for other, entry in enumerate(entries)
        if other != place
        and entry.status == mine.status == "proposed"
        and (entry.changes, entry.translated) == (mine.changes, mine.translated)
    ]


class Unread(Known):
    """PLAN.md and the lessons files were not looked for yet, or one is `broken`: what is wrong with it."""

    phase: Literal["unread"] = "unread"
    heard: tuple[LessonHeard, ...]
    since: AwareDatetime
    broken: tuple[str, ...] = ()


class Judged(Known):
    """`base` is defaults and PLAN.md, `config` that and what is approved so far; a proposal is open beside.

    `looked_at` names the files that were looked for, and says so if PLAN.md is not there; `from_plan` are the
    fields that it sets.
    """

    phase: Literal["judged"] = "judged"
    base: TrainingConfig
    config: TrainingConfig
    ledger: tuple[Entry, ...]
    looked_at: tuple[str, ...]
    from_plan: tuple[str, ...]


class Settled(Known):
    """`config` differs from the defaults only by PLAN.md and by what was approved."""

    phase: Literal["settled"] = "settled"
    base: TrainingConfig
    config: TrainingConfig
    ledger: tuple[Entry, ...]
    looked_at: tuple[str, ...]
    from_plan: tuple[str, ...]


Terms = Annotated[Unread | Judged | Settled, Field(discriminator="phase")]


class Line(Known):
    """One numbered line of the open proposal; `entry` is its place in the ledger."""

    number: int
    entry: int
    changes: tuple[Change, ...]
    reason: str
    translated: bool = False


class Proposal(Known):
    """What Watcher is asked. `hash` names the config it leads to, `refs` the messages that carried it."""

    hash: str
    lines: tuple[Line, ...]
    since: AwareDatetime
    refs: tuple[str, ...] = ()
    asked_back: bool = False
    operators_told: bool = False
