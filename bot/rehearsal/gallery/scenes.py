"""What the page is told: messages, gauges, the curve and the tracks, as JSON objects. Reads, never writes."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.core.policy import Policy
from bot.rehearsal.cast import Person, short_name
from bot.rehearsal.console import Review
from bot.rehearsal.discord.guild import Attachment, Message
from bot.rehearsal.gallery import words
from bot.rehearsal.gauges import gauges, job_of
from bot.rehearsal.judging.judge import passed
from bot.rehearsal.stage import Stage
from bot.shell.machine.places import Places
from bot.shell.outlook.looking import look
from bot.shell.remembering.store import StoreUnusable
from bot.shell.supervising.tail import everything
from protocol.folders import RunFolder
from protocol.progress import Progress, Saved, Started, Stepped

type Json = dict[str, Any]

CURVE_POINTS = 400
"""More than a screen can show is not sent."""


def message(one: Message, people: dict[int, Person]) -> Json:
    """Ids are text: JavaScript cannot count so far."""
    return {
        "id": str(one.id),
        "author": short_name(one.author),
        "at": one.sent_at.isoformat(),
        "content": one.content,
        "mentions": {str(each): short_name(people[each]) for each in one.mentions if each in people},
        "attachments": [_attachment(each) for each in one.attachments],
        "reply_to": str(one.reply_to) if one.reply_to else None,
        "edited": one.edited_at is not None,
        "reactions": {emoji: len(users) for emoji, users in one.reactions.items()},
    }


def _attachment(one: Attachment) -> Json:
    picture = one.content_type.startswith("image/") or one.filename.endswith(".png")
    return {"name": one.filename, "url": f"attachments/{one.id}", "picture": picture}


def readings(stage: Stage) -> Json:
    """Everything that is read again and again from the files the daemon and its jobs leave."""
    return {
        "gauges": [asdict(gauge) for gauge in gauges(stage)],
        "curve": curve(stage),
        **_state(stage),
    }


def _state(stage: Stage) -> Json:
    try:
        seen = look(Places(stage.state), Policy(bucket=stage.bucket_url), datetime.now(UTC))
    except StoreUnusable:  # not yet begun
        return {"title": words.IDLE, "tracks": {}}
    return {
        "title": words.title(seen.state.cycle),
        "tracks": words.tracks(seen.state),
    }


def curve(stage: Stage) -> Json:
    """The newest run's losses over epochs, its attempts one after the other, and its saves."""
    runs = sorted(stage.runs.glob("*"), key=lambda run: run.stat().st_mtime)
    if not runs:
        return {"points": [], "saves": [], "epochs": 0}
    lines = [line for attempt in _trainings(RunFolder(runs[-1])) for line in attempt]
    frames = next((line.frames for line in lines if isinstance(line, Started)), 0)
    stepped = [line for line in lines if isinstance(line, Stepped)]
    every = len(stepped) // CURVE_POINTS + 1
    return {
        "points": [_point(line, frames) for line in (*stepped[:-1:every], *stepped[-1:])],
        "saves": [
            {"epoch": line.epoch, "what": line.what}
            for line in lines
            if isinstance(line, Saved) and line.what != "resume"
        ],
        "epochs": stepped[-1].epochs if stepped else 0,
    }


def _point(line: Stepped, frames: int) -> Json:
    return {
        "epoch": line.samples / frames if frames else line.epoch,
        "loss": line.loss,
        "l1": line.l1,
        "channels": line.l1_by_action,
    }


def _trainings(run: RunFolder) -> list[list[Progress]]:
    """What each attempt of `run` at training has said, the first attempt first."""
    attempts = sorted(run.path.glob("attempts/*"), key=lambda path: int(path.name))
    return [everything(attempt / "events.jsonl") for attempt in attempts if _trains(attempt)]


def _trains(attempt: Path) -> bool:
    job = job_of(attempt)
    return job is not None and job.kind == "train"


def verdict(review: Review) -> Json:
    return {
        "passed": passed(review.acts),
        "acts": [{"name": act.name, "passed": act.passed, "evidence": act.evidence} for act in review.acts],
        "numbers": asdict(review.numbers) if review.numbers else None,
    }
