"""stations, assets, inventory_items, integration_registry, external_api_keys (directive 16)."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, plain, secret, values_check
from app.core.db.entity import TenantEntity, standard_constraints, unique_among_live


class Station(TenantEntity):
    """Where vehicles and stock are kept (dLocation)."""

    __tablename__ = "stations"
    entity_type: ClassVar[str] = "station"

    name: Mapped[str] = plain()
    street: Mapped[str | None] = plain(default=None)
    city: Mapped[str | None] = plain(default=None)
    state: Mapped[str | None] = plain(default=None)
    zip: Mapped[str | None] = plain(default=None)

    __table_args__ = (*standard_constraints("stations"), unique_among_live("uq_stations_name", "name"))


class Asset(TenantEntity):
    """A single thing (a monitor, a stretcher), at a station or on a vehicle."""

    __tablename__ = "assets"
    entity_type: ClassVar[str] = "asset"

    name: Mapped[str] = plain()
    category: Mapped[str] = plain()
    serial_number: Mapped[str | None] = plain(default=None)
    station_id: Mapped[uuid.UUID | None] = plain(default=None)
    vehicle_id: Mapped[uuid.UUID | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("assets", "station_id", "vehicle_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "station_id"], ["stations.tenant_id", "stations.id"], name="fk_assets_station_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vehicle_id"], ["vehicles.tenant_id", "vehicles.id"], name="fk_assets_vehicle_id"
        ),
        sa.CheckConstraint("station_id IS NULL OR vehicle_id IS NULL", name="place"),
    )


class ControlledSubstanceSchedule(StrEnum):
    """21 CFR 1308.12 to 1308.15. Schedule I has no accepted medical use."""

    II = "II"
    III = "III"
    IV = "IV"
    V = "V"


class InventoryItem(TenantEntity):
    """A kind of thing that is used up. The module that moves items counts them by place."""

    __tablename__ = "inventory_items"
    entity_type: ClassVar[str] = "inventory_item"

    name: Mapped[str] = plain()
    sku: Mapped[str | None] = plain(default=None)
    unit_of_measure: Mapped[str] = plain()
    controlled_substance_schedule: Mapped[ControlledSubstanceSchedule | None] = plain(
        EnumText(ControlledSubstanceSchedule), default=None
    )

    __table_args__ = (
        *standard_constraints("inventory_items"),
        unique_among_live("uq_inventory_items_sku", "sku"),
        values_check("controlled_substance_schedule", ControlledSubstanceSchedule),
    )


class IntegrationKind(StrEnum):
    CAD = "cad"
    CARDIAC_MONITOR = "cardiac_monitor"
    HOSPITAL = "hospital"
    STATE_REPOSITORY = "state_repository"
    CLEARINGHOUSE = "clearinghouse"
    ACCOUNTING = "accounting"
    OTHER = "other"


class Integration(TenantEntity):
    """An outside system of the agency and its address. Credentials are stored elsewhere."""

    __tablename__ = "integration_registry"
    entity_type: ClassVar[str] = "integration"

    name: Mapped[str] = plain()
    kind: Mapped[IntegrationKind] = plain(EnumText(IntegrationKind))
    base_url: Mapped[str] = plain()

    __table_args__ = (
        *standard_constraints("integration_registry"),
        unique_among_live("uq_integration_registry_name", "name"),
        values_check("kind", IntegrationKind),
    )


class ExternalApiKey(TenantEntity):
    """A key of an outside system. Only its digest is stored. `scopes` are names of permissions.

    `expires_at` is null for a key that is good until it is revoked. `last_used_on` is a date in UTC.
    """

    __tablename__ = "external_api_keys"
    entity_type: ClassVar[str] = "external_api_key"

    name: Mapped[str] = plain()
    scopes: Mapped[list[Any]] = plain(JSONB(none_as_null=True))
    prefix: Mapped[str] = plain()
    secret_hash: Mapped[str] = secret()
    expires_at: Mapped[dt.datetime | None] = plain(default=None)
    last_used_on: Mapped[dt.date | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("external_api_keys"),
        sa.Index("ix_external_api_keys_secret_hash", "secret_hash"),
        unique_among_live("uq_external_api_keys_name", "name"),
        sa.UniqueConstraint("tenant_id", "secret_hash", name="uq_external_api_keys_secret_hash"),
    )
