"""The state machine of a signature. A signature is never changed, only voided; signing again makes another."""

from __future__ import annotations

from enum import StrEnum

from app.core.audit.actions import AuditAction
from app.core.lifecycle import Lifecycle, Transition
from app.ems.events import INCIDENT_UPDATED
from app.ems.permissions import SIGNATURE_VOID
from app.ems.uploads.lifecycle import UploadFacts, UploadTransition, upload_transitions


class SignatureStatus(StrEnum):
    PENDING = "pending"
    SIGNED = "signed"
    REJECTED = "rejected"
    VOIDED = "voided"


class SignatureTransition(StrEnum):
    """The transitions that clients may ask for."""

    COMPLETE = "complete"
    VOID = "void"


class SignatureAction(AuditAction):
    CREATED = "signature.created"
    SIGNED = "signature.signed"
    REJECTED = "signature.rejected"
    VOIDED = "signature.voided"
    DOWNLOAD_LINK_ISSUED = "signature.download_link_issued"
    DELETED = "signature.deleted"
    RESTORED = "signature.restored"


signature_lifecycle: Lifecycle[SignatureStatus, UploadFacts] = Lifecycle(
    name="signature",
    states=SignatureStatus,
    initial=SignatureStatus.PENDING,
    transitions=(
        *upload_transitions(
            SignatureStatus.PENDING,
            SignatureStatus.SIGNED,
            SignatureStatus.REJECTED,
            kept_as=SignatureAction.SIGNED,
            rejected_as=SignatureAction.REJECTED,
        ),
        Transition(
            SignatureTransition.VOID,
            frozenset({SignatureStatus.SIGNED}),
            SignatureStatus.VOIDED,
            permission=SIGNATURE_VOID,
            audit_action=SignatureAction.VOIDED,
            event=INCIDENT_UPDATED,
            needs_reason=True,
        ),
    ),
    internal=frozenset({UploadTransition.REJECT}),
)
