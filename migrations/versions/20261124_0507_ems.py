"""The chart: incidents, patients, vitals, interventions, narratives, element groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "ems"
down_revision = "kernel"
branch_labels = None
depends_on = None

TABLES = ("incidents", "patients", "element_groups", "interventions", "narratives", "vitals")


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("incident_number", sa.Text(), nullable=False),
        sa.Column("dispatch_time", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("enroute_time", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("arrival_time", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("depart_scene_time", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("arrived_destination_time", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("cleared_time", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("location_type", sa.Text(), nullable=True),
        sa.Column("location_street", sa.Text(), nullable=True),
        sa.Column("location_unit", sa.Text(), nullable=True),
        sa.Column("location_city", sa.Text(), nullable=True),
        sa.Column("location_state", sa.Text(), nullable=True),
        sa.Column("location_zip", sa.Text(), nullable=True),
        sa.Column("location_county", sa.Text(), nullable=True),
        sa.Column("location_latitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("location_longitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("primary_impression", sa.Text(), nullable=True),
        sa.Column("completed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "elements",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'in_progress', 'ready_for_review', 'completed', 'locked')",
            name=op.f("ck_incidents_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"], ["users.tenant_id", "users.id"], name="fk_incidents_created_by"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_incidents_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_incidents_tenant"),
    )
    op.create_index("ix_incidents_tenant_created_at", "incidents", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_incidents_tenant_incident_number", "incidents", ["tenant_id", "incident_number"], unique=False)
    op.create_index("ix_incidents_tenant_status", "incidents", ["tenant_id", "status", "created_at"], unique=False)
    op.create_table(
        "patients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("pcr_uuid", sa.Uuid(), nullable=False),
        sa.Column("ems_patient_id", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("middle_name", sa.Text(), nullable=True),
        sa.Column("name_suffix", sa.Text(), nullable=True),
        sa.Column("date_of_birth", sa.Date(), nullable=True),
        sa.Column("age", sa.Integer(), nullable=True),
        sa.Column("age_unit", sa.Text(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("home_street", sa.Text(), nullable=True),
        sa.Column("home_city", sa.Text(), nullable=True),
        sa.Column("home_state", sa.Text(), nullable=True),
        sa.Column("home_zip", sa.Text(), nullable=True),
        sa.Column("home_county", sa.Text(), nullable=True),
        sa.Column("destination_name", sa.Text(), nullable=True),
        sa.Column("destination_street", sa.Text(), nullable=True),
        sa.Column("destination_city", sa.Text(), nullable=True),
        sa.Column("destination_state", sa.Text(), nullable=True),
        sa.Column("destination_zip", sa.Text(), nullable=True),
        sa.Column("destination_county", sa.Text(), nullable=True),
        sa.Column(
            "elements",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "age_unit IN ('years', 'months', 'days', 'hours', 'minutes')", name=op.f("ck_patients_age_unit")
        ),
        sa.CheckConstraint("gender IN ('female', 'male', 'unknown')", name=op.f("ck_patients_gender")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_patients_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_patients_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_patients_tenant"),
        sa.UniqueConstraint("tenant_id", "incident_id", "id", name="uq_patients_incident"),
        sa.UniqueConstraint("tenant_id", "pcr_uuid", name="uq_patients_pcr_uuid"),
    )
    op.create_index("ix_patients_tenant_created_at", "patients", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_patients_tenant_incident_id", "patients", ["tenant_id", "incident_id", "created_at"], unique=False
    )
    op.create_table(
        "element_groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column(
            "elements",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "parent_id"],
            ["element_groups.tenant_id", "element_groups.incident_id", "element_groups.id"],
            name="fk_element_groups_parent_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_element_groups_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_element_groups_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_element_groups_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_element_groups")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_element_groups_tenant"),
        sa.UniqueConstraint("tenant_id", "incident_id", "id", name="uq_element_groups_incident"),
    )
    op.create_index(
        "ix_element_groups_tenant_created_at", "element_groups", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_element_groups_tenant_incident_id",
        "element_groups",
        ["tenant_id", "incident_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "interventions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("procedure_code", sa.Text(), nullable=True),
        sa.Column("rxcui", sa.Text(), nullable=True),
        sa.Column("dose", sa.Numeric(precision=9, scale=3), nullable=True),
        sa.Column("dose_unit", sa.Text(), nullable=True),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("performed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column(
            "elements",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(type = 'procedure' AND rxcui IS NULL AND dose IS NULL AND dose_unit IS NULL AND route IS NULL)"
            " OR (type = 'medication' AND procedure_code IS NULL)",
            name=op.f("ck_interventions_code_of_type"),
        ),
        sa.CheckConstraint("outcome IN ('improved', 'unchanged', 'worse')", name=op.f("ck_interventions_outcome")),
        sa.CheckConstraint("type IN ('procedure', 'medication')", name=op.f("ck_interventions_type")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_interventions_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_interventions_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_interventions_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interventions")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_interventions_tenant"),
    )
    op.create_index(
        "ix_interventions_tenant_created_at", "interventions", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_interventions_tenant_incident_id", "interventions", ["tenant_id", "incident_id", "created_at"], unique=False
    )
    op.create_table(
        "narratives",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("narrative_text", sa.Text(), nullable=True),
        sa.Column("structured_json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("ai_suggestions_json", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("ai_score", sa.Numeric(precision=5, scale=4), nullable=True),
        sa.Column(
            "elements",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_narratives_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_narratives_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_narratives_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_narratives")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_narratives_tenant"),
    )
    op.create_index("ix_narratives_tenant_created_at", "narratives", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_narratives_tenant_incident_id", "narratives", ["tenant_id", "incident_id", "created_at"], unique=False
    )
    op.create_table(
        "vitals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("systolic_bp", sa.Integer(), nullable=True),
        sa.Column("diastolic_bp", sa.Integer(), nullable=True),
        sa.Column("heart_rate", sa.Integer(), nullable=True),
        sa.Column("respiratory_rate", sa.Integer(), nullable=True),
        sa.Column("spo2", sa.Integer(), nullable=True),
        sa.Column("etco2", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("etco2_unit", sa.Text(), nullable=True),
        sa.Column("temperature_c", sa.Numeric(precision=3, scale=1), nullable=True),
        sa.Column("gcs_eye", sa.Integer(), nullable=True),
        sa.Column("gcs_verbal", sa.Integer(), nullable=True),
        sa.Column("gcs_motor", sa.Integer(), nullable=True),
        sa.Column("gcs_total", sa.Integer(), nullable=True),
        sa.Column("pain_score", sa.Integer(), nullable=True),
        sa.Column(
            "elements",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("etco2_unit IN ('mmHg', 'percent', 'kPa')", name=op.f("ck_vitals_etco2_unit")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_vitals_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_vitals_incident_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_vitals_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vitals")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_vitals_tenant"),
    )
    op.create_index("ix_vitals_tenant_created_at", "vitals", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_vitals_tenant_incident_id", "vitals", ["tenant_id", "incident_id", "created_at"], unique=False)
    for table in TABLES:
        secure(table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
