"""Who may replay a webhook that failed."""

from __future__ import annotations

from app.core.permissions import Role, declare

WEBHOOK_REPLAY = declare("webhook.replay", "Process a failed webhook again.", Role.ADMIN)

PERMISSIONS = (WEBHOOK_REPLAY,)
