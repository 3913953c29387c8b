"""The error contract (directive 15): every refusal is an AppError with a stable, unique code."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

_REGISTRY: dict[str, type[AppError]] = {}


class AppError(Exception):
    """A refusal that a client can act on. `message` and `details` reach the client: never put PHI in either."""

    status: ClassVar[int] = 500
    code: ClassVar[str]
    title: ClassVar[str]
    shows: ClassVar[dict[str, str]] = {}
    """What stands in `details`, by its name (docs/errors.md says it)."""
    headers: dict[str, str] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            return
        if cls.code in _REGISTRY:
            raise TypeError(f"error code {cls.code} is declared twice")
        _REGISTRY[cls.code] = cls

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or self.title
        self.details = details
        super().__init__(self.message)


def registered_errors() -> tuple[type[AppError], ...]:
    """Every declared error, ordered by status and code (the source of docs/errors.md)."""
    return tuple(sorted(_REGISTRY.values(), key=lambda error: (error.status, error.code)))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field, as clients read it: no part holds a value.

    `field` is named as in the request, with dots and indexes (`vitals[1].heart_rate`); `code` is stable and in lower
    case; `message` is a sentence for the person who filled the field in.
    """

    field: str
    code: str
    message: str

    @classmethod
    def missing(cls, field: str, message: str) -> Problem:
        return cls(field, "missing", message)

    def below(self, place: str) -> Problem:
        """The same problem, with the path of its field put below `place`."""
        return Problem(f"{place}.{self.field}", self.code, self.message)

    def shown(self) -> dict[str, str]:
        """`{field, code, message}`, as it stands in an error's details."""
        return asdict(self)


class ValidationFailed(AppError):
    """`details.problems` lists `{field, code, message}`; submitted values are never echoed."""

    status = 422
    code = "VALIDATION_FAILED"
    title = "The request is not valid."
    shows = {
        "problems": "a list of `{field, code, message}`: where, which rule, and what is wanted; 100 at most",
        "problems_omitted": "how many more there are, if there are",
    }

    def __init__(self, message: str | None = None, *, problems: Iterable[Problem] = ()) -> None:
        shown = [problem.shown() for problem in problems]
        super().__init__(message, **({"problems": shown} if shown else {}))

    @classmethod
    def of(cls, field: str, code: str, message: str) -> ValidationFailed:
        """One problem with one field."""
        return cls(problems=[Problem(field, code, message)])


def refuse(problems: Iterable[Problem]) -> None:
    """Raises ValidationFailed with all problems, if there are any."""
    if found := list(problems):
        raise ValidationFailed(problems=found)


class MalformedRequest(AppError):
    status = 400
    code = "MALFORMED_REQUEST"
    title = "The request could not be read."


class Unauthenticated(AppError):
    status = 401
    code = "UNAUTHENTICATED"
    title = "Sign in to continue."
    shows = {
        "reason": "at a refused refresh, what ended the session: `idle`, `expired`, `logout`, `revoked`,"
        " `password_changed`, `access_changed` or `refresh_token_reused`"
    }
    headers = {"WWW-Authenticate": "Bearer"}


class Forbidden(AppError):
    """The audit log keeps who was refused what, and the name of the permission that was missing (`permission`)."""

    status = 403
    code = "FORBIDDEN"
    title = "You are not permitted to do this."
    permission: str | None = None

    @classmethod
    def lacking(cls, permission: str) -> Forbidden:
        refusal = cls()
        refusal.permission = permission
        return refusal


class TenantSuspended(AppError):
    status = 403
    code = "TENANT_SUSPENDED"
    title = "This agency's access is suspended."


class NotFound(AppError):
    """Also the answer for another tenant's object: it does not exist here."""

    status = 404
    code = "NOT_FOUND"
    title = "Not found."


class MethodNotAllowed(AppError):
    status = 405
    code = "METHOD_NOT_ALLOWED"
    title = "This method is not allowed here."


