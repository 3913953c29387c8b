"""Permissions on charts: who may read, write, review, lock them (directive 4.2, 5.2)."""

from __future__ import annotations

from app.core.permissions import Role, declare

CHART_READ = declare("chart.read", "Read charts.", Role.ADMIN, Role.EMS, Role.BILLING, Role.KEY)
CHART_WRITE = declare("chart.write", "Create charts and edit open ones.", Role.ADMIN, Role.EMS)
CHART_REVIEW = declare(
    "chart.review", "Complete or return a chart that others wrote.", Role.ADMIN, reviewers=(Role.EMS,)
)
CHART_LOCK = declare("chart.lock", "Lock a completed chart.", Role.ADMIN)
CHART_UNLOCK = declare("chart.unlock", "Unlock a locked chart, with a reason.", Role.ADMIN)
CHART_AMEND = declare("chart.amend", "Change a completed chart, with a reason.", Role.ADMIN)
CHART_DELETE = declare("chart.delete", "Delete a chart that somebody else opened, with a reason.", Role.ADMIN)
CHART_RESTORE = declare(
    "chart.restore", "See and restore deleted charts; see what was deleted from closed ones.", Role.ADMIN
)
CHART_ENTRY_RESTORE = declare(
    "chart_entry.restore", "See and restore what was deleted from an open chart.", Role.ADMIN, Role.EMS
)
CUSTOM_ELEMENT_WRITE = declare(
    "custom_element.write", "Say what the agency records beyond the NEMSIS standard.", Role.ADMIN
)
PATIENT_IDENTIFIERS_READ = declare(
    "patient_identifiers.read", "See a patient's whole Social Security number; each look is audited.", Role.ADMIN
)
SIGNATURE_VOID = declare("signature.void", "Void a signature, with a reason.", Role.ADMIN)

PERMISSIONS = (
    CHART_READ,
    CHART_WRITE,
    CHART_REVIEW,
    CHART_LOCK,
    CHART_UNLOCK,
    CHART_AMEND,
    CHART_DELETE,
    CHART_RESTORE,
    CHART_ENTRY_RESTORE,
    CUSTOM_ELEMENT_WRITE,
    PATIENT_IDENTIFIERS_READ,
    SIGNATURE_VOID,
)
