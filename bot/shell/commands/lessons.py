"""`training-claw lessons`: what would become of a lesson, and which changes were made on whose word."""

import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from bot.core.state import Entry, Judged, LessonHeard, Settled
from bot.core.state.terms import like
from bot.core.tracks import ledger
from bot.lessons.changes import written
from bot.shell.commands.state_dir import STATE_DIR
from bot.shell.machine.places import Places
from bot.shell.remembering.store import StoreUnusable, open_to_read
from protocol import paths
from protocol.lessons import MOST, read_lessons
from protocol.messages import ChangeReport, Lesson
from protocol.parts import join
from protocol.plan import PlanBroken, read_plan
from protocol.text import read_said
from protocol.training import Change, TrainingConfig
from protocol.voice import CARD_VOICE

VERDICTS = {
    "applied": "applied, reported before the start",
    "proposed": "waits for Watcher's approval",
    "satisfied": "is so already",
    "unclear": "asked back",
    "not_ours": "not ours, kept",
    "rejected": "gives way to another lesson",
}

_TEXT = click.Path(path_type=Path)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


class Unreadable(Exception):
    """The message is one line: the file, what is wrong with it, and what to do."""


@click.group(
    "lessons",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  training-claw lessons explain lessons/cycle03.md --hints
  training-claw lessons log""",
)
def lessons() -> None:
    """What lessons would change, and what they have changed."""


@lessons.command(
    epilog="""\b
Examples:
  training-claw lessons explain lessons/cycle03.md --hints
  echo '[학습] batch_size 64에서 GPU 메모리 부족' | training-claw lessons explain - --json
  echo '[학습] 이전 checkpoint에서 이어서 학습' | training-claw lessons explain - --cycle 3

Nothing is sent, saved or changed. Exit codes: 0 explained, 1 FILE or PLAN is unreadable, 2 no lesson."""
)
@click.argument("file", type=_TEXT)
@click.option("--plan", type=_TEXT, help="The PLAN.md whose config they meet.")
@click.option(
    "--hints", is_flag=True, help="As if they stood in a file of the bucket, not in Watcher's words."
)
@click.option(
    "--cycle",
    type=click.IntRange(1),
    default=1,
    help="The cycle they are for: after the first there is one before.",
)
@_AS_JSON
def explain(file: Path, plan: Path | None, hints: bool, cycle: int, as_json: bool) -> None:
    """The verdict on each lesson in FILE (- is standard input), with its diff, its hash or its question."""
    try:
        base = _planned(plan) if plan else TrainingConfig()
        found = read_lessons(_text_of(file))
        if len(found) > MOST:
            raise Unreadable(
                f"{file}: {len(found)} lessons, more than the {MOST} of a file; name the right one"
            )
        terms = explained(found, base, hints=hints, cycle=cycle)
    except Unreadable as error:
        click.echo(f"training-claw lessons: {error}", err=True)
        sys.exit(1)
    if not terms.ledger:
        click.echo(f"{file}: no lesson in it; write one as `[학습] …` or under a heading `레슨런`", err=True)
        sys.exit(2)
    outcome = ledger.as_proposed(terms)
    if as_json:
        verdicts = [_as_object(place, terms.ledger) for place in range(len(terms.ledger))]
        told = {"config": terms.config.hash, "if_approved": outcome.hash, "lessons": verdicts}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for place in range(len(terms.ledger)):
        click.echo("\n".join(_in_lines(place, terms.ledger)))
    click.echo(f"config {base.hash} → {terms.config.hash}, with what waits {outcome.hash}")


def _planned(path: Path) -> TrainingConfig:
    """Raises Unreadable."""
    try:
        return read_plan(_text_of(path)).config
    except PlanBroken as error:
        raise Unreadable(f"{path}: {error}") from None


def _text_of(path: Path) -> str:
    """Raises Unreadable."""
    try:
        with click.open_file(str(path), encoding="utf-8") as file:  # knows `-`
            return file.read()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}; name a file that can be read") from None
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8") from None


def explained(
    found: Iterable[Lesson], base: TrainingConfig, *, hints: bool = False, cycle: int = 1
) -> Judged | Settled:
    """Lessons, judged on a cycle that would otherwise train with `base`."""
    heard = tuple(
        LessonHeard(lesson=lesson, rank="hint" if hints else "order", source="lessons explain")
        for lesson in found
    )
    fresh = Judged(base=base, config=base, ledger=(), looked_at=(), from_plan=())
    before = ledger.Before(base, paths.act_best(cycle - 1)) if cycle > 1 else None
    return ledger.entered(fresh, heard, before)


@lessons.command(
    epilog="""\b
Examples:
  training-claw lessons log
  training-claw lessons log --json | jq -r '.[].field'

It reads STATE_DIR and nothing else: the daemon may run or not. Exit code 1: there is nothing to read."""
)
@STATE_DIR
@_AS_JSON
def log(state_dir: Path, as_json: bool) -> None:
    """Every change of the config: when, which cycle, which lesson, on whose word."""
    try:
        entries = list(journal(Places(state_dir).database))
    except StoreUnusable as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(entries, ensure_ascii=False, indent=2))
        return
    for one in entries:
        click.echo(f"{one['at']}  cycle {one['cycle']}  {one['field']}: {one['before']} → {one['after']}")
        click.echo(f"    {one['lesson']} — {one['approved_by']}")
    if not entries:
        click.echo("no change so far")


def journal(database: Path) -> Iterator[dict[str, Any]]:
    """Each change that was reported, the oldest first: read out of the reports themselves.

    Raises:
        StoreUnusable: there is no database, or it cannot be read. One line.
    """
    if not database.is_file():
        raise StoreUnusable(f"{database} does not exist: name the daemon's folder by --state-dir")
    query = "SELECT ref, created_at, content FROM outbox WHERE kind = 'change_report' ORDER BY seq"
    try:
        with closing(open_to_read(database)) as db:
            rows = db.execute(query).fetchall()
    except sqlite3.Error as error:
        raise StoreUnusable(f"{database}: {error}; see `training-claw state --help`") from None
    for _, group in groupby(rows, key=lambda row: row["ref"]):
        parts = list(group)
        report = read_said(join([row["content"] for row in parts]), CARD_VOICE)
        if isinstance(report, ChangeReport):
            at = datetime.fromisoformat(parts[0]["created_at"]).astimezone(UTC)
            yield from _entries(report, at)


def _entries(report: ChangeReport, at: datetime) -> Iterator[dict[str, Any]]:
    for one in report.changes:
        words = {"lesson": one.lesson, "approved_by": one.approved_by}
        yield {"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "cycle": report.cycle, **one.change.model_dump(), **words}


def _in_lines(place: int, entries: tuple[Entry, ...]) -> Iterator[str]:
    entry, first = entries[place], _asked_first(place, entries)
    lesson = entry.heard.lesson
    yield f"{place + 1}. [{lesson.category}] {lesson.text}"
    if first is not None:
        yield f"   the same as {first + 1}, waits with it: {entry.note}"
        return
    yield f"   {VERDICTS[entry.status]}: {entry.note}"
    yield from (f"   {_diff(change)}" for change in entry.changes)


def _asked_first(place: int, entries: tuple[Entry, ...]) -> int | None:
    """The place of an earlier lesson that waits and asks for the same; one answer is for both."""
    return next((other for other in like(entries, place) if other < place), None)


def _diff(change: Change) -> str:
    return f"{change.field}: {written(change.before)} → {written(change.after)}"


def _as_object(place: int, entries: tuple[Entry, ...]) -> dict[str, Any]:
    entry, first = entries[place], _asked_first(place, entries)
    lesson = entry.heard.lesson
    said = {"category": lesson.category, "text": lesson.text, "remedy": lesson.remedy}
    changes = [change.model_dump() for change in entry.changes]
    same = {} if first is None else {"same_as": first + 1}
    return {**said, "verdict": entry.status, "note": entry.note, "changes": changes, **same}
