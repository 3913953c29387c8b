"""Secrets for the domains: a domain declares the secrets that it needs, and uses those that an agency has set."""

from __future__ import annotations

from app.core.secrets.errors import SecretNotSet, SecretUnreadable
from app.core.secrets.kinds import SecretKind
from app.core.secrets.service import SecretValue, use_secret

__all__ = ["SecretKind", "SecretNotSet", "SecretUnreadable", "SecretValue", "use_secret"]
