"""The events that billing publishes (directive 8, 13)."""

from __future__ import annotations

from app.core.events import Topic

COVERAGE_UPDATED = Topic("coverage.updated", "A coverage of a patient was created, changed, deleted or restored.")
CLAIM_UPDATED = Topic("claim.updated", "A claim or one of its lines was created, changed, deleted or restored.")
CLAIM_STATUS_CHANGED = Topic("claim.status_changed", "A claim moved to another state.")
FEE_SCHEDULE_CHANGED = Topic("fee_schedule.changed", "A fee schedule or one of its prices was changed or deleted.")

TOPICS = (COVERAGE_UPDATED, CLAIM_UPDATED, CLAIM_STATUS_CHANGED, FEE_SCHEDULE_CHANGED)
