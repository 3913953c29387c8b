"""Payers, billing accounts and coverages; claims that name them, and that may still lack a value."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import secure

revision = "billing_parties"
down_revision = "positions"
branch_labels = None
depends_on = None

_OPEN = (
    "payer_name",
    "payer_id",
    "claim_filing_code",
    "member_id",
    "icd10_primary",
    "place_of_service",
    "loaded_miles",
    "transport_reason",
)
_UUIDS = ("payer_record_id", "coverage_id", "account_id", "assigned_to_user_id")
_TEXTS = ("insurance_type", "level_of_service", "payer_claim_control_number", "delay_reason", "note")
_TIMES = ("stale_since", "snoozed_until")
_KEYS = {
    "payer_record_id": "payers",
    "coverage_id": "coverages",
    "account_id": "billing_accounts",
    "assigned_to_user_id": "users",
}
_CHECKS = {
    "payer_sequence": "payer_sequence IN ('P', 'S', 'T')",
    "primary_diagnosis": "icd10_primary IS NOT DISTINCT FROM diagnoses ->> 0",
    "frequency": "frequency IN ('1', '7', '8')",
    "level_of_service": "level_of_service IN ('bls', 'bls_emergency', 'als1', 'als1_emergency', 'als2',"
    " 'specialty_care', 'paramedic_intercept', 'fixed_wing', 'rotary_wing', 'treat_no_transport')",
}
_EARLIER_CHECKS = {"payer_sequence": "payer_sequence = 'P'", "primary_diagnosis": "icd10_primary = diagnoses ->> 0"}


def upgrade() -> None:
    op.create_table(
        "payers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("claim_filing_code", sa.Text(), nullable=False),
        sa.Column("timely_filing_days", sa.Integer(), nullable=True),
        sa.Column("appeal_days", sa.Integer(), nullable=True),
        sa.Column("takes_replacements", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("requires_prior_authorization", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("wants_paper", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "edits",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("zip", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("appeal_days > 0", name=op.f("ck_payers_appeal_days")),
        sa.CheckConstraint("timely_filing_days > 0", name=op.f("ck_payers_timely_filing_days")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_payers_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payers")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_payers_tenant"),
    )
    op.create_index("ix_payers_tenant_created_at", "payers", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_payers_tenant_payer_id", "payers", ["tenant_id", "payer_id", "created_at"], unique=False)
    op.create_index(
        "uq_payers_name", "payers", ["tenant_id", "name"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    secure("payers")
    op.create_table(
        "billing_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_number", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("middle_name", sa.Text(), nullable=True),
        sa.Column("name_suffix", sa.Text(), nullable=True),
        sa.Column("date_of_birth", sa.Date(), nullable=True),
        sa.Column("date_of_death", sa.Date(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("zip", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_billing_accounts_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_accounts")),
        sa.UniqueConstraint("account_number", name="uq_billing_accounts_account_number"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_billing_accounts_tenant"),
    )
    op.create_index(
        "ix_billing_accounts_tenant_created_at", "billing_accounts", ["tenant_id", "created_at", "id"], unique=False
    )
    secure("billing_accounts")
    op.create_table(
        "billing_account_patients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["billing_accounts.tenant_id", "billing_accounts.id"],
            name="fk_billing_account_patients_account_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_billing_account_patients_patient_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_billing_account_patients_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_account_patients")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_billing_account_patients_tenant"),
    )
    op.create_index(
        "ix_billing_account_patients_tenant_account_id",
        "billing_account_patients",
        ["tenant_id", "account_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_billing_account_patients_tenant_created_at",
        "billing_account_patients",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_billing_account_patients_tenant_incident_id",
        "billing_account_patients",
        ["tenant_id", "incident_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_billing_account_patients_patient",
        "billing_account_patients",
        ["tenant_id", "patient_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("billing_account_patients")
    op.create_table(
        "coverages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("carried_from_id", sa.Uuid(), nullable=True),
        sa.Column("payer_record_id", sa.Uuid(), nullable=True),
        sa.Column("charted_payer_name", sa.Text(), nullable=True),
        sa.Column("sequence", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=True),
        sa.Column("group_number", sa.Text(), nullable=True),
        sa.Column("group_name", sa.Text(), nullable=True),
        sa.Column("insurance_type", sa.Text(), nullable=True),
        sa.Column("relationship", sa.Text(), nullable=False),
        sa.Column("subscriber_last_name", sa.Text(), nullable=True),
        sa.Column("subscriber_first_name", sa.Text(), nullable=True),
        sa.Column("subscriber_middle_name", sa.Text(), nullable=True),
        sa.Column("subscriber_name_suffix", sa.Text(), nullable=True),
        sa.Column("subscriber_date_of_birth", sa.Date(), nullable=True),
        sa.Column("subscriber_sex", sa.Text(), nullable=True),
        sa.Column("subscriber_street", sa.Text(), nullable=True),
        sa.Column("subscriber_unit", sa.Text(), nullable=True),
        sa.Column("subscriber_city", sa.Text(), nullable=True),
        sa.Column("subscriber_state", sa.Text(), nullable=True),
        sa.Column("subscriber_zip", sa.Text(), nullable=True),
        sa.Column("subscriber_country", sa.Text(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("origin IN ('charted', 'entered', 'carried_forward')", name=op.f("ck_coverages_origin")),
        sa.CheckConstraint(
            "relationship = '18' OR subscriber_last_name IS NOT NULL", name=op.f("ck_coverages_subscriber")
        ),
        sa.CheckConstraint(
            "relationship IN ('18', '01', '19', '20', '21', '39', '40', '53', 'G8')",
            name=op.f("ck_coverages_relationship"),
        ),
        sa.CheckConstraint("sequence IN ('P', 'S', 'T')", name=op.f("ck_coverages_sequence")),
        sa.CheckConstraint("effective_to >= effective_from", name=op.f("ck_coverages_effective")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "carried_from_id"], ["coverages.tenant_id", "coverages.id"], name="fk_coverages_carried_from"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id", "patient_id"],
            ["patients.tenant_id", "patients.incident_id", "patients.id"],
            name="fk_coverages_patient_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payer_record_id"], ["payers.tenant_id", "payers.id"], name="fk_coverages_payer_record_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_coverages_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverages")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_coverages_tenant"),
    )
    op.create_index("ix_coverages_tenant_created_at", "coverages", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_coverages_tenant_incident_id", "coverages", ["tenant_id", "incident_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_coverages_tenant_patient_id", "coverages", ["tenant_id", "patient_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_coverages_tenant_payer_record_id", "coverages", ["tenant_id", "payer_record_id", "created_at"], unique=False
    )
    op.create_index(
        "uq_coverages_sequence",
        "coverages",
        ["tenant_id", "patient_id", "sequence"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure("coverages")
    for column in _OPEN:
        op.alter_column("claims", column, nullable=True)
    for column in _UUIDS:
        op.add_column("claims", sa.Column(column, sa.Uuid(), nullable=True))
    for column in _TEXTS:
        op.add_column("claims", sa.Column(column, sa.Text(), nullable=True))
    for column in _TIMES:
        op.add_column("claims", sa.Column(column, sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("claims", sa.Column("subscriber", postgresql.JSONB(none_as_null=True), nullable=True))
    op.add_column("claims", sa.Column("frequency", sa.Text(), server_default="1", nullable=False))
    for column, table in _KEYS.items():
        op.create_foreign_key(f"fk_claims_{column}", "claims", table, ["tenant_id", column], ["tenant_id", "id"])
    for column in ("payer_record_id", "account_id"):
        op.create_index(f"ix_claims_tenant_{column}", "claims", ["tenant_id", column, "created_at"])
    for name in _EARLIER_CHECKS:
        op.drop_constraint(op.f(f"ck_claims_{name}"), "claims", type_="check")
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_claims_{name}"), "claims", condition)


def downgrade() -> None:
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_claims_{name}"), "claims", type_="check")
    for name, condition in _EARLIER_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_claims_{name}"), "claims", condition)
    for column in ("account_id", "payer_record_id"):
        op.drop_index(f"ix_claims_tenant_{column}", "claims")
    for column in _KEYS:
        op.drop_constraint(f"fk_claims_{column}", "claims", type_="foreignkey")
    for column in ("frequency", "subscriber", *_TIMES, *_TEXTS, *_UUIDS):
        op.drop_column("claims", column)
    for column in _OPEN:
        op.alter_column("claims", column, nullable=False)
    for table in ("coverages", "billing_account_patients", "billing_accounts", "payers"):
        op.drop_table(table)
