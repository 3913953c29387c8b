"""Facilities, and where a chart names them; the countries of addresses, which stood among the elements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "facilities"
down_revision = "vehicles_on_calls"
branch_labels = None
depends_on = None

_COUNTRIES = (
    ("incidents", "location_country", "eScene.22"),
    ("patients", "home_country", "ePatient.10"),
    ("patients", "destination_country", "eDisposition.08"),
)
_PICKS = (("incidents", "origin_facility"), ("incidents", "destination_facility"), ("patients", "destination_facility"))


def upgrade() -> None:
    op.create_table(
        "facilities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("facility_type", sa.Text(), nullable=False),
        sa.Column("location_code", sa.Text(), nullable=True),
        sa.Column("billing_letter", sa.Text(), nullable=True),
        sa.Column("npi", sa.Text(), nullable=True),
        sa.Column("designations", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("zip", sa.Text(), nullable=True),
        sa.Column("county", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Numeric(), nullable=True),
        sa.Column("longitude", sa.Numeric(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "facility_type IN ('1701001', '1701003', '1701005', '1701007', '1701009', '1701011', '1701013', "
            "'1701015', '1701017', '1701019', '1701021', '1701023', '1701025', '1701027', '1701029', '1701031', "
            "'1701033', '1701035')",
            name=op.f("ck_facilities_facility_type"),
        ),
        sa.CheckConstraint(
            "billing_letter IN ('D', 'E', 'G', 'H', 'I', 'J', 'N', 'P')", name=op.f("ck_facilities_billing_letter")
        ),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90 AND scale(latitude) <= 6", name=op.f("ck_facilities_latitude")),
        sa.CheckConstraint(
            "longitude BETWEEN -180 AND 180 AND scale(longitude) <= 6", name=op.f("ck_facilities_longitude")
        ),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_facilities_position")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_facilities_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facilities")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_facilities_tenant"),
    )
    op.create_index("ix_facilities_tenant_created_at", "facilities", ["tenant_id", "created_at", "id"])
    op.create_index(
        "uq_facilities_location_code",
        "facilities",
        ["tenant_id", "location_code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("facilities")
    for table, name in _PICKS:
        op.add_column(table, sa.Column(f"{name}_id", sa.Uuid(), nullable=True))
        op.add_column(table, sa.Column(name, postgresql.JSONB(none_as_null=True), nullable=True))
        op.create_foreign_key(
            f"fk_{table}_{name}_id", table, "facilities", ["tenant_id", f"{name}_id"], ["tenant_id", "id"]
        )
    for table, column, element_id in _COUNTRIES:
        op.add_column(table, sa.Column(column, sa.Text(), nullable=True))
        # A territory is a state of the United States in an address. Where no state was charted, it becomes the state.
        state, told = column.replace("country", "state"), f"upper(elements #>> '{{{element_id},0,value}}')"
        op.execute(
            f"""
            UPDATE {table} SET elements = elements - '{element_id}',
                {column} = regexp_replace({told}, '^(AS|GU|MP|PR|UM|VI)$', 'US'),
                {state} = coalesce({state}, substring({told} from '^(AS|GU|MP|PR|VI)$'))
            WHERE {told} ~ '^[A-Z]{{2}}$'
            """
        )


def downgrade() -> None:
    for table, column, element_id in reversed(_COUNTRIES):
        op.execute(
            f"""
            UPDATE {table} SET elements = elements
                || jsonb_build_object('{element_id}', jsonb_build_array(jsonb_build_object('value', {column})))
            WHERE {column} IS NOT NULL
            """
        )
        op.drop_column(table, column)
    for table, name in reversed(_PICKS):
        op.drop_constraint(f"fk_{table}_{name}_id", table, type_="foreignkey")
        op.drop_column(table, name)
        op.drop_column(table, f"{name}_id")
    op.drop_table("facilities")
