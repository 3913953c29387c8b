"""Coverage of signatures: which content a signature covers, and which of it has changed since.

Content is compared field by field, as it stands in chart_revisions. If a change is taken back, the signature covers
again. A change of something that the statement is not about does not matter. A client may say what its screen showed.
Then the signature covers that, whatever the chart says by then.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import orjson

from app.core.db.uow import ReadUnitOfWork
from app.core.errors import Problem, refuse
from app.ems.content.repository import ContentRepository, EntryVersion, Revision
from app.ems.parts import CHARTED, INCIDENT, PART_OF, PATIENT
from app.ems.signatures.lifecycle import SignatureStatus
from app.ems.signatures.models import Signature, StatementCode
from app.ems.signatures.repository import SignatureRepository
from app.ems.signatures.schemas import ChangeKind, CoverageChange

_IDENTITY = frozenset({"last_name", "first_name", "middle_name", "name_suffix", "date_of_birth"})
_REFUSED = frozenset(f"elements.eDisposition.{number}" for number in ("27", "28", "29", "30", "31"))
Scope = Mapping[str, frozenset[str] | None]
SCOPES: Mapping[StatementCode, Scope] = {
    StatementCode.CONSENT_TO_TREAT: {PATIENT.entity_type: _IDENTITY},
    StatementCode.RECEIPT_OF_PRIVACY_NOTICE: {PATIENT.entity_type: _IDENTITY},
    StatementCode.ASSIGNMENT_OF_BENEFITS: {
        PATIENT.entity_type: _IDENTITY,
        INCIDENT.entity_type: frozenset({"incident_number"}),
    },
    StatementCode.REFUSAL: {
        PATIENT.entity_type: _IDENTITY | _REFUSED,
        INCIDENT.entity_type: frozenset({"incident_number", "disposition"}),
    },
    StatementCode.CREW_ATTESTATION: dict.fromkeys(CHARTED),
}
"""The fields that each statement is about, as {entity: fields}; None: every charted field of that entity."""


class Head(Protocol):
    """The incident, as far as coverage looks at it."""

    @property
    def id(self) -> uuid.UUID: ...

    @property
    def version(self) -> int: ...


class Coverage(NamedTuple):
    """The covered `entries`, which are stored with the signature. `sha256` binds them, the wording and the signer."""

    entries: list[dict[str, Any]]
    sha256: str


async def cover(
    uow: ReadUnitOfWork, incident: Head, signature: Signature, shown: Sequence[Revision] | None = None
) -> Coverage:
    """The coverage of a new signature: of what was shown to the signer, or of the chart as it stands now.

    Two statements. Raises ValidationFailed for something shown that never stood in this chart.
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
            "sha256": _digest(content_of(entry.entity, snapshots[entry], scope[entry.entity])),
        }
        for entry in sorted(snapshots, key=lambda entry: entry[:3])
        if _is_covered(entry, scope, patient_id)
    ]
    statement = [signature.statement_code, signature.statement, signature.signer_role, signature.signer_name]
    return Coverage(covered, _digest([*statement, covered]))


async def changes_since(
    uow: ReadUnitOfWork, incident: Head, signatures: Sequence[Signature]
) -> dict[uuid.UUID, list[CoverageChange]]:
    """The changes of each signature's content since it was given. Signatures that are not signed are left out.

    Two statements for any number of signatures.
    """
    given = _given(signatures)
    if not given:
        return {}
    content = ContentRepository(uow)
    chart = {entry.id: entry for entry in await _chart(content, uow, incident)}
    found = await content.get_snapshots(uow.tenant_id, incident.id, sorted(_compared(given, chart)))
    snapshots = _by_revision(found)
    return {signature.id: list(_changes(signature, chart, snapshots)) for signature in given}


async def changes_in_many(
    uow: ReadUnitOfWork, incidents: Sequence[Head], signatures: Sequence[Signature]
) -> dict[uuid.UUID, list[CoverageChange]]:
    """The same as `changes_since` for signatures of several incidents. Two statements for any number of them."""
    given = _given(signatures)
    signed = {signature.incident_id for signature in given}
    heads = [incident for incident in incidents if incident.id in signed]
    if not heads:
        return {}
    content, ids = ContentRepository(uow), [head.id for head in heads]
    versions = await content.list_versions_of_many(uow.tenant_id, ids)
    charts = {head.id: {entry.id: entry for entry in (_head(head), *versions[head.id])} for head in heads}
    wanted = set[Revision]().union(*(_compared([one], charts[one.incident_id]) for one in given))
    snapshots = _by_revision(await content.get_snapshots_of_many(uow.tenant_id, ids, sorted(wanted)))
    return {one.id: list(_changes(one, charts[one.incident_id], snapshots)) for one in given}


async def is_attested(uow: ReadUnitOfWork, incident: Head) -> bool:
    """True if attestations of the crew cover the whole chart as it stands.

    One attestation of the whole chart does, and so do attestations for each of its patients.
    """
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
    patients = {
        entry.id for entry in await _chart(ContentRepository(uow), uow, incident) if entry.entity == PATIENT.entity_type
    }
    return patients <= attested


