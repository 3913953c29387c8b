"""The parts of e-mail that other domains may use: `enqueue`, and the templates with their context models."""

from __future__ import annotations

from app.email.catalogue import (
    ACCOUNT_LOCKED,
    INVITATION,
    PASSWORD_CHANGED,
    PASSWORD_RESET,
    AccountContext,
    AccountLinkContext,
    EmailContext,
    Template,
)
from app.email.messages.service import enqueue

__all__ = [
    "ACCOUNT_LOCKED",
    "INVITATION",
    "PASSWORD_CHANGED",
    "PASSWORD_RESET",
    "AccountContext",
    "AccountLinkContext",
    "EmailContext",
    "Template",
    "enqueue",
]
