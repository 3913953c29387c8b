"""What a signature covers, and what of it is no longer what was signed.

Content is compared as it stands in chart_revisions, field by field: a change that is taken back covers again, and a
change of something that the statement is not about takes nothing away. A client that says what its screen showed has
that covered, whatever stands in the chart by then.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import orjson

from app.core.db.uow import ReadUnitOfWork
from app.core.errors import ValidationFailed
from app.ems.signatures.lifecycle import SignatureStatus
from app.ems.signatures.models import Signature, StatementCode
from app.ems.signatures.repository import (
    COVERED_KINDS,
    ContentRepository,
    EntryVersion,
    Revision,
    SignatureRepository,
)
from app.ems.signatures.schemas import ChangeKind, CoverageChange

UNCHARTED = frozenset(
    {
        "id", "tenant_id", "incident_id", "version", "created_at", "updated_at", "deleted_at", "created_by", "pcr_uuid",
        "status", "completed_at", "ai_suggestions_json", "ai_score",
    }
)  # fmt: skip
"""Columns of chart entries that nobody charts: keys, workflow, and what the narrative analysis says."""

_IDENTITY = frozenset({"last_name", "first_name", "middle_name", "name_suffix", "date_of_birth"})
_REFUSED = frozenset(f"elements.eDisposition.{number}" for number in ("27", "28", "29", "30", "31"))
CHARTED = frozenset({"incident", *(kind.entity_type for kind in COVERED_KINDS)})
"""Entities that make a chart. Signatures and attachments stand beside it: they say nothing that it has to say."""

Scope = Mapping[str, frozenset[str] | None]
SCOPES: Mapping[StatementCode, Scope] = {
    StatementCode.CONSENT_TO_TREAT: {"patient": _IDENTITY},
    StatementCode.RECEIPT_OF_PRIVACY_NOTICE: {"patient": _IDENTITY},
    StatementCode.ASSIGNMENT_OF_BENEFITS: {"patient": _IDENTITY, "incident": frozenset({"incident_number"})},
    StatementCode.REFUSAL: {
        "patient": _IDENTITY | _REFUSED,
        "incident": frozenset({"incident_number", "disposition"}),
    },
    StatementCode.CREW_ATTESTATION: dict.fromkeys(CHARTED),
}
"""{entity: fields, or None for everything charted}. A refusal is about what was refused, an attestation about all."""


class Head(Protocol):
    """The incident, as far as coverage looks at it."""

    @property
    def id(self) -> uuid.UUID: ...

    @property
    def version(self) -> int: ...


class Coverage(NamedTuple):
    """`entries`: what is stored with the signature; `sha256` binds them, the wording and the signer's role."""

    entries: list[dict[str, Any]]
    sha256: str


async def cover(
    uow: ReadUnitOfWork, incident: Head, signature: Signature, shown: Sequence[Revision] | None = None
) -> Coverage:
    """What `signature` covers of what was shown, or else of the chart as it stands now: two statements.

    Raises ValidationFailed for something shown that never stood in this chart.
    """
    content = ContentRepository(uow)
    scope, patient_id = SCOPES[signature.statement_code], signature.patient_id
    if shown is None:
        chart = await _chart(content, uow, incident)
        wanted = [(entry.id, entry.version) for entry in chart if _is_covered(entry, scope, patient_id)]
        snapshots = await content.get_snapshots(uow.tenant_id, incident.id, wanted)
    else:
        snapshots = await content.get_snapshots(uow.tenant_id, incident.id, shown)
        _require_charted(shown, snapshots)
    covered: list[dict[str, Any]] = [
        {
            "entity": entry.entity,
            "id": str(entry.id),
            "version": entry.version,
            "sha256": _digest(content_of(snapshots[entry], scope[entry.entity])),
        }
        for entry in sorted(snapshots, key=lambda entry: entry[:3])
        if _is_covered(entry, scope, patient_id)
    ]
    statement = [signature.statement_code, signature.statement, signature.signer_role, signature.signer_name]
    return Coverage(covered, _digest([*statement, covered]))


async def changes_since(
    uow: ReadUnitOfWork, incident: Head, signatures: Sequence[Signature]
) -> dict[uuid.UUID, list[CoverageChange]]:
    """By signature, what of its content is no longer as signed: two statements for however many. Signed ones only."""
    given = [signature for signature in signatures if signature.status is SignatureStatus.SIGNED]
    if not given:
        return {}
    content = ContentRepository(uow)
    chart = {entry.id: entry for entry in await _chart(content, uow, incident)}
    found = await content.get_snapshots(uow.tenant_id, incident.id, sorted(_compared(given, chart)))
    snapshots = {(entry.id, entry.version): snapshot for entry, snapshot in found.items()}
    return {signature.id: list(_changes(signature, chart, snapshots)) for signature in given}


