"""Vehicles, personnel and the tables of later modules; the rest of the tenant's profile."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "reference"
down_revision = "governance"
branch_labels = None
depends_on = None

TABLES = (  # assets refer to stations and vehicles, and go first
    "assets",
    "vehicles",
    "personnel",
    "stations",
    "inventory_items",
    "integration_registry",
    "external_api_keys",
)
PROFILE = (
    "pay_to_street",
    "pay_to_city",
    "pay_to_state",
    "pay_to_zip",
    "billing_contact_email",
    "administrative_contact_name",
    "administrative_contact_phone",
    "administrative_contact_email",
)


def upgrade() -> None:
    op.create_table(
        "external_api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_external_api_keys_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_api_keys")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_external_api_keys_tenant"),
        sa.UniqueConstraint("tenant_id", "secret_hash", name="uq_external_api_keys_secret_hash"),
    )
    op.create_index(
        "ix_external_api_keys_tenant_created_at", "external_api_keys", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_external_api_keys_name",
        "external_api_keys",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "integration_registry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('cad', 'cardiac_monitor', 'hospital', 'state_repository', 'clearinghouse', "
            "'accounting', 'other')",
            name=op.f("ck_integration_registry_kind"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_integration_registry_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_registry")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_integration_registry_tenant"),
    )
    op.create_index(
        "ix_integration_registry_tenant_created_at",
        "integration_registry",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_integration_registry_name",
        "integration_registry",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "inventory_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("unit_of_measure", sa.Text(), nullable=False),
        sa.Column("controlled_substance_schedule", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "controlled_substance_schedule IN ('II', 'III', 'IV', 'V')",
            name=op.f("ck_inventory_items_controlled_substance_schedule"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_inventory_items_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_items")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_inventory_items_tenant"),
    )
    op.create_index(
        "ix_inventory_items_tenant_created_at", "inventory_items", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_inventory_items_sku",
        "inventory_items",
        ["tenant_id", "sku"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "stations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("zip", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_stations_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stations")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_stations_tenant"),
    )
    op.create_index("ix_stations_tenant_created_at", "stations", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "uq_stations_name",
        "stations",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "vehicles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("unit_number", sa.Text(), nullable=False),
        sa.Column("call_sign", sa.Text(), nullable=True),
        sa.Column("vehicle_type", sa.Text(), nullable=False),
        sa.Column("capability", sa.Text(), nullable=True),
        sa.Column("vin", sa.Text(), nullable=True),
        sa.Column("license_plate", sa.Text(), nullable=True),
        sa.Column("state_permit_number", sa.Text(), nullable=True),
        sa.Column("model_year", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "capability IN ('2207011', '2207013', '2207015', '2207017', '2207019', '2207021', '2207023', "
            "'2207025', '2207027')",
            name=op.f("ck_vehicles_capability"),
        ),
        sa.CheckConstraint("status IN ('in_service', 'out_of_service', 'retired')", name=op.f("ck_vehicles_status")),
        sa.CheckConstraint(
            "vehicle_type IN ('1404001', '1404003', '1404005', '1404007', '1404009', '1404011', '1404013', "
            "'1404015', '1404017', '1404019', '1404021', '1404023', '1404025')",
            name=op.f("ck_vehicles_vehicle_type"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_vehicles_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicles")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_vehicles_tenant"),
    )
    op.create_index("ix_vehicles_tenant_created_at", "vehicles", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_vehicles_tenant_status", "vehicles", ["tenant_id", "status", "created_at"], unique=False)
    op.create_index(
        "uq_vehicles_unit_number",
        "vehicles",
        ["tenant_id", "unit_number"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND status <> 'retired'"),
    )
    op.create_table(
        "assets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("serial_number", sa.Text(), nullable=True),
        sa.Column("station_id", sa.Uuid(), nullable=True),
        sa.Column("vehicle_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("station_id IS NULL OR vehicle_id IS NULL", name=op.f("ck_assets_place")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "station_id"], ["stations.tenant_id", "stations.id"], name="fk_assets_station_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vehicle_id"], ["vehicles.tenant_id", "vehicles.id"], name="fk_assets_vehicle_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_assets_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_assets_tenant"),
    )
    op.create_index("ix_assets_tenant_created_at", "assets", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_assets_tenant_station_id", "assets", ["tenant_id", "station_id", "created_at"], unique=False)
    op.create_index("ix_assets_tenant_vehicle_id", "assets", ["tenant_id", "vehicle_id", "created_at"], unique=False)
    op.create_table(
        "personnel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("middle_name", sa.Text(), nullable=True),
        sa.Column("licensure_level", sa.Text(), nullable=False),
        sa.Column("licensure_id", sa.Text(), nullable=True),
        sa.Column("licensure_state", sa.Text(), nullable=True),
        sa.Column("licensure_expires_on", sa.Date(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "licensure_level IN ('9925001', '9925002', '9925003', '9925005', '9925007', '9925023', "
            "'9925025', '9925027', '9925029', '9925031', '9925033', '9925035', '9925037', '9925039', "
            "'9925041', '9925043')",
            name=op.f("ck_personnel_licensure_level"),
        ),
        sa.CheckConstraint("status IN ('active', 'inactive')", name=op.f("ck_personnel_status")),
        sa.CheckConstraint("(licensure_id IS NULL) = (licensure_state IS NULL)", name=op.f("ck_personnel_licensure")),
        sa.CheckConstraint(
            "licensure_expires_on IS NULL OR licensure_id IS NOT NULL", name=op.f("ck_personnel_licensure_expires_on")
        ),
        sa.ForeignKeyConstraint(["tenant_id", "user_id"], ["users.tenant_id", "users.id"], name="fk_personnel_user_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_personnel_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_personnel")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_personnel_tenant"),
    )
    op.create_index("ix_personnel_tenant_created_at", "personnel", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_personnel_tenant_status", "personnel", ["tenant_id", "status", "created_at"], unique=False)
    op.create_index(
        "uq_personnel_licensure",
        "personnel",
        ["tenant_id", "licensure_state", "licensure_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_personnel_user_id",
        "personnel",
        ["tenant_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    for table in TABLES:
        secure(table)
    for column in PROFILE:
        op.add_column("tenants", sa.Column(column, sa.Text(), nullable=True))
    op.add_column("tenants", sa.Column("default_place_of_service", sa.Text(), server_default="41", nullable=False))
    op.add_column(
        "tenants", sa.Column("default_accepts_assignment", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )


def downgrade() -> None:
    for column in ("default_accepts_assignment", "default_place_of_service", *reversed(PROFILE)):
        op.drop_column("tenants", column)
    for table in TABLES:
        op.drop_table(table)
