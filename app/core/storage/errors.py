"""Refusals of signed links."""

from __future__ import annotations

from app.core.errors import AppError


class LinkRefused(AppError):
    """Altered, expired, made by another service or for another purpose: which of them is nobody's business."""

    status = 403
    code = "LINK_REFUSED"
    title = "This link is not valid, or no longer."


class LinkUsed(AppError):
    status = 409
    code = "LINK_USED"
    title = "Something was uploaded with this link already; it works once."
