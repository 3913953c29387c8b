"""Queries for what messages are about and another package stores: core's account tokens."""

from __future__ import annotations

from app.core.account_tokens.models import AccountToken
from app.core.repository import Repository


class AccountTokenRepository(Repository[AccountToken]):
    entity = AccountToken
