"""What was lost by the end of a play: messages, checkpoints, or the last bits of what was learned."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot.rehearsal.cast import OPERATOR_ID
from bot.rehearsal.drill.theatre import ROSTER, Theatre
from bot.rehearsal.drill.vault import Vault, store_of
from bot.rehearsal.judging.judge import ACTS, Play
from bot.rehearsal.judging.judge import Missing as NotPlayed
from bot.rehearsal.players import script
from bot.shell.bucket import list_checkpoints, verify
from bot.shell.bucket.errors import StoreError
from bot.shell.remembering import tables
from bot.shell.remembering.store import open_to_read

JUDGED = (
    "Watcher's HANDOFF was heard",
    "Developer's HANDOFF was heard",
    "Changes were reported before the start",
    "What was inferred was proposed and approved",
    "The start was reported",
    "DONE accounts for every lesson, once",
    "Evaluation got the HANDOFF, alone and once",
    "Every message reaches whom it must",
)
"""Acts of a rehearsal that must take place under faults, too. Nobody evaluates here: weights are compared."""


class Ending(BaseModel):
    """How a play ended. `weights` are SHA-256 by path in the bucket, of every checkpoint that is left.

    `wrong` is what must not have happened, one line each.
    """

    model_config = ConfigDict(frozen=True)

    weights: dict[str, str] = {}
    asked: int = 0
    lost: tuple[int, ...] = ()
    doubled: int = 0
    owed: int = 0
    wrong: tuple[str, ...] = ()


async def reckoned(theatre: Theatre) -> Ending:
    """Look at everything. The daemon no longer runs."""
    backlog = _backlog(theatre.places.database)
    broken = await _broken_checkpoints(theatre.vault)
    return Ending(
        weights=dict(theatre.vault.weights()),
        asked=theatre.asked,
        lost=theatre.tally.lost(range(theatre.asked)),
        doubled=theatre.tally.doubled(),
        owed=backlog,
        wrong=(*theatre.troubles, *_not_played(theatre), *_absent(theatre), *broken),
    )


def _backlog(database: Path) -> int:
    """Messages and orders that are still owed, or were refused."""
    try:
        with closing(open_to_read(database)) as db:
            left = tables.backlog(db)
    except sqlite3.Error:
        return -1
    return left.parts + left.effects + left.parked


def _not_played(theatre: Theatre) -> list[str]:
    play = Play(theatre.discord.record.entries, ROSTER, (OPERATOR_ID,))
    wrong: list[str] = []
    for name in JUDGED:
        try:
            ACTS[name](play)
        except NotPlayed as missing:
            wrong.append(f"{name}: {missing}")
    return wrong


def _absent(theatre: Theatre) -> list[str]:
    """Paths that were named before they were there, or after they had gone."""
    entries = theatre.discord.record.entries
    ours = [one for one in entries if one.author_id == ROSTER.training]
    absent = sorted({path for one in ours for path, there in script.promised(one).items() if not there})
    return [f"named and not there at that moment: {path}" for path in absent]


async def _broken_checkpoints(vault: Vault) -> list[str]:
    """Every checkpoint of ours must be whole: a reader trusts it."""
    store, wrong = store_of(vault), list[str]()
    try:
        for one in await list_checkpoints(store):
            if not one.complete:
                wrong.append(f"{one.path} is not complete")
                continue
            try:
                await verify(store, one.path)
            except StoreError as error:
                wrong.append(str(error))
    finally:
        await store.close()
    return wrong


def differences(ending: Ending, undisturbed: Ending) -> list[str]:
    """Which weights are missing, or other than an undisturbed play's."""
    names = Counter([*ending.weights, *undisturbed.weights])
    return [name for name in sorted(names) if ending.weights.get(name) != undisturbed.weights.get(name)]
