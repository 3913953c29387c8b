"""JSON logs with the request's identity and without PHI.

Redaction works by allow-list. A key is logged only if a domain declares it and the registry lists it. Every other value
becomes "[redacted]".
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import orjson
import structlog

from app.core.context import current_context

REDACTED = "[redacted]"
LOG_KEYS = (
    "event", "level", "timestamp", "component", "request_id", "tenant_id", "actor_user_id", "route", "method",
    "status", "duration_ms", "error_code", "error_type", "location", "entity_type", "entity_id", "constraint",
    "sqlstate",
)  # fmt: skip


def _bind_request(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = current_context()
    if context is not None:
        entry["request_id"] = str(context.request_id)
        entry["route"] = context.route
        entry["tenant_id"] = None if context.tenant_id is None else str(context.tenant_id)
        entry["actor_user_id"] = None if context.actor_user_id is None else str(context.actor_user_id)
    return entry


def _locate_exception(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Logs an exception as its type and place only. Its text may quote a row, and a row may be PHI."""
    error = entry.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        entry["error_type"] = type(error).__name__
        entry["location"] = _frames(error)
    return entry


def _frames(error: BaseException) -> list[str]:
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(_place(code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return frames[-12:]


def _place(file: str, line: int, function: str) -> str:
    return f"{file.rsplit('/app/', 1)[-1]}:{line} {function}"


def _redaction(safe_keys: frozenset[str]) -> structlog.typing.Processor:
    def redact(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: value if key in safe_keys else REDACTED for key, value in entry.items()}

    return redact


def _render(_: Any, __: str, entry: MutableMapping[str, Any]) -> str:
    return orjson.dumps(entry, default=str).decode()


class _LibraryHandler(logging.Handler):
    """Sends records of libraries through the same processors. Only the template is logged; arguments may be values.

    The library may have formatted a text without arguments itself, as asyncio does for the exception of a task that
    nobody awaited. Of such a text only the place is logged.
    """

    def emit(self, record: logging.LogRecord) -> None:
        template = record.msg if isinstance(record.msg, str) and record.args else "library record"
        error = record.exc_info[1] if record.exc_info else None
        place = [_place(record.pathname, record.lineno, record.funcName)]
        structlog.get_logger().log(record.levelno, template, component=record.name, location=place, exc_info=error)


def configure_logging(level: str, safe_keys: Iterable[str]) -> None:
    """Install the processors for structlog and for the standard library's loggers."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _bind_request,
            _locate_exception,
            _redaction(frozenset(safe_keys)),
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(max(number, logging.WARNING))


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(component=name)
    return logger
