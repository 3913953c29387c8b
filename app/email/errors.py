"""Refusals of the email domain."""

from __future__ import annotations

from app.core.errors import AppError


class NoticeRefused(AppError):
    """One answer for every reason, so that a forger learns nothing; the log names the reason."""

    status = 403
    code = "NOTICE_REFUSED"
    title = "This notice is not accepted."
