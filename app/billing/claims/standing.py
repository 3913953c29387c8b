"""Conditions of claims that wait for somebody. Worklists ask for them, and a partial index serves each.

Each is one constant text: a bound value would keep the planner from the index.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

READY = sa.text("status = 'ready_to_export' AND deleted_at IS NULL")
SCRUB_FAILED = sa.text("status = 'pending_review' AND blocking_edits > 0 AND deleted_at IS NULL")
AWAITING_ACK = sa.text("status IN ('exported', 'submitted') AND deleted_at IS NULL")
STALE_EVIDENCE = sa.text("stale_since IS NOT NULL AND status <> 'closed' AND deleted_at IS NULL")
UNASSIGNED = sa.text(
    "assigned_to_user_id IS NULL AND status IN ('pending_review', 'ready_to_export', 'denied', 'appeal_needed')"
    " AND deleted_at IS NULL"
)
REJECTED = sa.text("rejected_at IS NOT NULL AND status = 'pending_review' AND deleted_at IS NULL")
"""A receiver refused the file or the claim, and nobody has approved it since."""
DENIED = sa.text("status IN ('denied', 'appeal_needed') AND deleted_at IS NULL")
UNSENT = sa.text("status IN ('pending_review', 'ready_to_export', 'exported') AND deleted_at IS NULL")
"""Claims whose time for filing still runs."""

BY_SERVICE_DATE: Mapping[str, sa.TextClause] = {
    "ready": READY,
    "scrub_failed": SCRUB_FAILED,
    "awaiting_ack": AWAITING_ACK,
    "stale_evidence": STALE_EVIDENCE,
    "unassigned": UNASSIGNED,
    "rejected": REJECTED,
    "denied": DENIED,
}
"""The conditions whose claims are listed by day of service, by the name of their index."""

# In PostgreSQL's own spelling, with which the check of migrations compares it.
SERVED_OR_LAST = "(\nCASE\nWHEN service_date IS NULL THEN '2100-01-01'::date\nELSE service_date\nEND)"


def served_or_last(claims: sa.FromClause) -> sa.ColumnElement[object]:
    """The day of service as a sort key: a claim without one stands last. The text of the indexes is the same."""
    at = claims.c.service_date
    return sa.case((at.is_(None), sa.literal_column("'2100-01-01'::date")), else_=at)
