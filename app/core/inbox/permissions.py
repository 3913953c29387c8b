"""Who may see the agency's webhooks, and replay one that failed."""

from __future__ import annotations

from app.core.permissions import Role, declare

WEBHOOK_READ = declare("webhook.read", "List the receipts of webhooks.", Role.ADMIN)
WEBHOOK_REPLAY = declare("webhook.replay", "Process a failed webhook again.", Role.ADMIN)

PERMISSIONS = (WEBHOOK_READ, WEBHOOK_REPLAY)
