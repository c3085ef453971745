"""The lessons of a cycle and what became of each. What contradicts another lesson is asked, not guessed.

Watcher's exact word (an order) stands above what was inferred or only hinted at, and a later order above an
earlier one; among equals of one message, or of one file, nobody's word stands above the other's.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.core import preapproved
from bot.core.moves import now
from bot.core.preapproved import Preapproved
from bot.core.state import Entry, Judged, LessonHeard, Settled
from bot.lessons.changes import name_of, written
from bot.lessons.judgement import Impossible, Judgement, Remedied, Satisfied, Unclear
from bot.lessons.remedies import judge
from protocol.roster import Peer
from protocol.training import Change, TrainingConfig

LISTS = frozenset({"dataset.exclude_episodes", "dataset.camera_names", "dataset.image_transforms"})
"""Fields that several lessons add to: two values of them are no contradiction."""

GATHERING = LISTS | {"observation.images"}


@dataclass(frozen=True, slots=True)
class Before:
    """The cycle before: what a lesson without a number tells of, and where its best checkpoint lies."""

    config: TrainingConfig
    best: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """Nothing that he says is beyond the operators' bounds."""

    told_of: Before
    bounds: tuple[Preapproved, ...] = ()

    def of(self, heard: LessonHeard, config: TrainingConfig) -> Judgement:
        """What it comes to where the config is this one."""
        said = judge(heard.lesson, config, self.told_of.config, self.told_of.best)
        why = preapproved.beyond(said.changes, self.bounds) if isinstance(said, Remedied) else ""
        return Impossible(why) if why else said


def entered(
    terms: Judged | Settled,
    heard: tuple[LessonHeard, ...],
    before: Before | None = None,
    bounds: tuple[Preapproved, ...] = (),
) -> Judged | Settled:
    """Judge what was heard at once, each lesson on its own ground, and write it into the ledger."""
    judging = Judge(before or Before(terms.base), bounds)
    fresh: list[LessonHeard] = []
    for one in heard:
        if not _known(one, (*(entry.heard for entry in terms.ledger), *fresh)):
            fresh.append(one)
    disputed = _disputes(terms, fresh, judging)
    for one, dispute in zip(fresh, disputed, strict=True):
        terms = _asked(terms, one, dispute) if dispute else fitting(_weighed(terms, one, judging))
    return terms


def foreseen(
    terms: Judged | Settled, heard: tuple[LessonHeard, ...], bounds: tuple[Preapproved, ...] = ()
) -> Judged | Settled:
    """What would become of lessons under the config as it is now; nothing of it is kept."""
    return entered(now(terms, ledger=()), heard, bounds=bounds)


def as_proposed(terms: Judged | Settled) -> TrainingConfig:
    """The config as it will be if everything open is approved."""
    config = terms.config
    for entry in terms.ledger:
        if entry.status == "proposed":
            config = changed(config, entry.changes)
    return config


def decided_with(entry: Entry, decided: Entry) -> Entry:
    """What becomes of a lesson when another one that asks for the same is decided."""
    if decided.status == "applied":
        return now(entry, status="satisfied", changes=(), note=f"함께 반영: {decided.note}")
    return now(entry, status=decided.status, note=decided.note)


def fitting(terms: Judged | Settled) -> Judged | Settled:
    """Open lines that no longer go with the config are asked about instead."""
    config, ledger = terms.config, list(terms.ledger)
    for place, entry in enumerate(ledger):
        if entry.status == "proposed":
            try:
                config = changed(config, entry.changes)
            except ValidationError:
                ledger[place] = unfit(entry)
    return now(terms, ledger=tuple(ledger))


def unfit(entry: Entry) -> Entry:
    return now(entry, status="unclear", note=f"지금 설정과 함께 쓸 수 없음: {in_words(entry.changes)}")


