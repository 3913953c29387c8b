"""Payers as a kind of reference record."""

from __future__ import annotations

from app.billing.payers.models import PayerRecord
from app.billing.payers.schemas import PayerCreate, PayerPatch, PayerRead
from app.billing.permissions import PAYER_READ, PAYER_WRITE
from app.core.audit.actions import AuditAction
from app.core.reference.kinds import ReferenceKind, Verb
from app.core.reference.schemas import Filter


class PayerAction(AuditAction):
    CREATED = "payer.created"
    REVISED = "payer.revised"
    DELETED = "payer.deleted"
    RESTORED = "payer.restored"


PAYERS = ReferenceKind(
    noun="payer",
    plural="payers",
    path="billing/payers",
    tag="billing",
    about="The insurers that the agency bills, each with its rules.",
    entity=PayerRecord,
    create=PayerCreate,
    patch=PayerPatch,
    read=PayerRead,
    may_read=PAYER_READ,
    may_write=PAYER_WRITE,
    actions={
        Verb.CREATE: PayerAction.CREATED,
        Verb.REVISE: PayerAction.REVISED,
        Verb.DELETE: PayerAction.DELETED,
        Verb.RESTORE: PayerAction.RESTORED,
    },
    filters={"name": Filter, "payer_id": Filter, "claim_filing_code": Filter},
)
