"""The parts of invitations and password resets that other domains may use."""

from __future__ import annotations

from app.core.account_tokens.lifecycle import AccountTokenStatus
from app.core.account_tokens.models import AccountToken, AccountTokenPurpose
from app.core.account_tokens.repository import AccountTokenRepository
from app.core.account_tokens.sealing import token_text

__all__ = [
    "AccountToken",
    "AccountTokenPurpose",
    "AccountTokenRepository",
    "AccountTokenStatus",
    "token_text",
]