def changed(config: TrainingConfig, changes: tuple[Change, ...]) -> TrainingConfig:
    """Raises pydantic.ValidationError: they do not go with the rest."""
    return config.with_changes({change.field: _gathered(config, change) for change in changes})


def _gathered(config: TrainingConfig, change: Change) -> Any:
    """Of a list what the change adds and takes away; the rest stays as other lessons have it."""
    if change.field not in LISTS:
        return change.after
    section, _, name = change.field.partition(".")
    gone = set(change.before) - set(change.after)
    new = [one for one in change.after if one not in change.before]
    stays = [one for one in getattr(getattr(config, section), name) if one not in gone]
    return tuple(dict.fromkeys((*stays, *new)))


def journal(ledger: tuple[Entry, ...]) -> tuple[str, ...]:
    """A line for each change that was made: the field, before and after, which lesson, on whose word."""
    return tuple(
        f"{change.field}: {written(change.before)} → {written(change.after)} "
        f"— {entry.heard.lesson.text} ({entry.approved_by})"
        for entry in ledger
        if entry.status == "applied"
        for change in entry.changes
    )


def in_words(changes: tuple[Change, ...]) -> str:
    return ", ".join(f"{name_of(change.field)} {written(change.after)}" for change in changes)


# --- one lesson ---------------------------------------------------------------


def _known(heard: LessonHeard, before: tuple[LessonHeard, ...]) -> bool:
    """What says again what was said is not a second lesson; an order with another remedy is one."""
    return any(
        _says_the_same(one, heard)
        and (heard.rank == "hint" or heard.lesson.remedy in (None, one.lesson.remedy))
        for one in before
    )


def _says_the_same(one: LessonHeard, other: LessonHeard) -> bool:
    return one.lesson.text.split() == other.lesson.text.split()


def _weighed(terms: Judged | Settled, heard: LessonHeard, judging: Judge) -> Judged | Settled:
    match _judged(terms, heard, judging):
        case Remedied(changes, exact=True, summary=summary) if heard.rank == "order" and fits(
            terms.config, changes
        ):
            said_by = f"{Peer.WATCHER} ({heard.source})"
            entry = Entry(heard=heard, status="applied", changes=changes, approved_by=said_by, note=summary)
            terms = _answered_by(heard, changes, _superseded(terms, changes))
            return _with(terms, entry, changed(terms.config, changes))
        case Remedied(changes, summary=summary):
            if dispute := against(terms, changes):
                return _asked(terms, heard, dispute)
            return _with(terms, Entry(heard=heard, status="proposed", changes=changes, note=summary))
        case Satisfied(why):
            return _with(terms, Entry(heard=heard, status="satisfied", note=why))
        case Impossible(why):
            return _asked(terms, heard, why)
        case Unclear(why, example):
            return _asked(terms, heard, f"{why}, 예: {example}")
        case not_ours:
            return _with(terms, Entry(heard=heard, status="not_ours", note=not_ours.why))


def _judged(terms: Judged | Settled, heard: LessonHeard, judging: Judge) -> Judgement:
    """An order is weighed against what holds, anything else against what is proposed, too."""
    now_ = judging.of(heard, terms.config)
    if _is_order(heard, now_):
        return now_
    then = judging.of(heard, as_proposed(terms))
    only_proposed = isinstance(then, Satisfied) and isinstance(now_, Remedied)
    return now_ if only_proposed else then


def _is_order(heard: LessonHeard, judgement: Judgement) -> bool:
    return heard.rank == "order" and isinstance(judgement, Remedied) and judgement.exact


def fits(config: TrainingConfig, changes: tuple[Change, ...]) -> bool:
    """Without anything that is still open?"""
    try:
        changed(config, changes)
    except ValidationError:
        return False
    return True


def _with(terms: Judged | Settled, entry: Entry, config: TrainingConfig | None = None) -> Judged | Settled:
    return now(terms, config=config or terms.config, ledger=(*terms.ledger, entry))


