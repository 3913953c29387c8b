"""Who may see mailed messages, and allow mail to an address again."""

from __future__ import annotations

from app.core.permissions import Role, declare

EMAIL_READ = declare("email.read", "List e-mails and suppressed addresses.", Role.ADMIN)
EMAIL_UNSUPPRESS = declare("email.unsuppress", "Allow e-mail to a suppressed address again.", Role.ADMIN)

PERMISSIONS = (EMAIL_READ, EMAIL_UNSUPPRESS)
