"""The translator: a program of the operators' choice that says which fields a lesson may mean.

It gets one JSON object on its standard input and prints one; it runs for so long, prints so much, and sees
nothing of our environment but where programs and languages are. Whatever it says is a proposal at most, so
whatever goes wrong with it is a line in the log, and the question that would have been asked without it.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from bot.core.effects import Effect, TranslateLesson
from bot.core.events import LessonTranslated
from bot.shell.deciding.desk import STAMPED, Desk, Note
from protocol.training import TrainingConfig

log = structlog.stdlib.get_logger("translating")

KINDS = ("translate_lesson",)
ALLOWED_S = 60.0
MOST_BYTES = 64 * 1024
SEEN = ("PATH", "LANG", "LC_ALL", "TZ", "HOME")
"""All that it sees of the daemon's environment: no token, no credential."""

_CHANGES: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class NoTranslation(Exception):
    """Why there is none, in one line."""


class Translator:
    def __init__(self, command: Sequence[str], desk: Desk, allowed_s: float = ALLOWED_S) -> None:
        self._command = tuple(command)
        self._desk = desk
        self._allowed_s = allowed_s

    async def carry(self, order: Effect) -> None:
        assert isinstance(order, TranslateLesson), f"{order.kind} is no lesson"
        try:
            changes = await translated(self._command, question(order), self._allowed_s)
        except NoTranslation as error:
            log.warning("no translation", lesson=order.lesson.text, why=str(error))
            changes = {}
        event = LessonTranslated(at=STAMPED, cycle=order.cycle, entry=order.entry, changes=changes)
        await self._desk.tell(Note(event=event, settles=order.key))


def question(order: TranslateLesson) -> dict[str, Any]:
    """What the translator is told: the lesson, why we did not understand it, the config, and every field."""
    return {
        "lesson": order.lesson.model_dump(),
        "not_understood_because": order.why,
        "config": order.config.model_dump(mode="json"),
        "fields": fields(),
    }


def fields() -> dict[str, Any]:
    """`section.field` and the JSON schema of its value: what may be changed, within which bounds."""
    schema = TrainingConfig.model_json_schema()
    return {
        f"{section}.{name}": field
        for section, of in schema["properties"].items()
        for name, field in schema["$defs"][_name_of(of)]["properties"].items()
    }


async def translated(command: Sequence[str], told: Mapping[str, Any], allowed_s: float) -> dict[str, Any]:
    """The fields it names, with their values.

    Raises:
        NoTranslation: it is not there, took too long, failed, or printed something else.
    """
    if not command:
        raise NoTranslation("LESSON_TRANSLATOR is not set any more")
    try:
        async with asyncio.timeout(allowed_s):
            printed = await _printed(command, json.dumps(told, ensure_ascii=False).encode())
    except TimeoutError:
        raise NoTranslation(f"{command[0]} took longer than {allowed_s:.0f} s") from None
    except OSError as error:
        raise NoTranslation(f"{command[0]} cannot be run: {error}") from None
    try:
        return _CHANGES.validate_json(printed)
    except ValidationError:
        raise NoTranslation(f"{command[0]} printed no JSON object: {printed[:80]!r}") from None


async def _printed(command: Sequence[str], told: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in SEEN if name in os.environ},
        start_new_session=True,
    )
    assert process.stdin is not None, "both are pipes"
    assert process.stdout is not None, "both are pipes"
    try:
        with contextlib.suppress(ConnectionError):  # it need not read
            process.stdin.write(told)
            await process.stdin.drain()
        process.stdin.close()
        printed = b""
        while more := await process.stdout.read(MOST_BYTES):
            printed += more
            if len(printed) > MOST_BYTES:
                raise NoTranslation(f"{command[0]} printed more than {MOST_BYTES // 1024} KB")
        if status := await process.wait():
            raise NoTranslation(f"{command[0]} left with status {status}")
        return printed
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """It and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _name_of(section: Mapping[str, Any]) -> str:
    return str(section["$ref"]).rpartition("/")[2]
