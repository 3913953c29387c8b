"""Who may look codes up, and who edits the agency's vocabulary."""

from __future__ import annotations

from app.core.permissions import USER_ROLES, Role, declare

CODING_READ = declare("coding.read", "Look up codes of diagnoses, medications and procedures.", *USER_ROLES, Role.KEY)
VOCABULARY_WRITE = declare("vocabulary.write", "See and change the agency's own search vocabulary.", Role.ADMIN)

PERMISSIONS = (CODING_READ, VOCABULARY_WRITE)
