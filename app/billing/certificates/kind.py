"""Physician certification statements as a kind of paper."""

from __future__ import annotations

from app.billing.certificates.models import Certificate
from app.billing.certificates.rules import certificate_problems
from app.billing.certificates.schemas import CertificateCreate, CertificatePatch, CertificateRead
from app.billing.paperwork.kinds import PaperKind, PaperVerb
from app.core.audit.actions import AuditAction


class CertificateAction(AuditAction):
    CREATED = "certificate.created"
    REVISED = "certificate.revised"
    DELETED = "certificate.deleted"


CERTIFICATES = PaperKind(
    noun="certificate",
    plural="certificates",
    path="billing/certificates",
    about="Physician certification statements: why a patient could not travel otherwise.",
    entity=Certificate,
    create=CertificateCreate,
    patch=CertificatePatch,
    read=CertificateRead,
    actions={
        PaperVerb.CREATE: CertificateAction.CREATED,
        PaperVerb.REVISE: CertificateAction.REVISED,
        PaperVerb.DELETE: CertificateAction.DELETED,
    },
    check=certificate_problems,
)
