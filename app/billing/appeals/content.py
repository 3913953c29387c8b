"""The content of a packet as its template reads it: plain JSON, and the same for the same records. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.billing.adjustment_codes.dictionary import groups, reason_on, remarks
from app.billing.appeals.lifecycle import AppealStatus
from app.billing.appeals.models import Appeal
from app.billing.certificates.schemas import CertificateRead
from app.billing.claims.models import Claim, ClaimLine
from app.billing.denials.clocks import level_of, medicare_levels
from app.billing.denials.models import Denial
from app.billing.payers.models import PayerRecord
from app.core.tenants.public import Tenant
from app.core.typesetting import spelled_forms
from app.ems.public import printable_reports

Json = dict[str, Any]


@dataclass(frozen=True)
class PacketMaterial:
    """The records of a packet, read in one unit of work."""

    tenant: Tenant
    appeal: Appeal
    denial: Denial
    claim: Claim
    lines: Sequence[ClaimLine]
    payer: PayerRecord | None
    certificate: CertificateRead | None

    def changed_at(self) -> dt.datetime:
        """The last change of what it holds, the patient care report left out."""
        papers = [] if self.certificate is None else [self.certificate.updated_at]
        rows = (self.appeal, self.denial, self.claim, *self.lines)
        return max(*papers, *(row.updated_at for row in rows))


def packet_content(material: PacketMaterial, report: Json) -> Json:
    """`report` is the content of the patient care report."""
    tenant, appeal, claim, denial = material.tenant, material.appeal, material.claim, material.denial
    certificate = [] if material.certificate is None else list(_certified(material.certificate))
    enclosures = ["The claim, and the payer's decision", *(["The physician's certification"] if certificate else [])]
    return {
        "title": f"{medicare_levels()[appeal.level].name}, claim {claim.claim_number}",
        "draft": appeal.status is AppealStatus.DRAFT,
        "date": "" if appeal.filed_on is None else appeal.filed_on.isoformat(),
        "agency": {
            "name": tenant.legal_name,
            "address": "\n".join(_agency_lines(tenant)),
            "contact": tenant.billing_contact_name or "",
        },
        "payer": "\n".join(_payer_lines(claim, material.payer)),
        "references": list(_references(material, report["patient"])),
        "letter": [paragraph.strip() for paragraph in appeal.letter.split("\n\n") if paragraph.strip()],
        "enclosures": [*enclosures, "The patient care report with its signatures", *_apart(report)],
        "claim": {
            "facts": list(_claimed(claim)),
            "lines": [
                {
                    "hcpcs": line.hcpcs,
                    "modifiers": " ".join(line.modifiers),
                    "units": f"{line.units.normalize():f}",
                    "charge": str(line.charge),
                }
                for line in material.lines
            ],
            "decision": [
                _fact("Decided on", denial.notice_on.isoformat()),
                _fact("Refused", f"{denial.amount} USD"),
            ],
            "codes": list(_explained(denial)),
        },
        "certificate": certificate,
        "report": report,
    }


def printable_packets(content: Json) -> Iterator[Json]:
    """The packet as it is, then in the forms in which its report can be printed."""
    rest = {name: value for name, value in content.items() if name != "report"}
    spelled = [rest, *spelled_forms(rest)]
    for at, report in enumerate(printable_reports(content["report"])):
        yield {**spelled[min(at, len(spelled) - 1)], "report": report}


def _fact(label: str, text: str | None) -> Json:
    return {"label": label, "text": text or "Not stated"}


def _agency_lines(tenant: Tenant) -> Iterator[str]:
    place = ", ".join(filter(None, (tenant.city, f"{tenant.state} {tenant.zip or ''}".strip())))
    yield from filter(None, (tenant.street, place))
    if tenant.phone is not None:
        yield f"Telephone {tenant.phone}"
    yield f"NPI {tenant.npi or 'not stated'}, tax id {tenant.ein or 'not stated'}"


def _payer_lines(claim: Claim, payer: PayerRecord | None) -> Iterator[str]:
    yield claim.payer_name or "The payer"
    if payer is not None:
        place = ", ".join(filter(None, (payer.city, f"{payer.state or ''} {payer.zip or ''}".strip())))
        yield from filter(None, (payer.street, payer.unit, place))


def _references(material: PacketMaterial, patient: str) -> Iterator[Json]:
    claim, appeal = material.claim, material.appeal
    rule = level_of(claim, appeal.level)
    yield _fact("Patient", patient)
    yield _fact("Member id", claim.member_id)
    yield _fact("Date of service", None if claim.service_date is None else claim.service_date.isoformat())
    yield _fact("Your claim number", claim.payer_claim_control_number)
    yield _fact("Decision of", appeal.against_on.isoformat())
    yield _fact("Amount in dispute", f"{appeal.amount} USD")
    if appeal.reference is not None:
        yield _fact("Your number of the appeal", appeal.reference)
    if rule is not None:
        form = "" if rule.form is None else f", form {rule.form}"
        yield _fact("Level", f"{appeal.level}, decided by {rule.decided_by}{form}")


def _claimed(claim: Claim) -> Iterator[Json]:
    level = claim.level_of_service
    yield _fact("Our claim number", claim.claim_number)
    yield _fact("Charged", f"{claim.charge_amount} USD")
    yield _fact("Level of service", None if level is None else level.value.replace("_", " ").upper())
    yield _fact("Diagnoses", ", ".join(claim.diagnoses))
    yield _fact("Loaded miles", None if claim.loaded_miles is None else f"{claim.loaded_miles}")
    if claim.prior_authorization is not None:
        yield _fact("Prior authorization", claim.prior_authorization)


def _explained(denial: Denial) -> Iterator[str]:
    for code in denial.codes:
        group, _, number = code.partition("-")
        known = reason_on(number, denial.notice_on)
        meanings = [groups().get(group), None if known is None else known.means.rstrip(".")]
        yield f"{code}: {'; '.join(filter(None, meanings))}"
    for code in denial.remarks:
        remark = remarks().get(code)
        yield code if remark is None else f"{code}: {remark.means.rstrip('.')}"


def _certified(certificate: CertificateRead) -> Iterator[Json]:
    role = certificate.signer_role
    yield _fact("Signed by", certificate.signer_name)
    yield _fact("As", None if role is None else role.value.replace("_", " "))
    yield _fact("Signed on", None if certificate.signed_on is None else certificate.signed_on.isoformat())
    if certificate.valid_from is not None and certificate.valid_to is not None:
        yield _fact("In force", f"{certificate.valid_from.isoformat()} to {certificate.valid_to.isoformat()}")
    if certificate.attempted_on is not None:
        yield _fact("Signature asked for", f"{certificate.attempted_on.isoformat()}: {certificate.attempt or ''}")


def _apart(report: Json) -> Iterator[str]:
    """Files of the chart. They cannot be set into pages, and are added by hand."""
    yield from (f"Attached separately: {name}" for name in report["attachments"])
