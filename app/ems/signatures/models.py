"""The table signatures (directive 5.1)."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy.orm import Mapped

from app.core.db.columns import EnumText, phi, plain, values_check
from app.ems.signatures.lifecycle import SignatureStatus, signature_lifecycle
from app.ems.uploads.columns import UploadedEntry, upload_constraints

MAX_BYTES = 200_000


class SignerRole(StrEnum):
    """Who signs. A witness signs a refusal beside the patient, or instead of a patient who will not sign."""

    PATIENT = "patient"
    GUARDIAN = "guardian"
    CREW = "crew"
    WITNESS = "witness"


class StatementCode(StrEnum):
    """The kind of statement that is signed. `coverage.SCOPES` tells which content each covers."""

    CONSENT_TO_TREAT = "consent_to_treat"
    ASSIGNMENT_OF_BENEFITS = "assignment_of_benefits"
    REFUSAL = "refusal"
    RECEIPT_OF_PRIVACY_NOTICE = "receipt_of_privacy_notice"
    CREW_ATTESTATION = "crew_attestation"


class Signature(UploadedEntry):
    """Who signed which wording, and which content of the chart.

    `covered_json` is that content, as [{entity, id, version, sha256}]. `content_sha256` binds it and the wording. Both
    are protected: a name or a birthday could be found from its digest by trying.
    """

    __tablename__ = "signatures"
    entity_type: ClassVar[str] = "signature"

    status: Mapped[SignatureStatus] = plain(EnumText(SignatureStatus), default=SignatureStatus.PENDING)
    signature_blob_ref: Mapped[str | None] = plain(default=None, init=False)
    signer_role: Mapped[SignerRole] = plain(EnumText(SignerRole))
    signer_name: Mapped[str] = phi()
    statement_code: Mapped[StatementCode] = plain(EnumText(StatementCode))
    statement: Mapped[str] = phi(heavy=True)
    signed_at: Mapped[dt.datetime] = plain()
    content_sha256: Mapped[str] = phi(default="")
    covered_json: Mapped[list[Any]] = phi(default_factory=list, heavy=True)

    __table_args__ = (
        *upload_constraints("signatures", max_bytes=MAX_BYTES),
        signature_lifecycle.check(),
        values_check("signer_role", SignerRole),
        values_check("statement_code", StatementCode),
    )
