"""Logging: colours on a terminal, one JSON object a line elsewhere; the token in neither."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

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
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)


def _without(secret: str) -> Processor:
    """Takes the secret out of whatever is about to be logged."""

    def strike(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        for name, value in event.items():
            text = value if isinstance(value, str) else repr(value)
            if secret in text:
                event[name] = text.replace(secret, "***")
        return event

    return strike