async def is_attested(uow: ReadUnitOfWork, incident: Head) -> bool:
    """Whether the crew's attestations cover the whole chart as it stands: one of all of it, or one per patient."""
    attestations = await SignatureRepository(uow).list_all(
        uow.tenant_id,
        incident_id=incident.id,
        status=SignatureStatus.SIGNED,
        statement_code=StatementCode.CREW_ATTESTATION,
    )
    changes = await changes_since(uow, incident, attestations)
    attested = {signature.patient_id for signature in attestations if not changes[signature.id]}
    if None in attested or not attested:
        return None in attested
    patients = {entry.id for entry in await _chart(ContentRepository(uow), uow, incident) if entry.entity == "patient"}
    return patients <= attested


def is_outdated_by(
    statement_code: StatementCode,
    patient_id: uuid.UUID | None,
    entry: EntryVersion,
    *,
    signed: Mapping[str, Any] | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> bool:
    """Whether a change of `entry` took from a signature something that was as `signed` until then.

    Three rows as they stood, None for none. What had been taken away before is no matter of this change, and a change
    back takes nothing.
    """
    scope = SCOPES[statement_code]
    if not _is_covered(entry, scope, patient_id):
        return False
    fields = scope[entry.entity]
    return bool(_differing(signed, after, fields) - _differing(signed, before, fields))


def _differing(
    signed: Mapping[str, Any] | None, standing: Mapping[str, Any] | None, fields: frozenset[str] | None
) -> set[str]:
    """Names of the fields that are not as signed, and "" for an entry that was not signed, or is gone."""
    there = standing is not None and standing["deleted_at"] is None
    if signed is None:
        return {""} if there else set()
    then, now = content_of(signed, fields), content_of(standing, fields) if standing is not None and there else {}
    return _changed(then, now) | (set() if there else {"", *then})


def content_of(snapshot: Mapping[str, Any], fields: frozenset[str] | None) -> dict[str, Any]:
    """What is charted in a row: {field: value}, elements one by one, nothing for nothing."""
    charted = {name: _number(value) for name, value in snapshot.items() if name not in UNCHARTED and name != "elements"}
    charted |= {f"elements.{element_id}": values for element_id, values in (snapshot.get("elements") or {}).items()}
    return {name: value for name, value in charted.items() if value is not None and (fields is None or name in fields)}


def _number(value: Any) -> Any:
    """A number as JSON has it, one for 37 and 37.0: how its zeros are written is not what was signed."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


async def _chart(content: ContentRepository, uow: ReadUnitOfWork, incident: Head) -> list[EntryVersion]:
    head = EntryVersion("incident", incident.id, incident.version, None)
    return [head, *await content.list_versions(uow.tenant_id, incident.id)]


def _require_charted(shown: Sequence[Revision], snapshots: Mapping[EntryVersion, Mapping[str, Any]]) -> None:
    """Raises ValidationFailed. The version by which an entry was deleted is none that anybody was shown."""
    charted = {(entry.id, entry.version) for entry, row in snapshots.items() if row["deleted_at"] is None}
    problems = [
        {"field": f"shown.{at}", "code": "not_in_chart", "message": "The chart never had this version of this entry."}
        for at, revision in enumerate(shown)
        if revision not in charted
    ]
    if problems:
        raise ValidationFailed(problems=problems)


def _is_covered(entry: EntryVersion, scope: Scope, patient_id: uuid.UUID | None) -> bool:
    about_them = patient_id is None or entry.patient_id in (None, patient_id)
    return entry.entity in scope and about_them


def _compared(signatures: Iterable[Signature], chart: Mapping[uuid.UUID, EntryVersion]) -> set[Revision]:
    """The revisions that have to be read: of entries written since, as signed and as they are."""
    wanted: set[Revision] = set()
    for signature in signatures:
        for covered in signature.covered_json:
            entry = chart.get(uuid.UUID(covered["id"]))
            if entry is not None and entry.version != covered["version"]:
                wanted |= {(entry.id, covered["version"]), (entry.id, entry.version)}
    return wanted


def _changes(
    signature: Signature, chart: Mapping[uuid.UUID, EntryVersion], snapshots: Mapping[Revision, dict[str, Any]]
) -> Iterable[CoverageChange]:
    scope = SCOPES[signature.statement_code]
    covered = {uuid.UUID(item["id"]): item for item in signature.covered_json}
    for entry_id, item in covered.items():
        entry = chart.get(entry_id)
        if entry is None:
            yield CoverageChange(entity=item["entity"], id=entry_id, change=ChangeKind.DELETED, fields=[])
        elif entry.version != item["version"]:
            wanted = scope[entry.entity]
            now = content_of(snapshots[entry_id, entry.version], wanted)
            if _digest(now) != item["sha256"]:
                then = content_of(snapshots[entry_id, item["version"]], wanted)
                if fields := sorted(_changed(then, now)):
                    yield CoverageChange(entity=entry.entity, id=entry_id, change=ChangeKind.CHANGED, fields=fields)
    for entry in chart.values():
        if entry.id not in covered and _is_covered(entry, scope, signature.patient_id):
            yield CoverageChange(entity=entry.entity, id=entry.id, change=ChangeKind.ADDED, fields=[])


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    """By their digests, for which 1 and true are two."""
    return {name for name in then.keys() | now.keys() if _digest(then.get(name)) != _digest(now.get(name))}


def _digest(value: Any) -> str:
    """SHA-256 over canonical JSON: sorted keys, no spaces."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