def _asked(terms: Judged | Settled, heard: LessonHeard, why: str) -> Judged | Settled:
    return _with(terms, Entry(heard=heard, status="unclear", note=why))


# --- one lesson against another ---------------------------------------------------


def _superseded(terms: Judged | Settled, order: tuple[Change, ...]) -> Judged | Settled:
    """The ledger under a new order: what it decides otherwise no longer rests on an earlier lesson."""
    decided = {change.field: change.after for change in order if change.field not in GATHERING}
    return now(terms, ledger=tuple(_under(entry, decided, order) for entry in terms.ledger))


def _answered_by(
    order: LessonHeard, changes: tuple[Change, ...], terms: Judged | Settled
) -> Judged | Settled:
    """What was asked back is answered when an order says it again, or says a remedy and nothing else where
    nothing else was asked."""
    asked = [place for place, entry in enumerate(terms.ledger) if entry.status == "unclear"]
    again = [place for place in asked if _says_the_same(terms.ledger[place].heard, order)]
    bare = order.lesson.text == order.lesson.remedy and len(asked) == 1
    answered = asked if bare else again
    done = f"Watcher 지시로 반영: {in_words(changes)}"
    return now(
        terms,
        ledger=tuple(
            now(entry, status="satisfied", note=done) if place in answered else entry
            for place, entry in enumerate(terms.ledger)
        ),
    )


def _under(entry: Entry, decided: dict[str, Any], order: tuple[Change, ...]) -> Entry:
    remaining = tuple(change for change in entry.changes if change.field not in decided)
    if len(remaining) == len(entry.changes) or entry.status not in {"proposed", "applied"}:
        return entry
    if entry.status == "applied" and remaining:
        return now(entry, changes=remaining, note=f"{in_words(remaining)} (그 밖은 이후 지시로 대체)")
    agreed = all(decided.get(change.field) == change.after for change in entry.changes)
    if agreed:
        return now(entry, status="satisfied", changes=(), note=f"Watcher 지시로 반영: {in_words(order)}")
    return now(entry, status="rejected", changes=(), note=f"Watcher 지시로 대체: {in_words(order)}")


def against(terms: Judged | Settled, changes: tuple[Change, ...]) -> str:
    """Why these changes, which nobody ordered, contradict a lesson heard before; empty if they do not."""
    for entry in (one for one in terms.ledger if one.status in {"proposed", "applied"}):
        if dispute := _dispute(changes, entry.changes, entry.heard):
            return dispute
    return ""


def _disputes(terms: Judged | Settled, fresh: list[LessonHeard], judging: Judge) -> list[str]:
    """For each lesson of those heard at once why it contradicts another of the same standing, or nothing."""
    start = as_proposed(terms)
    judged = [(one, judging.of(one, start)) for one in fresh]
    asking = [
        (one, judgement.changes, _is_order(one, judgement)) if isinstance(judgement, Remedied) else None
        for one, judgement in judged
    ]
    return [_first_dispute(place, asking) for place in range(len(asking))]


type _Asking = tuple[LessonHeard, tuple[Change, ...], bool]


def _first_dispute(place: int, asking: list[_Asking | None]) -> str:
    mine = asking[place]
    if mine is None:
        return ""
    others = [one for one in (*asking[:place], *asking[place + 1 :]) if one and one[2] == mine[2]]
    found = (_dispute(mine[1], changes, heard) for heard, changes, _ in others)
    return next(filter(None, found), "")


def _dispute(mine: tuple[Change, ...], others: tuple[Change, ...], said: LessonHeard) -> str:
    theirs = {change.field: change.after for change in others if change.field not in GATHERING}
    for change in mine:
        if change.field in theirs and theirs[change.field] != change.after:
            name, here, there = name_of(change.field), written(change.after), written(theirs[change.field])
            return f"다른 레슨런과 충돌: {name} {here} ↔ {there} ({said.lesson.text})"
    return ""
