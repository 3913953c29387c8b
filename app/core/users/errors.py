"""Errors of users only."""

from __future__ import annotations

from app.core.errors import AppError

LAST_ADMIN = "An agency needs an active administrator."


class LastAdministrator(AppError):
    status = 409
    code = "LAST_ADMINISTRATOR"
    title = LAST_ADMIN
