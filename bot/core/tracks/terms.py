"""The terms track: with which config will this cycle train, and on whose word?

What Watcher itself said exactly is approved by being said. What was inferred, and what a file only hints at,
becomes one proposal that waits. Nothing else ever changes a field.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from pydantic import ValidationError

from bot.core import preapproved
from bot.core.effects import Effect, ReadTerms
from bot.core.events import LessonTranslated, TermsRead, TermsUnreadable
from bot.core.moves import Move, declare, now, say
from bot.core.policy import Policy
from bot.core.saying import blocked, proposals
from bot.core.state import (
    Cycle,
    Entry,
    Judged,
    LessonHeard,
    Line,
    Proposal,
    Settled,
    Terms,
    Unread,
    is_under_way,
)
from bot.core.state.terms import like
from bot.core.tracks import ledger, translation
from protocol import paths
from protocol.training import Change

NO_PLAN = f"{paths.PLAN} 없음 (기본 설정)"
TOO_LATE = "승인 전에 재개된 학습이라 이번에는 적용하지 않음, 다음 cycle에서 다시 판단"


def look(cycle: Cycle) -> Move:
    asked = cycle.asked + 1
    assert isinstance(cycle.terms, Unread), "one looks again as long as nothing is judged"
    cycle = now(cycle, terms=now(cycle.terms, broken=()))
    return now(cycle, asked=asked), (ReadTerms(cycle=cycle.number, asked=asked),)


def read(cycle: Cycle, event: TermsRead, policy: Policy) -> Move:
    """PLAN.md and the lessons files are known: judge everything heard so far."""
    match cycle.terms:
        case Unread() as unread:
            base = event.plan.config if event.plan else policy.defaults
            judged = Judged(
                base=base,
                config=base,
                ledger=(),
                looked_at=(paths.PLAN if event.plan else NO_PLAN, *(file.name for file in event.files)),
                from_plan=tuple(event.plan.overrides) if event.plan else (),
            )
            hints = tuple(
                LessonHeard(lesson=lesson, rank="hint", source=file.name)
                for file in event.files
                for lesson in file.lessons or ()
            )
            return take_in(now(cycle, terms=judged), (*unread.heard, *hints), event.at, policy)
        case _:
            return cycle, ()


def unreadable(cycle: Cycle, event: TermsUnreadable) -> Move:
    """A broken PLAN.md is Watcher's to mend; `!retry` or its next HANDOFF looks again."""
    if not isinstance(cycle.terms, Unread):
        return cycle, ()
    broken = now(cycle.terms, broken=event.errors)
    return now(cycle, terms=broken), say(blocked.broken_plan(event.errors))


def take_in(cycle: Cycle, heard: tuple[LessonHeard, ...], at: datetime, policy: Policy) -> Move:
    """Judge lessons before the start, take what was approved in advance, and say what became of each."""
    assert not isinstance(cycle.terms, Unread), "lessons are judged once the terms were read"
    before = len(cycle.terms.ledger)
    terms = ledger.entered(cycle.terms, heard, _before(cycle), policy.auto_approve)
    terms = _approved_in_advance(terms, range(before, len(terms.ledger)), policy)
    orders: list[Effect] = []
    for place in range(before, len(terms.ledger)) if policy.translator else ():
        if terms.ledger[place].status == "unclear":
            orders.append(translation.wanted(terms, place, cycle.number))
            terms = now(terms, ledger=_replaced(terms, place, translation.waits(terms.ledger[place])))
    after, said = _told(cycle, terms, range(before, len(terms.ledger)), at, policy)
    return after, (*orders, *said)


def _told(
    cycle: Cycle, terms: Judged | Settled, touched: Iterable[int], at: datetime, policy: Policy
) -> Move:
    """The cycle with these terms, and what is said of the entries at the places `touched` of the ledger."""
    entries = tuple(terms.ledger[place] for place in touched)
    settled = _reopened(terms)
    proposal = _proposal(settled, at, cycle.proposal)
    after = now(cycle, terms=settled, proposal=proposal)
    said = (*proposals.changes_applied(after, entries), *proposals.questions_about(entries, policy))
    if proposal is None or proposal == cycle.proposal:
        return after, declare(*said)
    asked = proposals.posted(after, proposal, ledger.as_proposed(terms), policy)
    return after, declare(*said, *asked)


def translated(cycle: Cycle, event: LessonTranslated, policy: Policy) -> Move:
    """A translator has answered: once for each lesson that waits for it."""
    terms = cycle.terms
    if isinstance(terms, Unread) or event.entry >= len(terms.ledger):
        return cycle, ()
    entry = terms.ledger[event.entry]
    if entry.status != "translating":
        return cycle, ()
    answered = translation.understood(terms, entry, event.changes)
    terms = ledger.fitting(now(terms, ledger=_replaced(terms, event.entry, answered)))
    return _told(cycle, terms, (event.entry,), event.at, policy)


def _before(cycle: Cycle) -> ledger.Before | None:
    return ledger.Before(cycle.last, cycle.last_best) if cycle.last else None


@dataclass(frozen=True, slots=True)
class Word:
    """Somebody's yes and no to lines of the open proposal, by number."""

    by: str
    approved: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()
    reason: str = ""


