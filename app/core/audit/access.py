"""The access log's writer. It records which charts one unit of work showed to whom (45 CFR 164.312(b), ASTM E2147)."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from app.core.audit.models import AccessEntry
from app.core.context import current_context
from app.core.db.sql import CompiledStatement
from app.core.ids import new_id
from app.core.permissions import Principal, Role


class Purpose(StrEnum):
    """Treatment, payment or health care operations (45 CFR 164.506), or public health activities (164.512(b))."""

    TREATMENT = "treatment"
    PAYMENT = "payment"
    OPERATIONS = "operations"
    PUBLIC_HEALTH = "public_health"


# The service itself has no purpose: a job or a handler shows its reads to nobody.
PURPOSES: dict[Role, Purpose] = {
    Role.EMS: Purpose.TREATMENT,
    Role.BILLING: Purpose.PAYMENT,
    Role.ADMIN: Purpose.OPERATIONS,
    Role.FOUNDER: Purpose.OPERATIONS,
    Role.KEY: Purpose.OPERATIONS,
}

_table: Any = AccessEntry.__table__
_COLUMNS = (
    "id", "tenant_id", "actor_user_id", "actor_role", "purpose", "route", "request_id", "incident_id", "incident_ids",
    "categories",
)  # fmt: skip
RECORD_ACCESS = CompiledStatement(
    sa.insert(_table).values({name: sa.bindparam(name, type_=_table.c[name].type) for name in _COLUMNS})
)


class PhiRead:
    """Charts and kinds of entities with protected health information that a unit of work has loaded or disclosed.

    `purpose` is the purpose of a declared disclosure. Without one, the person's role decides the purpose.
    """

    __slots__ = ("categories", "incident_ids", "purpose")

    def __init__(
        self,
        categories: set[str] | None = None,
        incident_ids: set[uuid.UUID] | None = None,
        purpose: Purpose | None = None,
    ) -> None:
        self.categories = categories or set()
        self.incident_ids = incident_ids or set()
        self.purpose = purpose

    def note(self, category: str, incident_id: uuid.UUID | None, purpose: Purpose | None) -> None:
        self.categories.add(category)
        self.purpose = purpose or self.purpose
        if incident_id is not None:
            self.incident_ids.add(incident_id)

    def without(self, incident_ids: set[uuid.UUID]) -> PhiRead | None:
        """The read without these charts, whose audit events already show the access; None if nothing remains."""
        rest = self.incident_ids - incident_ids
        return PhiRead(self.categories, rest, self.purpose) if rest or not self.incident_ids else None

    def row(self, principal: Principal) -> dict[str, Any]:
        context = current_context()
        charts = sorted(self.incident_ids)
        return {
            "id": new_id(),
            "tenant_id": principal.tenant_id,
            "actor_user_id": principal.actor_id,
            "actor_role": principal.role,
            "purpose": self.purpose or PURPOSES[principal.role],
            "route": None if context is None else context.route,
            "request_id": None if context is None else context.request_id,
            "incident_id": charts[0] if len(charts) == 1 else None,
            "incident_ids": charts if len(charts) > 1 else None,
            "categories": sorted(self.categories),
        }
