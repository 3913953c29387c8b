"""Cross-tenant work has its own database role: login, the outbox relay, the webhook inbox, scheduled jobs.

An import contract lists the users of this module. Use by people and webhooks is audited; pollers are exempt.
"""

from __future__ import annotations

from app.core.db.uow import Transaction


class SystemUnitOfWork(Transaction):
    """A unit of work without tenant and entities. It runs statements through `fetch`, on the system role's pool."""

    __slots__ = ()
    # A receipt is stored before its tenant is known. The inbox's statements write its audit rows themselves.
    unaudited_writes = frozenset({"webhook_receipts"})
