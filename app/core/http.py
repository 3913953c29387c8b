"""The HTTP boundary: request identity, hygiene of bodies, security headers, and the error contract for every status."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from typing import Any

import asyncpg
import orjson
import sqlalchemy.exc
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.audit.refusals import record_refusal
from app.core.bodies import BodyRule, rule_for
from app.core.constraints import violated
from app.core.context import RequestContext, bind_context, current_context
from app.core.errors import (
    AppError,
    Forbidden,
    InternalError,
    LostRace,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    ServiceUnavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from app.core.ids import new_random_uuid
from app.core.logging import get_logger
from app.core.wording import describe

_log = get_logger(__name__)
MOST_PROBLEMS = 100
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=63072000"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_CONTENTION = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)
_TRANSIENT = (
    *_CONTENTION,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # 57: cancelled, shutting down, starting up
    asyncpg.InsufficientResourcesError,  # 53: connections, memory, disk
    asyncpg.InternalClientError,  # the server's closing message is being read while a statement is about to be sent
    asyncpg.ReadOnlySQLTransactionError,  # a failover: the connection is to what is now a replica
    sqlalchemy.exc.TimeoutError,
    ConnectionError,
    TimeoutError,
)


class ResponseInterrupted(Exception):
    """A response failed after its head was sent, so the connection is cut."""


class RequestBoundary:
    """Pure ASGI. It binds the context, refuses bodies by size and type, adds headers, logs one line and answers 500.

    An `X-Request-ID` that is no UUID is replaced. It is the trace_id of errors and is sent with every response.
    `bodies` names the routes that take anything other than JSON of at most `max_body_bytes`.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, bodies: Sequence[BodyRule] = ()) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = RequestContext(request_id=_request_id(scope))
        bind_context(context)
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, context.request_id)
            await send(message)

        try:
            rule = rule_for(scope["path"], self._bodies)
            limit = rule.max_bytes or self._max_body_bytes
            _refuse_body(scope, rule, limit)
            await self._app(scope, _limited(receive, limit), send_with_headers)
        except Exception as error:
            if status:
                _log.error("response interrupted", exc_info=error)
                raise ResponseInterrupted from None  # the server prints this one, without the text of `error`
            await error_response(as_app_error(error))(scope, receive, send_with_headers)
        finally:
            route = scope.get("route")
            context.route = getattr(route, "path", None)
            _log.info(
                "request",
                method=scope["method"],
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1000, 1),
            )


def _refuse_body(scope: Scope, rule: BodyRule, limit: int) -> None:
    """Raises the errors that the headers alone show."""
    if _declared_length(scope) > limit:
        raise PayloadTooLarge
    if _has_body(scope) and not rule.takes(_media_type(scope)):
        wanted = " or ".join(sorted(rule.media_types or ()))
        raise UnsupportedMediaType(f"Send the body as {wanted}.")


def _limited(receive: Receive, limit: int) -> Receive:
    """A `receive` with a limit. FastAPI's own limit would answer in plain text, outside of every middleware.

    FastAPI turns an AppError here into its 400 for an unreadable body. It lets an HTTPException through.
    """
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413)  # lint: allow FQ304 (the handlers map it to PayloadTooLarge)
        return message

    return limited


def _request_id(scope: Scope) -> uuid.UUID:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            try:
                return uuid.UUID(value.decode("ascii"))
            except ValueError:
                break
    return new_random_uuid()


def _declared_length(scope: Scope) -> int:
    declared = dict(scope["headers"]).get(b"content-length", b"")
    return int(declared) if declared.isdigit() and len(declared) < 20 else 0


def _has_body(scope: Scope) -> bool:
    if scope["method"] not in _BODY_METHODS:
        return False
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


def _media_type(scope: Scope) -> str:
    given: bytes = dict(scope["headers"]).get(b"content-type", b"")
    return given.split(b";", 1)[0].strip().lower().decode("latin-1")


def _add_headers(message: Message, request_id: uuid.UUID) -> None:
    headers = message.setdefault("headers", [])
    headers.append((b"x-request-id", str(request_id).encode()))
    present = {name for name, _ in headers}
    headers.extend(header for header in _HEADERS if header[0] not in present)


def error_response(error: AppError, headers: dict[str, str] | None = None) -> Response:
    """The response of an error, as the contract of directive 15 says."""
    context = current_context()
    trace_id = context.request_id if context is not None else new_random_uuid()
    body = {
        "error": {
            "code": error.code,
            "message": error.message,
            "details": bounded(error.details),
            "trace_id": str(trace_id),
        }
    }
    return Response(
        orjson.dumps(body, default=str),
        status_code=error.status,
        media_type="application/json",
        headers={**error.headers, **(headers or {})},
    )


