"""A lesson that no remedy understands may be put to a translator before it is asked back.

What a translator makes of it is never more than inferred: it becomes a line of the proposal that nothing but
somebody's word approves, no grace time either. Whatever goes wrong leads to the question that would have been
asked at once. Until its answer is here, which is a matter of seconds, the terms are not settled.
"""

from collections.abc import Mapping
from typing import Any

from bot.core.effects import TranslateLesson
from bot.core.moves import now
from bot.core.state import Entry, Judged, Settled
from bot.core.tracks import ledger
from bot.lessons.changes import changing
from bot.lessons.judgement import Remedied

MOST_CHANGES = 8


def wanted(known: Judged | Settled, place: int, cycle: int) -> TranslateLesson:
    """`place` is the entry's in the ledger, which only grows: so each lesson is put to it once."""
    entry = known.ledger[place]
    return TranslateLesson(
        cycle=cycle, entry=place, lesson=entry.heard.lesson, why=entry.note, config=known.config
    )


def waits(entry: Entry) -> Entry:
    return now(entry, status="translating")


def understood(known: Judged | Settled, entry: Entry, changes: Mapping[str, Any]) -> Entry:
    """With its changes, where they are any and may be made; else to be asked about, as it stood."""
    asked = now(entry, status="unclear")
    if not 0 < len(changes) <= MOST_CHANGES:
        return asked
    try:
        judgement = changing(known.config, changes, exact=False)
    except KeyError:
        return asked
    if not isinstance(judgement, Remedied) or ledger.against(known, judgement.changes):
        return asked
    note = f"번역기의 제안: {judgement.summary}"
    return now(entry, status="proposed", changes=judgement.changes, note=note, translated=True)
