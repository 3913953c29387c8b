"""Declarations that may be made once, and the mapping of whatever else is raised."""

from __future__ import annotations

import datetime as dt

import asyncpg
import pytest
import sqlalchemy.exc

from app.core import errors
from app.core.errors import (
    AlreadyExists,
    AppError,
    Conflict,
    InternalError,
    LostRace,
    NotFound,
    ServiceUnavailable,
    ValidationFailed,
)
from app.core.http import as_app_error, is_contention


def test_error_code_is_declared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_REGISTRY", dict(errors._REGISTRY))
    with pytest.raises(TypeError, match="NOT_FOUND is declared twice"):

        class Another(AppError):
            status = 404
            code = "NOT_FOUND"
            title = "Not here."


def test_error_says_its_title_unless_told_otherwise() -> None:
    assert (NotFound().message, NotFound().details) == ("Not found.", {})
    assert NotFound("No such chart.", kind="chart").details == {"kind": "chart"}
    stale = Conflict.stale(4, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert stale.details == {"server_version": 4, "updated_at": "2026-01-01T00:00:00+00:00"}


def test_subclass_without_a_code_of_its_own_shares_its_parents() -> None:
    class Special(NotFound):
        title = "No such special thing."

    assert (Special().code, Special().status) == ("NOT_FOUND", 404)


@pytest.mark.parametrize(
    ("raised", "mapped"),
    [
        (NotFound(), NotFound),
        (asyncpg.UniqueViolationError("x"), AlreadyExists),
        (asyncpg.ForeignKeyViolationError("x"), ValidationFailed),
        (asyncpg.CheckViolationError("x"), ValidationFailed),
        (asyncpg.NotNullViolationError("x"), ValidationFailed),
        (asyncpg.ExclusionViolationError("x"), ValidationFailed),
        (asyncpg.StringDataRightTruncationError("x"), ValidationFailed),
        (asyncpg.NumericValueOutOfRangeError("x"), ValidationFailed),
        (asyncpg.CharacterNotInRepertoireError("x"), ValidationFailed),
        (asyncpg.UntranslatableCharacterError("x"), ValidationFailed),
        (asyncpg.SerializationError("x"), ServiceUnavailable),
        (asyncpg.DeadlockDetectedError("x"), ServiceUnavailable),
        (asyncpg.LockNotAvailableError("x"), ServiceUnavailable),
        (asyncpg.QueryCanceledError("x"), ServiceUnavailable),
        (asyncpg.IdleInTransactionSessionTimeoutError("x"), ServiceUnavailable),
        (asyncpg.AdminShutdownError("x"), ServiceUnavailable),
        (asyncpg.CrashShutdownError("x"), ServiceUnavailable),
        (asyncpg.CannotConnectNowError("x"), ServiceUnavailable),
        (asyncpg.TooManyConnectionsError("x"), ServiceUnavailable),
        (asyncpg.ConnectionDoesNotExistError("x"), ServiceUnavailable),
        (asyncpg.ConnectionFailureError("x"), ServiceUnavailable),
        (asyncpg.ReadOnlySQLTransactionError("x"), ServiceUnavailable),
        (asyncpg.InternalClientError("x"), ServiceUnavailable),
        (asyncpg.DiskFullError("x"), ServiceUnavailable),
        (asyncpg.InterfaceError("the connection is closed"), ServiceUnavailable),
        (asyncpg.InterfaceError("the server expects 1 argument, 2 were passed"), InternalError),
        (asyncpg.UndefinedTableError("x"), InternalError),
        (asyncpg.InsufficientPrivilegeError("x"), InternalError),
        (asyncpg.PostgresSyntaxError("x"), InternalError),
        (sqlalchemy.exc.TimeoutError("x"), ServiceUnavailable),
        (sqlalchemy.exc.InvalidRequestError("x"), InternalError),
        (ConnectionResetError("x"), ServiceUnavailable),
        (TimeoutError("x"), ServiceUnavailable),
        (FileNotFoundError("x"), InternalError),
        (KeyError("x"), InternalError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.code,
)
def test_what_is_raised_maps_to(raised: Exception, mapped: type[AppError]) -> None:
    found = as_app_error(raised)
    assert type(found) is mapped
    assert "x" not in (found.message, *found.details.values())


@pytest.mark.parametrize(
    ("raised", "contention"),
    [
        (asyncpg.SerializationError("x"), True),
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.LockNotAvailableError("x"), True),
        (asyncpg.ConnectionDoesNotExistError("x"), False),
        (asyncpg.TooManyConnectionsError("x"), False),
        (asyncpg.UniqueViolationError("x"), False),
        (ServiceUnavailable(), False),
        (LostRace.stale(2, dt.datetime(2026, 3, 1, tzinfo=dt.UTC)), True),
        (Conflict.stale(2, dt.datetime(2026, 3, 1, tzinfo=dt.UTC)), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_contention_is_told_also_below_sqlalchemy(raised: Exception, contention: bool) -> None:
    adapted = Exception("adapted")
    adapted.__cause__ = raised
    assert is_contention(raised) is contention
    assert is_contention(sqlalchemy.exc.DBAPIError("SELECT 1", {}, adapted)) is contention