def is_outdated_by(
    statement_code: StatementCode,
    patient_id: uuid.UUID | None,
    entity: str,
    *,
    signed: Mapping[str, Any] | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> bool:
    """True if one change of an entry made a signature outdated.

    `signed`, `before` and `after` are rows of the entry: as it was signed, before the change and after it. None stands
    for no row, and a row about another patient counts as none. The answer is yes if some field was as signed before the
    change and is not after it. A field that had changed already does not count, nor does a change back to what was
    signed.
    """
    scope = SCOPES[statement_code]
    if entity not in scope:
        return False
    before, after = (row if row and _is_about(entity, row, patient_id) else None for row in (before, after))
    fields = scope[entity]
    return bool(_differing(entity, signed, after, fields) - _differing(entity, signed, before, fields))


def _is_about(entity: str, row: Mapping[str, Any], patient_id: uuid.UUID | None) -> bool:
    """True if the row is about this patient or about the whole call. With None, every row is."""
    about = row["id"] if entity == PATIENT.entity_type else row.get("patient_id")
    return patient_id is None or about in (None, str(patient_id))


def _differing(
    entity: str, signed: Mapping[str, Any] | None, standing: Mapping[str, Any] | None, fields: frozenset[str] | None
) -> set[str]:
    """The fields that are not as they were signed. The name "" stands for an entry that was not signed, or is gone."""
    there = standing is not None and standing["deleted_at"] is None
    if signed is None:
        return {""} if there else set()
    then = content_of(entity, signed, fields)
    now = content_of(entity, standing, fields) if standing is not None and there else {}
    return _changed(then, now) | (set() if there else {"", *then})


def content_of(entity: str, snapshot: Mapping[str, Any], fields: frozenset[str] | None) -> dict[str, Any]:
    """The charted content of a row as {field: value}, with elements one by one and without fields that are empty."""
    left_out = PART_OF[entity].bookkeeping | {"elements"}
    charted = {name: _number(value) for name, value in snapshot.items() if name not in left_out}
    charted |= {f"elements.{element_id}": values for element_id, values in (snapshot.get("elements") or {}).items()}
    return {name: value for name, value in charted.items() if value is not None and (fields is None or name in fields)}


def _number(value: Any) -> Any:
    """A number as JSON has it, one for 37 and 37.0: how its zeros are written is not what was signed."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _given(signatures: Iterable[Signature]) -> list[Signature]:
    return [signature for signature in signatures if signature.status is SignatureStatus.SIGNED]


def _by_revision(found: Mapping[EntryVersion, dict[str, Any]]) -> dict[Revision, dict[str, Any]]:
    return {(entry.id, entry.version): snapshot for entry, snapshot in found.items()}


def _head(incident: Head) -> EntryVersion:
    return EntryVersion(INCIDENT.entity_type, incident.id, incident.version, None)


async def _chart(content: ContentRepository, uow: ReadUnitOfWork, incident: Head) -> list[EntryVersion]:
    return [_head(incident), *await content.list_versions(uow.tenant_id, incident.id)]


def _require_charted(shown: Sequence[Revision], snapshots: Mapping[EntryVersion, Mapping[str, Any]]) -> None:
    """Require that everything shown stood in this chart. Raises ValidationFailed.

    Nobody was shown the version by which an entry was deleted, so it does not count.
    """
    charted = {(entry.id, entry.version) for entry, row in snapshots.items() if row["deleted_at"] is None}
    refuse(
        Problem(f"shown.{at}", "not_in_chart", "The chart never had this version of this entry.")
        for at, revision in enumerate(shown)
        if revision not in charted
    )


def _is_covered(entry: EntryVersion, scope: Scope, patient_id: uuid.UUID | None) -> bool:
    about_them = patient_id is None or entry.patient_id in (None, patient_id)
    return entry.entity in scope and about_them


def _compared(signatures: Iterable[Signature], chart: Mapping[uuid.UUID, EntryVersion]) -> set[Revision]:
    """The revisions to read: entries that were written since they were signed, as signed and as they are now."""
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
            now = content_of(entry.entity, snapshots[entry_id, entry.version], wanted)
            if _digest(now) != item["sha256"]:
                then = content_of(entry.entity, snapshots[entry_id, item["version"]], wanted)
                if fields := sorted(_changed(then, now)):
                    yield CoverageChange(entity=entry.entity, id=entry_id, change=ChangeKind.CHANGED, fields=fields)
    for entry in chart.values():
        if entry.id not in covered and _is_covered(entry, scope, signature.patient_id):
            yield CoverageChange(entity=entry.entity, id=entry.id, change=ChangeKind.ADDED, fields=[])


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    """The fields that differ. They are compared by digest, because Python takes 1 and true for equal."""
    return {name for name in then.keys() | now.keys() if _digest(then.get(name)) != _digest(now.get(name))}


def _digest(value: Any) -> str:
    """SHA-256 over canonical JSON: sorted keys, no spaces."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
