"""A tenant is active until the operator suspends it. The operator can resume it. No user may do either."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition
from app.core.tenants.events import TENANT_UPDATED
from app.core.tenants.models import TenantStatus


class TenantTransition(StrEnum):
    SUSPEND = "suspend"
    RESUME = "resume"


class TenantStatusAction(AuditAction):
    SUSPENDED = "tenant.suspended"
    RESUMED = "tenant.resumed"


tenant_lifecycle: Lifecycle[TenantStatus, None] = Lifecycle(
    name="tenant",
    states=TenantStatus,
    initial=TenantStatus.ACTIVE,
    transitions=(
        Transition(
            TenantTransition.SUSPEND,
            frozenset({TenantStatus.ACTIVE}),
            TenantStatus.SUSPENDED,
            event=TENANT_UPDATED,
            audit_action=TenantStatusAction.SUSPENDED,
            needs_reason=True,
            system=True,
        ),
        Transition(
            TenantTransition.RESUME,
            frozenset({TenantStatus.SUSPENDED}),
            TenantStatus.ACTIVE,
            event=TENANT_UPDATED,
            audit_action=TenantStatusAction.RESUMED,
            needs_reason=True,
            system=True,
        ),
    ),
    internal=frozenset({TenantTransition.SUSPEND, TenantTransition.RESUME}),
)
