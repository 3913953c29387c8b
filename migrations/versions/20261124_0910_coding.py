"""Codes: releases, ICD-10-CM, RxNorm (reference data of no tenant), and each agency's search vocabulary."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenancy import APP, secure

revision = "coding"
down_revision = "email"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_releases",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("report", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("code_system IN ('icd10cm', 'rxnorm')", name=op.f("ck_code_releases_code_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_releases")),
    )
    op.create_index(
        "ix_code_releases_code_system", "code_releases", ["code_system", "effective_from", "created_at"], unique=False
    )
    op.create_table(
        "icd10_codes",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("compact", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("short_description", sa.Text(), nullable=True),
        sa.Column("inclusion_terms", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("billable", sa.Boolean(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("chapter", sa.Text(), nullable=True),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("compact = replace(code, '.', '')", name=op.f("ck_icd10_codes_compact")),
        sa.CheckConstraint("kind = 'code' OR NOT billable", name=op.f("ck_icd10_codes_billable")),
        sa.CheckConstraint("kind IN ('chapter', 'block', 'code')", name=op.f("ck_icd10_codes_kind")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_icd10_codes_period")),
        sa.ForeignKeyConstraint(["release_id"], ["code_releases.id"], name="fk_icd10_codes_release_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_icd10_codes")),
        sa.UniqueConstraint("compact", "valid_from", name="uq_icd10_codes_period"),
    )
    op.create_index("ix_icd10_codes_parent", "icd10_codes", ["parent", "code"], unique=False)
    op.create_table(
        "rxnorm_concepts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("terminology", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("term_type", sa.Text(), nullable=True),
        sa.Column("suppressed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("strength", sa.Text(), nullable=True),
        sa.Column("synonyms", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("ingredients", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("brands", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("terminology IN ('rxnorm', 'snomed')", name=op.f("ck_rxnorm_concepts_terminology")),
        sa.ForeignKeyConstraint(["release_id"], ["code_releases.id"], name="fk_rxnorm_concepts_release_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rxnorm_concepts")),
        sa.UniqueConstraint("code", "terminology", name="uq_rxnorm_concepts_code"),
    )
    op.create_table(
        "rxnorm_relations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("rxcui", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["release_id"], ["code_releases.id"], name="fk_rxnorm_relations_release_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rxnorm_relations")),
        sa.UniqueConstraint("rxcui", "relation", "other", name="uq_rxnorm_relations_relation"),
    )
    op.create_index("ix_rxnorm_relations_other", "rxnorm_relations", ["other"], unique=False)
    op.create_table(
        "vocabulary_terms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("say", sa.Text(), nullable=False),
        sa.Column("spoken", sa.Text(), nullable=False),
        sa.Column("means", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("boost", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("domains", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_vocabulary_terms_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary_terms")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_vocabulary_terms_tenant"),
    )
    op.create_index(
        "ix_vocabulary_terms_tenant_created_at", "vocabulary_terms", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_vocabulary_terms_spoken",
        "vocabulary_terms",
        ["tenant_id", "spoken"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    for table in ("code_releases", "icd10_codes", "rxnorm_concepts", "rxnorm_relations"):
        op.execute(f"GRANT SELECT ON {table} TO {APP}")  # written by importers, as the owner
    secure("vocabulary_terms")


def downgrade() -> None:
    op.drop_index(
        "uq_vocabulary_terms_spoken", table_name="vocabulary_terms", postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.drop_index("ix_vocabulary_terms_tenant_created_at", table_name="vocabulary_terms")
    op.drop_table("vocabulary_terms")
    op.drop_index("ix_rxnorm_relations_other", table_name="rxnorm_relations")
    op.drop_table("rxnorm_relations")
    op.drop_table("rxnorm_concepts")
    op.drop_index("ix_icd10_codes_parent", table_name="icd10_codes")
    op.drop_table("icd10_codes")
    op.drop_index("ix_code_releases_code_system", table_name="code_releases")
    op.drop_table("code_releases")
