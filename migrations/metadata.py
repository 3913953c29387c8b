"""The metadata that migrations are compared with: every table of every domain."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

import app.main  # noqa: F401  # the composition root imports every domain's models
from app.core.account_tokens.models import AccountToken
from app.core.db.entity import Base
from app.core.idempotency.models import IdempotencyKey
from app.core.inbox.models import WebhookBody, WebhookReceipt
from app.core.sessions.models import UserSession

CORE_TABLES = (AccountToken, IdempotencyKey, UserSession, WebhookBody, WebhookReceipt)


def metadata() -> sa.MetaData:
    return Base.metadata


def include_object(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Leave out what is not declared as an entity: the job queue's own tables and the audit log's partitions."""
    if kind == "table" and reflected and name is not None:
        return not (name.startswith(("pgqueuer", "audit_events_", "access_log_")) or name == "alembic_version")
    return True
