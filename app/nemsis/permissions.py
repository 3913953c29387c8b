"""Who may validate and export."""

from __future__ import annotations

from app.core.permissions import Role, declare

NEMSIS_READ = declare("nemsis.read", "Read the dictionary, validations and exports.", Role.ADMIN, Role.EMS, Role.KEY)
NEMSIS_VALIDATE = declare("nemsis.validate", "Create exports and validate charts.", Role.ADMIN, Role.EMS)
NEMSIS_EXPORT = declare(
    "nemsis.export", "Export a validated chart and download the document.", Role.ADMIN, Role.KEY, reviewers=(Role.EMS,)
)

PERMISSIONS = (NEMSIS_READ, NEMSIS_VALIDATE, NEMSIS_EXPORT)
