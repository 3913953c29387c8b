"""claim_acknowledgements: what was said about one claim in a received file, and what followed."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from app.billing.x12.acknowledgement_records import Verdict
from app.core.db.columns import EnumText, internal, phi, plain, values_check
from app.core.db.entity import TenantEntity, standard_constraints

_JSON = JSONB(none_as_null=True)


class Authority(StrEnum):
    """The speaker: the receiver of the file (TA1, 999), the clearinghouse about a claim, or the payer about a claim."""

    RECEIVER = "receiver"
    CLEARINGHOUSE = "clearinghouse"
    PAYER = "payer"


class Effect(StrEnum):
    """The consequence of an answer. `outdated`: the claim went out again since; `unknown_claim`: it is none of ours."""

    SUBMITTED = "submitted"
    REJECTED = "rejected"
    NONE = "none"
    OUTDATED = "outdated"
    UNKNOWN_CLAIM = "unknown_claim"


class ClaimAcknowledgement(TenantEntity):
    """`codes` are the sender's; `advice` says in words what to mend. `messages` are the sender's own words."""

    __tablename__ = "claim_acknowledgements"
    entity_type: ClassVar[str] = "claim_acknowledgement"

    file_id: Mapped[uuid.UUID] = internal()
    claim_id: Mapped[uuid.UUID | None] = plain(default=None)
    claim_number: Mapped[str | None] = plain(default=None)
    authority: Mapped[Authority] = plain(EnumText(Authority))
    verdict: Mapped[Verdict] = plain(EnumText(Verdict))
    effect: Mapped[Effect] = plain(EnumText(Effect))
    codes: Mapped[list[Any]] = plain(_JSON, default_factory=list)
    advice: Mapped[list[Any]] = plain(_JSON, default_factory=list)
    messages: Mapped[list[Any]] = phi(_JSON, default_factory=list)
    payer_control_number: Mapped[str | None] = plain(default=None)
    clearinghouse_number: Mapped[str | None] = plain(default=None)

    __table_args__ = (
        *standard_constraints("claim_acknowledgements", "file_id", "claim_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["received_files.tenant_id", "received_files.id"],
            name="fk_claim_acknowledgements_file_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "claim_id"], ["claims.tenant_id", "claims.id"], name="fk_claim_acknowledgements_claim_id"
        ),
        sa.CheckConstraint("(claim_id IS NULL) = (effect = 'unknown_claim')", name="claim_id"),
        values_check("authority", Authority),
        values_check("verdict", Verdict),
        values_check("effect", Effect),
    )
