"""What the log complains of, in an operator's words."""

import logging
import re
from pathlib import Path

import pytest
import structlog

from bot.shell.machine.log_warnings import IN_WORDS, TOLD_ELSEWHERE, Complaints, worded

SHELL = Path(__file__).parents[4] / "bot" / "shell"
COMPLAINED = re.compile(r'log\.(?:warning|error|exception)\(\s*"([^"]+)"')
TOLD_BY_LEVEL = re.compile(r'told\("([^"]+)", attempt')
"""One is a warning or not, as it turns out."""


def record(
    msg: object, level: int = logging.WARNING, name: str = "lanes", args: object = ()
) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, msg, args, None)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("said", "level", "told"),
    [
        (
            {
                "event": "later",
                "what": "best 업로드 (cycle 7, epoch 50)",
                "why": "holds no files",
                "key": "x",
            },
            logging.WARNING,
            "⚠ best 업로드 (cycle 7, epoch 50) 미룸: holds no files",
        ),
        ({"event": "the session ended", "code": 4000}, logging.WARNING, "⚠ Discord 연결이 끊김 4000"),
        ({"event": "the session ended"}, logging.WARNING, "⚠ Discord 연결이 끊김"),
        (
            {"event": "a message was parked", "kind": "done", "why": "400"},
            logging.ERROR,
            "❌ Discord가 거부한 메시지 (done): 400",
        ),
        ({"event": "something new {x}"}, logging.ERROR, "❌ something new"),
        ({"event": "silent"}, logging.WARNING, None),
    ],
)
def test_ours_are_in_korean_with_a_mark(said: dict[str, object], level: int, told: str | None) -> None:
    assert worded(record(said, level)) == told


def test_a_library_is_told_as_it_stands() -> None:
    told = worded(record("%s is late", logging.ERROR, "discord.gateway", ("Shard",)))
    assert told == "❌ discord.gateway: Shard is late"


def test_there_are_words_for_everything_that_the_shell_complains_of() -> None:
    sources = [path.read_text(encoding="utf-8") for path in SHELL.rglob("*.py")]
    said = {
        event for text in sources for found in (COMPLAINED, TOLD_BY_LEVEL) for event in found.findall(text)
    }
    assert said - IN_WORDS.keys() - TOLD_ELSEWHERE == set()
    assert (IN_WORDS.keys() | TOLD_ELSEWHERE) - said == set(), "nobody says this any more"


def test_only_the_newest_are_kept_and_no_secret_is() -> None:
    kept = Complaints()
    kept.secret = "a.secret"
    log = logging.Logger("test")
    log.addHandler(kept)
    log.info("nothing")
    for number in range(200):
        log.warning("a.secret %d", number)
    told = [one.told for one in kept.newest()]
    assert (told[-1], len(told)) == ("⚠ test: *** 199", 50)


def test_what_structlog_hands_over_is_understood() -> None:
    kept, log = Complaints(), logging.getLogger("a room of its own")
    log.addHandler(kept)
    log.propagate = False
    try:
        bound = structlog.wrap_logger(
            log,
            processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        bound.warning("cannot send now", why="no network")
    finally:
        log.removeHandler(kept)
    (told,) = kept.newest()
    assert told.told == "⚠ Discord로 보내지 못함: no network"
