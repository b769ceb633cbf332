"""Structured logs: one JSON object a line on standard error; events and ids, never listing text."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    import asyncio

    from structlog.typing import EventDict, WrappedLogger

log = structlog.get_logger()


def _without_texts(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Log an exception as its type and frames: its own text could quote a listing."""
    del logger, method
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exception()
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return event


def unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody caught on a loop; the loop's own message would show arguments and the exception's text."""
    del loop
    error = context.get("exception")
    log.error("unhandled", exc_info=error, **({} if error else {"what": context.get("message", "")}))


PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _without_texts,
]


def configure(level: str) -> None:
    """Send the service's events and those of its libraries to standard error."""
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*PROCESSORS, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=PROCESSORS,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=max(least, logging.WARNING), handlers=[handler], force=True)