def bare_refusal(error: AppError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of the error for a server whose client sent no whole request. The request id is a new one."""

    def respond() -> tuple[list[tuple[bytes, bytes]], bytes]:
        context = RequestContext(request_id=new_random_uuid())
        bind_context(context)
        response = error_response(error)
        message: Message = {"headers": list(response.raw_headers)}
        _add_headers(message, context.request_id)
        return message["headers"], bytes(response.body)

    return copy_context().run(respond)


def bounded(details: dict[str, Any]) -> dict[str, Any]:
    """The details with at most MOST_PROBLEMS problems per list. `problems_omitted` is the number of the others."""
    shown: dict[str, Any] = {}
    for name, value in details.items():
        if name == "problems" and len(value) > MOST_PROBLEMS:
            shown[name] = value[:MOST_PROBLEMS]
            shown["problems_omitted"] = len(value) - MOST_PROBLEMS
        elif name == "failed_guards":
            shown[name] = [bounded(guard) for guard in value]
        else:
            shown[name] = value
    return shown


def as_app_error(error: Exception, body: type[BaseModel] | None = None) -> AppError:
    """Maps any exception to its AppError. Constraint violations are mapped by name; values are never quoted.

    `body` is the model of the request's body. With it, messages say which values a field takes.
    """
    if isinstance(error, AppError):
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error.errors(), body)
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        return as_app_error(_driver_error(error.orig))
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return violated(error)
    if isinstance(error, asyncpg.DataError):
        _log.warning("value refused by the database", exc_info=error)
        return ValidationFailed("A value cannot be stored.")
    if isinstance(error, _TRANSIENT) or _is_closed(error):
        _log.warning("transient failure", exc_info=error)
        return ServiceUnavailable()
    _log.error("unhandled exception", exc_info=error)
    return InternalError()


def is_contention(error: Exception) -> bool:
    """True if a transaction failed only because of another one. A new attempt may succeed; the database is well."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        error = _driver_error(error.orig)
    return isinstance(error, (LostRace, *_CONTENTION))


def _driver_error(wrapped: Exception) -> Exception:
    """asyncpg's own error, the cause of the error that SQLAlchemy's adapter raised."""
    cause = wrapped.__cause__
    return cause if isinstance(cause, Exception) else wrapped


def _is_closed(error: Exception) -> bool:
    """True if the connection is gone. asyncpg raises InterfaceError for this, and also for misuse of a good one."""
    return isinstance(error, asyncpg.InterfaceError) and "closed" in str(error)


def invalid(found: Sequence[Any], body: type[BaseModel] | None = None) -> ValidationFailed:
    """The refusal for the problems that pydantic found in a request, or in the `body` alone.

    The `input` of a problem may be PHI. Only place, kind and message reach the client.
    """
    problems = []
    for problem in found:
        *outer, last = _in_the_body(problem) or ("",)
        named = spelled_as_ours(last) if problem["type"] == "extra_forbidden" else _plain(last)
        location = ".".join([*map(_plain, outer), named])
        message = describe(problem, _field(outer, named), body) or _message(problem)
        problems.append(Problem(location, str(problem["type"]), message))
    return ValidationFailed(problems=problems)


def _field(outer: Sequence[Any], last: str) -> str:
    """The name of the field in a message. An item of a list has the name of the list."""
    names = [_plain(part) for part in outer if isinstance(part, str)]
    return last if not last.isdigit() else f"each of {names[-1]}" if names else "the body"


def _in_the_body(problem: Any) -> tuple[Any, ...]:
    """The place of a field within the body. Services use the same names."""
    place: tuple[Any, ...] = problem["loc"]
    if place[:1] != ("body",):
        return place
    return ("body",) if len(place) == 1 or problem["type"] == "json_invalid" else place[1:]


def _plain(part: Any) -> str:
    """The text of a place in the request. A client-made key that is not a plain name is not echoed."""
    text = str(part)
    return text if len(text) <= 64 and all(char.isalnum() or char in "_-.[]" for char in text) else "?"


def spelled_as_ours(key: Any) -> str:
    """The key of an unknown field, or "?". Only a key that is spelled like our fields is shown; others may hold PHI."""
    text = str(key)
    return text if len(text) <= 40 and _OUR_SPELLING.fullmatch(text) else "?"


_OUR_SPELLING = re.compile(r"[a-z][a-z_]*[0-9]{0,2}")
_SAFE_MESSAGES = {  # whose own messages quote the input, or a validator that may
    "string_pattern_mismatch": "The text does not have the required form",
    "value_error": "The value is not valid",
    "assertion_error": "The value is not valid",
    "union_tag_invalid": "The kind is none of those allowed",
}


def _message(problem: Any) -> str:
    kind = str(problem["type"])
    if kind in _SAFE_MESSAGES:
        return _SAFE_MESSAGES[kind]
    if kind.endswith("_parsing"):
        return "The value could not be read as " + kind.removesuffix("_parsing").replace("_", " ")
    return str(problem["msg"])


def _body_model(request: Request) -> type[BaseModel] | None:
    field = getattr(request.scope.get("route"), "body_field", None)
    annotation = None if field is None else field.field_info.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def install_error_contract(app: FastAPI) -> None:
    """Registers the handlers. Every error then has the body of the error contract."""

    async def on_error(request: Request, error: Exception) -> Response:
        refusal = as_app_error(error, _body_model(request))
        if isinstance(refusal, Forbidden):
            await record_refusal(request, refusal)
        return error_response(refusal)

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for this class
        by_status: dict[int, type[AppError]] = {
            400: MalformedRequest,
            404: NotFound,
            405: MethodNotAllowed,
            413: PayloadTooLarge,
        }
        kind = by_status.get(error.status_code, InternalError if error.status_code >= 500 else MalformedRequest)
        return error_response(kind(), dict(error.headers or {}) if kind is MethodNotAllowed else {})

    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        AppError: on_error,
        RequestValidationError: on_error,
        ResponseValidationError: on_error,
        sqlalchemy.exc.SQLAlchemyError: on_error,
        asyncpg.PostgresError: on_error,
        asyncpg.InterfaceError: on_error,
        asyncpg.InternalClientError: on_error,
        HTTPException: on_http_exception,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
