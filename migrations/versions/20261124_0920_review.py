"""Reviews with their comments, and amendments; a chart that waits for review already gets its review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.tenancy import secure

revision = "review"
down_revision = "attachments"
branch_labels = None
depends_on = None

TABLES = ("chart_amendments", "chart_reviews", "review_comments")
# A chart in review is edited by nobody: its last change was the submission.
_OPEN_REVIEWS = """
INSERT INTO chart_reviews (id, tenant_id, incident_id, author_id, submitted_by, status, created_at, updated_at)
SELECT gen_random_uuid(), i.tenant_id, i.id, i.created_by, coalesce(
    (SELECT a.actor_user_id FROM audit_events a
     WHERE a.tenant_id = i.tenant_id AND a.entity_id = i.id AND a.action = 'submit_for_review'
     ORDER BY a.id DESC LIMIT 1),
    i.created_by), 'waiting', i.updated_at, i.updated_at
FROM incidents i WHERE i.status = 'ready_for_review' AND i.deleted_at IS NULL
"""


def upgrade() -> None:
    op.create_table(
        "chart_amendments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("entity_version", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amended_by", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "change IN ('created', 'revised', 'deleted', 'restored')", name=op.f("ck_chart_amendments_change")
        ),
        sa.CheckConstraint("base_version < entity_version", name=op.f("ck_chart_amendments_base_version")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "amended_by"], ["users.tenant_id", "users.id"], name="fk_chart_amendments_amended_by"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name="fk_chart_amendments_incident_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_chart_amendments_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_amendments")),
        sa.UniqueConstraint("tenant_id", "entity_id", "entity_version", name="uq_chart_amendments_version"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_chart_amendments_tenant"),
    )
    op.create_index(
        "ix_chart_amendments_tenant_created_at", "chart_amendments", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_chart_amendments_tenant_incident_id",
        "chart_amendments",
        ["tenant_id", "incident_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "chart_reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'returned', 'completed')", name=op.f("ck_chart_reviews_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "author_id"], ["users.tenant_id", "users.id"], name="fk_chart_reviews_author_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "decided_by"], ["users.tenant_id", "users.id"], name="fk_chart_reviews_decided_by"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_chart_reviews_incident_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reviewer_id"], ["users.tenant_id", "users.id"], name="fk_chart_reviews_reviewer_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "submitted_by"], ["users.tenant_id", "users.id"], name="fk_chart_reviews_submitted_by"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_chart_reviews_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_reviews")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_chart_reviews_tenant"),
    )
    op.create_index(
        "ix_chart_reviews_tenant_created_at", "chart_reviews", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_chart_reviews_tenant_incident_id", "chart_reviews", ["tenant_id", "incident_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_chart_reviews_tenant_status", "chart_reviews", ["tenant_id", "status", "created_at"], unique=False
    )
    op.create_index(
        "uq_chart_reviews_waiting",
        "chart_reviews",
        ["tenant_id", "incident_id"],
        unique=True,
        postgresql_where=sa.text("status = 'waiting' AND deleted_at IS NULL"),
    )
    op.create_table(
        "review_comments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("chart_author_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('open', 'resolved')", name=op.f("ck_review_comments_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "chart_author_id"], ["users.tenant_id", "users.id"], name="fk_review_comments_chart_author_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "created_by"], ["users.tenant_id", "users.id"], name="fk_review_comments_created_by"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"], ["incidents.tenant_id", "incidents.id"], name="fk_review_comments_incident_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resolved_by"], ["users.tenant_id", "users.id"], name="fk_review_comments_resolved_by"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["chart_reviews.tenant_id", "chart_reviews.id"],
            name="fk_review_comments_review_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_review_comments_tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_comments")),
        sa.UniqueConstraint("tenant_id", "id", name="uq_review_comments_tenant"),
    )
    op.create_index(
        "ix_review_comments_tenant_created_at", "review_comments", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_review_comments_tenant_incident_id",
        "review_comments",
        ["tenant_id", "incident_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_review_comments_tenant_status", "review_comments", ["tenant_id", "status", "created_at"], unique=False
    )
    for table in TABLES:
        secure(table)
    op.execute(_OPEN_REVIEWS)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
