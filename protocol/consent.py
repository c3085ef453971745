"""Is this a yes, a no, or neither? Read in the peers' own words, conservatively.

A message is taken apart into clauses. Only a clause that as a whole says yes is a yes; a negation, a
question, a quotation, a condition, a number that might be another value never is. What touches consent
without being clear is `unclear`, and is asked back.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from protocol import vocabulary
from protocol.lines import Spoken
from protocol.quotation import MARK

HASH = re.compile(r"(?<![\w.-])(?=[0-9a-f]*\d)([0-9a-f]{6,64})(?![a-z0-9_-])(?:[은는을를만도의에](?=\s))?")
"""A proposal's name in running text, with the particle behind it."""

_QUOTED = re.compile(
    r"\"[^\"\n]*\"|“[^“”\n]*”|‘[^‘’\n]*’|「[^「」\n]*」|『[^『』\n]*』|(?<!\w)'[^'\n]*'(?![a-z0-9])"
)
_BREAKS = re.compile(
    r"\n+|[.!…。！;；]+(?=\s|$)|[,，、](?=\s|$)|(?<=[?？])|\s[—–-]\s|\s(?:그리고|and)\s|(?<=승인|동의|반려|보류|거절)\s+(?=#?\d+\s?번)"
)
_ASIDE = re.compile(r"\([^()\n]*\)")
_DECOR = " \t.,:;·~^\"'()[]*-–—!"
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]+")
_ITEM = re.compile(r"(?:#|항목 ?)?(\d{1,3})(?:\s?[-~–]\s?(\d{1,3}))? ?(?:번째|번|항목|항|$)")
_ITEM_IN_ENGLISH = re.compile(r"(?:#|items? |numbers? |no\.? ?)(\d{1,3})(?:\s?[-~–]\s?(\d{1,3}))?")
_PARTICLE = re.compile(r"(?:[은는을를만도과와이가의]{0,2}(?=\s|$)|\s?[:：=])\s*(?:(?:및|and|&)\s+)?")
_ALL_BUT = re.compile(
    r"[은는을를]?\s*(?:빼고|제외하고|제외한|말고)(?:\s+(?:나머지[는도를]?|모두|전부|다))*(?:\s+|$)"
)

Verdict = Literal["yes", "no", "acknowledged", "unclear", "none"]
Word = Literal["yes", "bare yes", "no", "noted", "courtesy", "question", "risky", "touches", "items", "other"]
DOUBTFUL = frozenset[Word]({"question", "risky", "touches", "items"})


@dataclass(frozen=True, slots=True)
class Consent:
    """`items` are the lines a yes or a no is about, all when empty; `held` those kept back beside a yes.

    `proposal` is the hash named on the way.
    """

    verdict: Verdict
    proposal: str | None = None
    items: tuple[int, ...] = ()
    held: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """`all_but`: the word is about everything except `items`."""

    word: Word
    items: tuple[int, ...] = ()
    all_but: bool = False


def read_consent(lines: Iterable[Spoken]) -> Consent:
    """What the unquoted lines of a message say to the proposal that is open."""
    text = "\n".join(line.text for line in lines if not line.quoted).casefold()
    bare = _QUOTED.sub(f" {MARK} ", text)
    named = {found[1] for found in HASH.finditer(bare)}
    if len(named) > 1:
        return Consent("unclear")
    if named:
        bare = _ASIDE.sub(_unless_doubtful, bare)
    clauses = [_clause(one) for one in _BREAKS.split(HASH.sub(" ", bare)) if one and one.strip(_DECOR)]
    return _judged(tuple(_carried(clauses)), named.pop() if named else None)


def takes_back(text: str) -> bool:
    """Does what stands behind an [APPROVE] question it, limit it or say the opposite?"""
    bare = _QUOTED.sub(" ", text.casefold())
    doubts = (vocabulary.NEGATED, vocabulary.CONDITION, vocabulary.HESITANT, vocabulary.AGAINST)
    return "?" in bare or "？" in bare or any(doubt.search(bare) for doubt in doubts)


def named_items(text: str) -> tuple[int, ...]:
    """Item numbers in a list behind a tag: `1, 3`, `1번`, `#2`, `1-3`.

    >>> named_items("1번, 3-5")
    (1, 3, 4, 5)
    """
    return _spans(re.finditer(r"(?<![\w.=#])#?(\d{1,3})(?:\s?[-~–]\s?(\d{1,3}))?(?=번|항|[,)\s]|\.?$)", text))


