"""Logging: colours on a terminal, one JSON object a line elsewhere; the token in neither."""

import logging
import os
import sys
from datetime import datetime

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.shell.machine import journal
from bot.shell.machine.log_warnings import LATELY

LIBRARIES = ("discord", "apscheduler", "aiohttp", "asyncio", "gcloud")


def set_up_logs(secret: str) -> None:
    """All logs, ours and the libraries', to stderr."""
    on_terminal = sys.stderr.isatty()
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without(secret),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: Processor = (
        structlog.dev.ConsoleRenderer()
        if on_terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False, default=_plain)
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = _Marked if journal.is_read(os.environ) else structlog.stdlib.ProcessorFormatter
    handler.setFormatter(
        formatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    LATELY.secret = secret
    logging.basicConfig(handlers=[handler, LATELY], level=logging.INFO, force=True)
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


class _Marked(structlog.stdlib.ProcessorFormatter):
    """Each line with the priority by which `journalctl -p warning` finds it."""

    def format(self, record: logging.LogRecord) -> str:
        level = record.levelname.lower()
        return journal.marked(super().format(record), level)


def _plain(value: object) -> str:
    """What JSON has no word for. Times look as everywhere."""
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def _without(secret: str) -> Processor:
    """Takes the secret out of whatever is about to be logged."""

    def strike(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        for name, value in event.items():
            text = value if isinstance(value, str) else repr(value)
            if secret in text:
                event[name] = text.replace(secret, "***")
        return event

    return strike
