"""The terms track: with which config will this cycle train, and on whose word?

What Watcher itself said exactly is approved by being said. What was inferred, and what a file only hints at,
becomes one proposal that waits. Nothing else ever changes a field.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.core import words
from bot.core.effects import ReadTerms
from bot.core.events import TermsRead, TermsUnreadable
from bot.core.moves import Move, now, say
from bot.core.policy import Policy
from bot.core.state import Cycle, Entry, Judged, LessonHeard, Line, Proposal, Settled, Terms, Unread
from bot.lessons.judgement import Impossible, Remedied, Satisfied, Unclear
from bot.lessons.remedies import judge
from protocol.roster import Peer
from protocol.training import Change, TrainingConfig


def look(cycle: Cycle) -> Move:
    asked = cycle.asked + 1
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
                looked_at=tuple(file.name for file in event.files),
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
    return cycle, say(words.broken_plan(event.errors))


def take_in(cycle: Cycle, heard: tuple[LessonHeard, ...], at: datetime, policy: Policy) -> Move:
    """Judge lessons before the start and say what became of each."""
    terms = cycle.terms
    assert not isinstance(terms, Unread), "lessons are judged once the terms were read"
    before = len(terms.ledger)
    for one in heard:
        if not _known(one, terms.ledger):
            terms = _weighed(terms, one)
    fresh = terms.ledger[before:]
    settled = _reopened(terms)
    proposal = _proposal(settled, at, cycle.proposal)
    after = now(cycle, terms=settled, proposal=proposal)
    said = (
        *words.changes_applied(after, fresh),
        *words.questions_about(fresh, policy),
        *(words.proposal_posted(after, proposal, policy) if proposal and proposal != cycle.proposal else ()),
    )
    return after, say(*said)


@dataclass(frozen=True, slots=True)
class Word:
    """Somebody's yes and no to lines of the open proposal, by number."""

    by: str
    approved: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()
    reason: str = ""


def answer(cycle: Cycle, word: Word, at: datetime, policy: Policy) -> Move:
    """Take a word on the open proposal. What it says nothing of stays open."""
    assert cycle.proposal is not None, "there is a proposal to answer"
    assert not isinstance(cycle.terms, Unread), "a proposal comes from judged lessons"
    terms, ledger = cycle.terms, list(cycle.terms.ledger)
    config = terms.config
    for line in cycle.proposal.lines:
        if line.number in word.approved:
            config = _with(config, line.changes)
            ledger[line.entry] = now(
                ledger[line.entry], status="applied", approved_by=f"{word.by} (제안 {cycle.proposal.hash})"
            )
        elif line.number in word.rejected:
            ledger[line.entry] = now(
                ledger[line.entry], status="rejected", note=word.reason or f"{word.by} 반려"
            )
    answered = tuple(ledger[line.entry] for line in cycle.proposal.lines if line.number in word.approved)
    after_terms = _reopened(now(terms, config=config, ledger=tuple(ledger)))
    proposal = _proposal(after_terms, at, cycle.proposal)
    after = now(cycle, terms=after_terms, proposal=proposal)
    said = (
        *words.changes_applied(after, answered),
        *(words.proposal_posted(after, proposal, policy) if proposal and proposal != cycle.proposal else ()),
    )
    return after, say(*said)


def _known(heard: LessonHeard, ledger: tuple[Entry, ...]) -> bool:
    """A hint that says what was said already is not a second lesson."""
    return any(entry.heard.lesson.text.split() == heard.lesson.text.split() for entry in ledger)


def _weighed(terms: Judged | Settled, heard: LessonHeard) -> Judged | Settled:
    judgement = judge(heard.lesson, _as_proposed(terms))
    match judgement:
        case Remedied(changes, exact=True, summary=summary) if heard.rank == "order":
            said_by = f"{Peer.WATCHER} ({heard.source})"
            entry = Entry(heard=heard, status="applied", changes=changes, approved_by=said_by, note=summary)
            config = _with(terms.config, changes)
        case Remedied(changes, summary=summary):
            entry = Entry(heard=heard, status="proposed", changes=changes, note=summary)
            config = terms.config
        case Satisfied(why):
            entry, config = Entry(heard=heard, status="satisfied", note=why), terms.config
        case Impossible(note):
            entry, config = Entry(heard=heard, status="unclear", note=note), terms.config
        case Unclear(why, example):
            note = f"{why}, 예: {example}"
            entry, config = Entry(heard=heard, status="unclear", note=note), terms.config
        case not_ours:
            entry, config = Entry(heard=heard, status="not_ours", note=not_ours.why), terms.config
    return now(terms, config=config, ledger=(*terms.ledger, entry))


def _as_proposed(terms: Judged | Settled) -> TrainingConfig:
    """The config as it will be if everything open is approved: what the next lesson is weighed against."""
    config = terms.config
    for entry in terms.ledger:
        if entry.status == "proposed":
            config = _with(config, entry.changes)
    return config


def _reopened(terms: Judged | Settled) -> Terms:
    """Settled exactly when no line waits for an answer."""
    waits = any(entry.status == "proposed" for entry in terms.ledger)
    phase = Judged if waits else Settled
    return phase(
        base=terms.base,
        config=terms.config,
        ledger=terms.ledger,
        looked_at=terms.looked_at,
        from_plan=terms.from_plan,
    )


def _proposal(terms: Terms, at: datetime, former: Proposal | None) -> Proposal | None:
    """What waits, as one proposal; the former one as long as nothing in it changed."""
    if not isinstance(terms, Judged):
        return None
    waiting = [(place, entry) for place, entry in enumerate(terms.ledger) if entry.status == "proposed"]
    lines = tuple(
        Line(number=number, entry=place, changes=entry.changes, reason=entry.note)
        for number, (place, entry) in enumerate(waiting, start=1)
    )
    proposal = Proposal(hash=_as_proposed(terms).hash, lines=lines, since=at)
    same = former and (former.hash, former.lines) == (proposal.hash, proposal.lines)
    return former if same else proposal


def _with(config: TrainingConfig, changes: tuple[Change, ...]) -> TrainingConfig:
    return config.with_changes({change.field: change.after for change in changes})