class RequestTimeout(AppError):
    """The connection is closed. The same request may be sent again."""

    status = 408
    code = "REQUEST_TIMEOUT"
    title = "The request did not arrive in time."


class Conflict(AppError):
    """A stale version, and nothing else (directive 1.6): `details` has `server_version` and `updated_at`.

    A deletion makes a version, too. `details` then says when it happened and whose it was.
    """

    status = 409
    code = "CONFLICT"
    title = "Somebody changed this since you loaded it."
    shows = {
        "server_version": "the version as it is now",
        "updated_at": "when that version was written",
        "deleted_at": "when it was deleted, if it was",
        "deleted_by": "the user who deleted it, if it was deleted; null for the system",
        "id": "whose version it is, where the request names several things",
    }

    @classmethod
    def stale(cls, server_version: int, updated_at: dt.datetime, **named: str) -> Conflict:
        """The client saw an older version. `named` is `id`, where the request names several things."""
        return cls(server_version=server_version, updated_at=updated_at.isoformat(), **named)

    @classmethod
    def deleted(cls, server_version: int, updated_at: dt.datetime, deleted_by: uuid.UUID | None) -> Conflict:
        """Somebody deleted what the client has. `updated_at` is when; the deletion is the last change of a record."""
        message = "This was deleted since you loaded it. To keep your change, restore it with its server_version first."
        at = updated_at.isoformat()
        by = None if deleted_by is None else str(deleted_by)
        return cls(message, server_version=server_version, updated_at=at, deleted_at=at, deleted_by=by)


class LostRace(Conflict):
    """A Conflict with a change that was made at the same time, after the version was found to be the present one."""


class AlreadyExists(AppError):
    """`details.field` names what must be unique and is not."""

    status = 409
    code = "ALREADY_EXISTS"
    title = "This would duplicate something that exists already."
    shows = {"field": "the field that must be unique and is not, where it is a single one"}


class IdTaken(AppError):
    """A client-made id that was used for something else, here or in another agency: make another one."""

    status = 409
    code = "ID_TAKEN"
    title = "This id is in use for something else."


class LimitReached(AppError):
    """The message says how many there may be."""

    status = 409
    code = "LIMIT_REACHED"
    title = "There may be no more of these."


class InvalidTransition(AppError):
    """Details name the state, the action, the allowed actions and every failed guard."""

    status = 409
    code = "INVALID_TRANSITION"
    title = "This action is not possible in the present state."
    shows = {
        "state": "the present state",
        "action": "the action that was asked for",
        "allowed_actions": "what this user may do now",
        "failed_guards": "what stands in the way, each as `{name, message}` with `problems` where it has some",
    }


class IdempotencyKeyReused(AppError):
    status = 409
    code = "IDEMPOTENCY_KEY_REUSED"
    title = "This Idempotency-Key was used for another request."


class PayloadTooLarge(AppError):
    status = 413
    code = "PAYLOAD_TOO_LARGE"
    title = "The request body is too large."


class UnsupportedMediaType(AppError):
    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"
    title = "Send the body as application/json."


class RateLimited(AppError):
    """The Retry-After header says in how many seconds another attempt is taken."""

    status = 429
    code = "RATE_LIMITED"
    title = "Too many requests; try again later."

    def __init__(self, retry_after: int = 60) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(retry_after)}


class HeadersTooLarge(AppError):
    """The address counts as a header. The connection is closed."""

    status = 431
    code = "HEADERS_TOO_LARGE"
    title = "The request's headers are too large or too many."


class InternalError(AppError):
    status = 500
    code = "INTERNAL_ERROR"
    title = "Something went wrong on our side."


class ServiceUnavailable(AppError):
    """Transient: lock and statement timeouts, serialisation failures, a database that is away."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    title = "The service is busy; try again shortly."
    headers = {"Retry-After": "1"}