def _unless_doubtful(aside: re.Match[str]) -> str:
    """Beside a proposal's name its values may be repeated; the name says which are meant."""
    return aside[0] if takes_back(aside[0]) else " "


def _judged(clauses: tuple[Clause, ...], proposal: str | None) -> Consent:
    words = {clause.word for clause in clauses}
    yes = [clause for clause in clauses if clause.word == "yes"]
    no = [clause for clause in clauses if clause.word == "no"]
    if yes:
        contradicted = bool(words & DOUBTFUL) or any(not clause.items for clause in no)
        verdict = "unclear" if contradicted else "yes"
        return Consent(
            verdict, proposal, _approved(yes), _numbers([*no, *(one for one in yes if one.all_but)])
        )
    if no:
        doubtful = bool(words & {"question", "touches"})
        return Consent("unclear" if doubtful else "no", proposal, _numbers(no))
    if "question" in words:
        return Consent("none", proposal)
    if words & {"touches", "items"} or words >= {"bare yes", "risky"}:
        return Consent("unclear", proposal)
    if words <= {"bare yes", "courtesy"} and "bare yes" in words:
        return Consent("yes", proposal)
    if words <= {"noted", "bare yes", "courtesy"} and "noted" in words:
        return Consent("acknowledged", proposal)
    return Consent("none", proposal)


def _approved(yes: list[Clause]) -> tuple[int, ...]:
    """Nothing, meaning all, as soon as one yes is about everything."""
    return _numbers(yes) if all(clause.items and not clause.all_but for clause in yes) else ()


def _numbers(clauses: Iterable[Clause]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(number for clause in clauses for number in clause.items))


def _carried(clauses: Iterable[Clause]) -> Iterator[Clause]:
    """`1번, 3번 승인`: numbers without a word belong to the word that follows."""
    waiting: list[int] = []
    for clause in clauses:
        if clause.word == "items":
            waiting += clause.items
        elif clause.items:
            yield Clause(clause.word, (*waiting, *clause.items), clause.all_but)
            waiting = []
        else:
            yield clause
    if waiting:
        yield Clause("items", tuple(waiting))


def _clause(text: str) -> Clause:
    words = " ".join(text.strip(_DECOR).split())
    spoken = vocabulary.LABEL.sub("", _EMOJI.sub("", words).strip(_DECOR) or words)
    if MARK in words:
        return Clause("risky" if vocabulary.TOUCHES.search(words) else "other")
    if vocabulary.QUESTION.fullmatch(words):
        return Clause("question")
    items, rest, all_but = _without_items(spoken)
    word = _word(rest) if rest else "items"
    doubtful = word in ("yes", "bare yes") and vocabulary.AGAINST.search(words) and spoken != words
    return Clause("touches" if doubtful else word, items, all_but)


def _without_items(words: str) -> tuple[tuple[int, ...], str, bool]:
    found: list[re.Match[str]] = []
    at = 0
    while item := _ITEM.match(words, at) or _ITEM_IN_ENGLISH.match(words, at):
        found.append(item)
        at = item.end()
        if exception := _ALL_BUT.match(words, at):
            return _spans(found), words[exception.end() :], True
        if particle := _PARTICLE.match(words, at):
            at = particle.end()
    return _spans(found), words[at:].strip(), False


def _word(words: str) -> Word:
    if vocabulary.BARE_YES.fullmatch(words):
        return "bare yes"
    if said := _plainly(words):
        return said
    if vocabulary.COURTESY.fullmatch(words):
        return "courtesy"
    if vocabulary.TOUCHES.search(words):
        return "touches"
    doubts = (vocabulary.NEGATED, vocabulary.CONDITION, vocabulary.HESITANT, vocabulary.VALUE)
    return "risky" if any(doubt.search(words) for doubt in doubts) else "other"


def _plainly(words: str) -> Word | None:
    """Yes, no or noted, once the words that change nothing are taken off its head."""
    rest = words
    while True:
        if vocabulary.NO.fullmatch(rest):
            return None if vocabulary.BOTH_WAYS.match(rest) else "no"
        if vocabulary.YES.fullmatch(rest):
            return "yes"
        if vocabulary.NOTED.fullmatch(rest):
            return "noted"
        filler = vocabulary.FILLER.match(rest)
        if filler is None:
            return None
        rest = rest[filler.end() :]


def _spans(found: Iterable[re.Match[str]]) -> tuple[int, ...]:
    numbers: list[int] = []
    for one in found:
        first = int(one[1])
        numbers += range(first, min(int(one[2] or first), first + 50) + 1)
    return tuple(dict.fromkeys(numbers))
