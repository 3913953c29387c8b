"""How signatures are written: as a kind of upload."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from app.core.audit.disclosures import Disclosure, Means
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.errors import Problem, refuse
from app.core.permissions import Principal
from app.ems.chart.gate import require_editable
from app.ems.coverage import Head, changes_in_many, changes_since, cover
from app.ems.entries.uploads import UploadActions, UploadKind
from app.ems.incidents.models import Incident
from app.ems.lifecycle import IncidentStatus
from app.ems.parts import SIGNATURE
from app.ems.permissions import CHART_WRITE
from app.ems.signatures.lifecycle import SignatureAction, signature_lifecycle
from app.ems.signatures.models import Signature, SignerRole, StatementCode
from app.ems.signatures.schemas import CoverageChange, SignatureCreate, SignatureRead, SignatureTransitionRequest

_CLOCKS_DIFFER = dt.timedelta(minutes=5)


def _require_signable(incident: Incident, principal: Principal) -> None:
    """Require a chart that takes signatures. A completed one does, too: a signature changes nothing that it says."""
    if incident.status is IncidentStatus.COMPLETED:
        principal.require(CHART_WRITE)
    else:
        require_editable(incident, principal)


async def _prepare(uow: UnitOfWork, incident: Incident, signature: Signature, given: SignatureCreate) -> None:
    problems = []
    if signature.signed_at > utcnow() + _CLOCKS_DIFFER:
        problems.append(Problem("signed_at", "in_the_future", "The time of signing lies in the future."))
    attestation = signature.statement_code is StatementCode.CREW_ATTESTATION
    if attestation and signature.signer_role is not SignerRole.CREW:
        problems.append(Problem("signer_role", "not_the_crew", "Only the crew attests a chart."))
    if signature.signer_role is SignerRole.WITNESS and signature.statement_code is not StatementCode.REFUSAL:
        problems.append(Problem("signer_role", "not_a_refusal", "A witness signs a refusal, and nothing else."))
    if signature.patient_id is None and not attestation:
        problems.append(Problem.missing("patient_id", "Say which patient this is about."))
    refuse(problems)
    shown = None if given.shown is None else [(entry.id, entry.version) for entry in given.shown]
    signature.covered_json, signature.content_sha256 = await cover(uow, incident, signature, shown)


async def present_signatures(
    uow: ReadUnitOfWork, incident: Incident, signatures: Sequence[Signature]
) -> list[SignatureRead]:
    """Signatures of one chart with what they still cover: two statements for any number of them."""
    return _shown(uow, signatures, await changes_since(uow, incident, signatures))


async def present_signatures_of_many(
    uow: ReadUnitOfWork, incidents: Sequence[Head], signatures: Sequence[Signature]
) -> list[SignatureRead]:
    """The same as `present_signatures` for signatures of several charts: two statements for any number of them."""
    return _shown(uow, signatures, await changes_in_many(uow, incidents, signatures))


def _shown(
    uow: ReadUnitOfWork, signatures: Sequence[Signature], changes: Mapping[uuid.UUID, list[CoverageChange]]
) -> list[SignatureRead]:
    return [
        SignatureRead.of(
            signature,
            allowed_actions=signature_lifecycle.allowed_actions(signature, uow.principal),
            covers_current_chart=changes.get(signature.id) == [],
            changed_since=changes.get(signature.id, []),
        )
        for signature in signatures
    ]


SIGNATURE_LINK = Disclosure(SignatureAction.DOWNLOAD_LINK_ISSUED, Means.LINK, "signature_image")
SIGNATURES = UploadKind(
    noun=SIGNATURE.noun,
    path=SIGNATURE.collection,
    about=(
        "Bind a wording and the content that it covers, as it was shown, and get the link to send the signature's image"
        " to. Taken in open charts, and in completed ones, where an amendment needs new signatures."
    ),
    repository=SIGNATURE.repository,
    create=SIGNATURE.create,
    transition=SignatureTransitionRequest,
    read=SIGNATURE.read,
    lifecycle=signature_lifecycle,
    key_column="signature_blob_ref",
    link=SIGNATURE_LINK,
    actions=UploadActions(
        SignatureAction.CREATED,
        SignatureAction.DELETED,
        SignatureAction.RESTORED,
    ),
    require_open=_require_signable,
    prepare=_prepare,
    present=present_signatures,
)
