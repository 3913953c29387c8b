"""The tenant and its profile. The profile has the fields of a NEMSIS header and an 837P billing provider loop."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, plain, values_check
from app.core.db.entity import TenantEntity


class TenantStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Tenant(TenantEntity):
    """`tenant_id` equals `id`, so a tenant's own row has the same row-level security as all other rows."""

    __tablename__ = "tenants"
    entity_type: ClassVar[str] = "tenant"

    slug: Mapped[str] = plain()
    status: Mapped[TenantStatus] = plain(EnumText(TenantStatus), default=TenantStatus.ACTIVE)
    legal_name: Mapped[str] = plain()
    trade_name: Mapped[str | None] = plain(default=None)
    state: Mapped[str] = plain()
    time_zone: Mapped[str] = plain()
    agency_state_id: Mapped[str] = plain()
    agency_number: Mapped[str] = plain()
    software_creator: Mapped[str] = plain(default="FusionEMS", server_default="FusionEMS")
    software_name: Mapped[str] = plain(default="FusionEMS Quantum", server_default="FusionEMS Quantum")
    software_version: Mapped[str] = plain(default="0.1", server_default="0.1")
    npi: Mapped[str | None] = plain(default=None)
    ein: Mapped[str | None] = plain(default=None)
    taxonomy: Mapped[str | None] = plain(default=None)
    street: Mapped[str | None] = plain(default=None)
    city: Mapped[str | None] = plain(default=None)
    zip: Mapped[str | None] = plain(default=None)
    phone: Mapped[str | None] = plain(default=None)
    pay_to_street: Mapped[str | None] = plain(default=None)
    pay_to_city: Mapped[str | None] = plain(default=None)
    pay_to_state: Mapped[str | None] = plain(default=None)
    pay_to_zip: Mapped[str | None] = plain(default=None)
    billing_contact_name: Mapped[str | None] = plain(default=None)
    billing_contact_email: Mapped[str | None] = plain(default=None)
    administrative_contact_name: Mapped[str | None] = plain(default=None)
    administrative_contact_phone: Mapped[str | None] = plain(default=None)
    administrative_contact_email: Mapped[str | None] = plain(default=None)
    submitter_qualifier: Mapped[str] = plain(default="ZZ", server_default="ZZ")
    submitter_id: Mapped[str | None] = plain(default=None)
    receiver_name: Mapped[str | None] = plain(default=None)
    receiver_qualifier: Mapped[str] = plain(default="30", server_default="30")
    receiver_id: Mapped[str | None] = plain(default=None)
    default_place_of_service: Mapped[str] = plain(default="41", server_default="41")
    default_accepts_assignment: Mapped[bool] = plain(default=True, server_default=sa.true())
    auto_lock_hours: Mapped[int] = plain(default=24, server_default=sa.text("24"))
    require_crew_signature: Mapped[bool] = plain(default=False, server_default=sa.text("false"))
    authors_may_review: Mapped[bool] = plain(default=False, server_default=sa.text("false"))
    device_idle_minutes: Mapped[int | None] = plain(default=None)

    __table_args__ = (
        sa.UniqueConstraint("slug", name="uq_tenants_slug"),
        sa.CheckConstraint("tenant_id = id", name="own_tenant"),
        sa.Index("ix_tenants_tenant_status", "tenant_id", "status", "created_at"),
        sa.Index("ix_tenants_tenant_created_at", "tenant_id", "created_at", "id"),
        values_check("status", TenantStatus),
    )