def answer(cycle: Cycle, word: Word, at: datetime, policy: Policy) -> Move:
    """Take a word on the open proposal. What it says nothing of stays open.

    A run that was held may have gone on without it: then a yes changes nothing of that run any more.
    """
    assert cycle.proposal is not None, "there is a proposal to answer"
    assert not isinstance(cycle.terms, Unread), "a proposal comes from judged lessons"
    terms, asked = cycle.terms, cycle.terms.ledger
    for line in cycle.proposal.lines:
        if terms.ledger[line.entry].status != "proposed":
            continue  # decided with another line
        if line.number in word.approved and is_under_way(cycle.run):
            terms = _answered(terms, line.entry, status="rejected", note=TOO_LATE)
        elif line.number in word.approved:
            by = f"{word.by} (제안 {cycle.proposal.hash})"
            terms = _approved(terms, line.entry, line.changes, by, policy)
        elif line.number in word.rejected:
            terms = _answered(terms, line.entry, status="rejected", note=word.reason or f"{word.by} 반려")
        terms = _with_its_like(terms, asked, line.entry)
    touched = [line.entry for line in cycle.proposal.lines]
    return _told(cycle, ledger.fitting(terms), touched, at, policy)


def too_late(cycle: Cycle, word: Word) -> tuple[LessonHeard, ...]:
    """Lessons that are approved when the run has gone on without: the next cycle's."""
    if cycle.proposal is None or isinstance(cycle.terms, Unread) or not is_under_way(cycle.run):
        return ()
    known = cycle.terms.ledger
    approved = [line.entry for line in cycle.proposal.lines if line.number in word.approved]
    return tuple(known[place].heard for entry in approved for place in (entry, *like(known, entry)))


def _approved_in_advance(terms: Judged | Settled, places: Iterable[int], policy: Policy) -> Judged | Settled:
    """Of what is proposed at these places, what stands by itself; the rest waits with what it leans on."""
    for place in places:
        asked, entry = terms.ledger, terms.ledger[place]
        covering = preapproved.covering(entry.changes, policy.auto_approve)
        if entry.status == "proposed" and covering and ledger.fits(terms.config, entry.changes):
            by = f"AUTO_APPROVE ({', '.join(map(str, covering))})"
            terms = _with_its_like(_approved(terms, place, entry.changes, by, policy), asked, place)
    return terms


def _approved(
    terms: Judged | Settled, place: int, changes: tuple[Change, ...], by: str, policy: Policy
) -> Judged | Settled:
    if why := preapproved.beyond(changes, policy.auto_approve):
        return _answered(terms, place, status="unclear", note=why)
    try:
        config = ledger.changed(terms.config, changes)
    except ValidationError:  # it leaned on a line that was not approved
        return now(terms, ledger=_replaced(terms, place, ledger.unfit(terms.ledger[place])))
    return now(_answered(terms, place, status="applied", approved_by=by), config=config)


def _answered(terms: Judged | Settled, place: int, **said: str) -> Judged | Settled:
    return now(terms, ledger=_replaced(terms, place, now(terms.ledger[place], **said)))


def _with_its_like(terms: Judged | Settled, asked: tuple[Entry, ...], place: int) -> Judged | Settled:
    """What was decided at `place` of the ledger is so for lessons that had asked for the same."""
    for other in like(asked, place):
        with_it = ledger.decided_with(asked[other], terms.ledger[place])
        terms = now(terms, ledger=_replaced(terms, other, with_it))
    return terms


def _replaced(terms: Judged | Settled, place: int, entry: Entry) -> tuple[Entry, ...]:
    return (*terms.ledger[:place], entry, *terms.ledger[place + 1 :])


def _reopened(terms: Judged | Settled) -> Terms:
    """Settled exactly when no line waits for an answer, and no lesson for its translation."""
    waits = any(entry.status in {"proposed", "translating"} for entry in terms.ledger)
    phase = Judged if waits else Settled
    return phase(
        base=terms.base,
        config=terms.config,
        ledger=terms.ledger,
        looked_at=terms.looked_at,
        from_plan=terms.from_plan,
    )


def _proposal(terms: Terms, at: datetime, former: Proposal | None) -> Proposal | None:
    """What waits, as one proposal; the former one as long as nothing in it changed. Lessons of one mind are
    one line, and a line keeps its number: a word that is said again must not mean another one."""
    if not isinstance(terms, Judged):
        return None
    waiting = [
        (place, entry)
        for place, entry in enumerate(terms.ledger)
        if entry.status == "proposed" and min((place, *like(terms.ledger, place))) == place
    ]
    numbers = {line.entry: line.number for line in former.lines} if former else {}
    fresh = count(max(numbers.values(), default=0) + 1)
    lines = tuple(
        Line(
            number=numbers.get(place) or next(fresh),
            entry=place,
            changes=entry.changes,
            reason=entry.note,
            translated=entry.translated,
        )
        for place, entry in waiting
    )
    if not lines:
        return None
    proposal = Proposal(hash=ledger.as_proposed(terms).hash, lines=lines, since=at)
    same = former and (former.hash, former.lines) == (proposal.hash, proposal.lines)
    return former if same else proposal
