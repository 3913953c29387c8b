"""Drafting claims of locked charts, deriving their values again, overriding them, and marking them stale.

Everybody locks in one order: the incident FOR SHARE, then the claim FOR UPDATE. So nobody waits for each other, and a
chart that is being judged is not amended meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends

from app.billing.claims.lifecycle import ClaimStatus
from app.billing.claims.models import Claim, ClaimLine, PayerSequence
from app.billing.claims.repository import ClaimLineRepository, ClaimRepository, next_claim_number
from app.billing.claims.service import ClaimAction, LineAction, require_editable, total_charge
from app.billing.coverages.service import chart_coverages
from app.billing.derivation.columns import (
    NAMES,
    OF_LINES,
    columns_of,
    entered,
    entity_value,
    lines_as_json,
    same_lines,
)
from app.billing.derivation.due import exemption_of, exemption_of_call, is_unsaid
from app.billing.derivation.gathering import Gathered, OfPatient, gather, gather_of
from app.billing.derivation.parties import lines as lines_of
from app.billing.derivation.presentation import present
from app.billing.derivation.rules import DerivedValue, derive, entries_of
from app.billing.derivation.schemas import DerivationRead, OverrideRequest, checked_value
from app.billing.errors import ChartNotLocked
from app.billing.events import CLAIM_UPDATED
from app.billing.evidence.models import ClaimDerivation, ClaimOverride
from app.billing.evidence.repository import DerivationRepository, OverrideRepository
from app.billing.evidence.staleness import find_changes
from app.billing.exemptions.models import ExemptionOrigin
from app.billing.exemptions.repository import ExemptionRepository
from app.billing.exemptions.service import ExemptionAction, exempt
from app.billing.permissions import CLAIM_WRITE
from app.core.audit.actions import AuditAction
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork, UnitOfWork
from app.core.dependencies import ReadUow, Uow
from app.core.errors import NotFound, ValidationFailed
from app.core.repository import require_version
from app.ems.public import IncidentStatus, PatientChart, get_patient_charts, hold_incident


class DerivationAction(AuditAction):
    DERIVED = "claim_derivation.derived"
    DERIVED_AGAIN = "claim_derivation.derived_again"
    OVERRIDE_MADE = "claim_override.made"
    OVERRIDE_REVISED = "claim_override.revised"
    OVERRIDE_LIFTED = "claim_override.lifted"


class DerivationReader:
    def __init__(self, uow: ReadUnitOfWork) -> None:
        self._uow = uow

    async def get(self, claim_id: uuid.UUID) -> DerivationRead:
        """A constant number of statements. Raises NotFound."""
        return await self.present(await ClaimRepository(self._uow).get(self._uow.tenant_id, claim_id))

    async def present(self, claim: Claim) -> DerivationRead:
        """What the claim's values rest on, compared with the chart as it stands."""
        tenant_id = self._uow.tenant_id
        derivation = await DerivationRepository(self._uow).find_of_claim(tenant_id, claim.id)
        if derivation is None:
            return DerivationRead(
                claim_id=claim.id, claim_version=claim.version, derived_at=None, stale=False, changed=[], values=[]
            )
        overrides = await OverrideRepository(self._uow).list_all(tenant_id, claim_id=claim.id)
        charts = await get_patient_charts(self._uow, claim.incident_id)
        changes = await find_changes(self._uow, derivation, charts)
        return present(claim, derivation, overrides, changes, self._uow.principal)


class DerivationService:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._claims = ClaimRepository(uow)
        self._lines = ClaimLineRepository(uow)
        self._derivations = DerivationRepository(uow)
        self._overrides = OverrideRepository(uow)

    async def follow_chart(self, incident_id: uuid.UUID) -> None:
        """What an event of the chart means to claims: stale ones are marked, and a locked chart drafts what is due.

        It has the same effect however often it runs. Raises NotFound.
        """
        incident = await hold_incident(self._uow, incident_id)
        claims = await self._claims.list_all(self._uow.tenant_id, incident_id=incident_id)
        await self._mark(claims, await get_patient_charts(self._uow, incident_id))
        if incident.status is IncidentStatus.LOCKED:
            await self._draft_due(incident_id, claims)

    async def derive_again(self, claim_id: uuid.UUID, version: int) -> DerivationRead:
        """Derives every value from the chart as it stands. Overrides and what a person changed stay.

        Raises Forbidden, NotFound, ChartNotLocked, ClaimNotEditable, Conflict (stale), ValidationFailed.
        """
        claim, gathered = await self._hold(claim_id, version)
        await self._derive(claim, gathered)
        return await DerivationReader(self._uow).present(claim)

    async def override(self, claim_id: uuid.UUID, given: OverrideRequest) -> DerivationRead:
        """Puts another value in the place of a derived one, and derives what follows from it.

        Raises Forbidden, NotFound, ChartNotLocked, ClaimNotEditable, Conflict (stale), ValidationFailed.
        """
        name = str(given.name)
        value = checked_value(name, given.value)
        claim, gathered = await self._hold(claim_id, given.version)
        standing = await self._standing_override(claim, name)
        if standing is None:
            override = ClaimOverride(
                tenant_id=self._uow.tenant_id,
                incident_id=claim.incident_id,
                claim_id=claim.id,
                name=name,
                value=value,
                reason=given.reason,
                by_user_id=self._uow.principal.user_id,
            )
            await self._uow.create(override, DerivationAction.OVERRIDE_MADE)
        else:
            async with self._uow.change(standing, DerivationAction.OVERRIDE_REVISED):
                standing.value, standing.reason = value, given.reason
                standing.by_user_id = self._uow.principal.user_id
        await self._derive(claim, gathered, overriding=name)
        return await DerivationReader(self._uow).present(claim)

    async def lift(self, claim_id: uuid.UUID, name: str, version: int) -> None:
        """Takes an override back: the derived value stands again.

        Raises Forbidden, NotFound, ChartNotLocked, ClaimNotEditable, Conflict (stale), ValidationFailed.
        """
        claim, gathered = await self._hold(claim_id, version)
        standing = await self._standing_override(claim, name)
        if standing is None:
            raise NotFound
        async with self._uow.change(standing, DerivationAction.OVERRIDE_LIFTED):
            standing.deleted_at = utcnow()
        await self._derive(claim, gathered, overriding=name)

    async def _hold(self, claim_id: uuid.UUID, version: int) -> tuple[Claim, Gathered]:
        self._uow.principal.require(CLAIM_WRITE)
        known = await self._claims.get(self._uow.tenant_id, claim_id)
        incident = await hold_incident(self._uow, known.incident_id)
        claim = await self._claims.get_for_update(self._uow.tenant_id, claim_id)
        require_editable(claim)
        require_version(claim, version)
        if incident.status is not IncidentStatus.LOCKED:
            raise ChartNotLocked(status=incident.status.value)
        return claim, await gather(self._uow, incident.id)

    async def _standing_override(self, claim: Claim, name: str) -> ClaimOverride | None:
        overrides = await self._overrides.list_all(self._uow.tenant_id, claim_id=claim.id)
        return next((one for one in overrides if one.name == name), None)

    async def _derive(self, claim: Claim, gathered: Gathered, *, overriding: str | None = None) -> None:
        """`overriding` is the value whose override was just made or lifted: what was entered for it goes."""
        chart = gathered.chart_of(claim.patient_id)
        if chart is None:
            raise ValidationFailed.of("patient_id", "unknown_patient", "The chart no longer has this patient.")
        known = await gather_of(self._uow, gathered, chart, claim.payer_sequence)
        overrides = await self._overrides.list_all(self._uow.tenant_id, claim_id=claim.id)
        reading = gathered.reading(chart)
        values = derive(reading, known.context, {one.name: one.value for one in overrides})
        derivation = await self._derivations.find_of_claim(self._uow.tenant_id, claim.id)
        lines = (await self._lines.list_of_claims(self._uow.tenant_id, [claim.id]))[claim.id]
        effective = {value.name: value.effective for value in values}
        wanted, wanted_lines = columns_of(effective), lines_of(effective)
        kept = entered(claim, None if derivation is None else derivation.applied)
        kept -= {column for one in overrides for column in NAMES.get(one.name, ())}
        kept -= set(NAMES.get(overriding or "", ()))
        before = [] if derivation is None else derivation.lines
        replaced = overriding in OF_LINES or same_lines(lines_as_json(lines), before)
        if replaced:
            await self._write_lines(claim, lines, wanted_lines, known)
        await self._write_claim(claim, known, {name: value for name, value in wanted.items() if name not in kept})
        await self._store(claim, reading.charts[0], derivation, values, wanted, wanted_lines, entries_of(reading))

    async def _write_claim(self, claim: Claim, known: OfPatient, columns: Mapping[str, Any]) -> None:
        lines = (await self._lines.list_of_claims(self._uow.tenant_id, [claim.id]))[claim.id]
        async with self._uow.change(claim, ClaimAction.DERIVED, event=CLAIM_UPDATED):
            for column, value in columns.items():
                setattr(claim, column, entity_value(column, value))
            claim.icd10_primary = next(iter(claim.diagnoses), None)
            claim.service_date = known.context.served_on
            claim.charge_amount = total_charge(line.charge for line in lines)
            claim.stale_since = None
            claim.lines_revision += 1

    async def _write_lines(
        self, claim: Claim, lines: Sequence[ClaimLine], wanted: Sequence[Mapping[str, Any]], known: OfPatient
    ) -> None:
        """Changes the lines in their order. A line that is too many goes, and its number is not used again."""
        for line, values in zip(lines, wanted, strict=False):
            async with self._uow.change(line, LineAction.REVISED):
                for name, value in _line_columns(values, known).items():
                    setattr(line, name, value)
        for line in lines[len(wanted) :]:
            async with self._uow.change(line, LineAction.REMOVED):
                line.deleted_at = utcnow()
        last = await self._lines.last_number(self._uow.tenant_id, claim.id)
        for number, values in enumerate(wanted[len(lines) :], start=last + 1):
            await self._add_line(claim, number, values, known)

    async def _add_line(self, claim: Claim, number: int, values: Mapping[str, Any], known: OfPatient) -> ClaimLine:
        line = ClaimLine(
            tenant_id=self._uow.tenant_id, claim_id=claim.id, line_number=number, **_line_columns(values, known)
        )
        return await self._uow.create(line, LineAction.ADDED)

    async def _store(
        self,
        claim: Claim,
        chart: PatientChart,
        derivation: ClaimDerivation | None,
        values: Sequence[DerivedValue],
        applied: Mapping[str, Any],
        lines: Sequence[Mapping[str, Any]],
        entries: Sequence[Any],
    ) -> None:
        stored: dict[str, Any] = {
            "derived_at": utcnow(),
            "values_json": [value.stored() for value in values],
            "applied": dict(applied),
            "lines": list(lines),
            "entries": list(entries),
        }
        if derivation is None:
            made = ClaimDerivation(
                tenant_id=self._uow.tenant_id,
                incident_id=claim.incident_id,
                patient_id=chart.patient.id,
                claim_id=claim.id,
                **stored,
            )
            await self._uow.create(made, DerivationAction.DERIVED)
            return
        async with self._uow.change(derivation, DerivationAction.DERIVED_AGAIN):
            for name, value in stored.items():
                setattr(derivation, name, value)

    async def _mark(self, claims: Sequence[Claim], charts: Sequence[PatientChart]) -> None:
        """Marks the claims whose evidence changed, and takes the mark from those whose evidence is as it was.

        A closed claim is left alone: whoever opens it again is told by `approve`.
        """
        claims = [claim for claim in claims if claim.status is not ClaimStatus.CLOSED]
        derivations = await self._derivations.list_of_claims(self._uow.tenant_id, [claim.id for claim in claims])
        stale = {key for key, one in derivations.items() if await find_changes(self._uow, one, charts)}
        turned = [claim.id for claim in claims if (claim.stale_since is not None) is not (claim.id in stale)]
        if not turned:
            return
        for claim in await self._claims.list_for_update(self._uow.tenant_id, turned):
            action = ClaimAction.MARKED_STALE if claim.id in stale else ClaimAction.MARKED_CURRENT
            async with self._uow.change(claim, action, event=CLAIM_UPDATED):
                claim.stale_since = utcnow() if claim.id in stale else None

    async def _draft_due(self, incident_id: uuid.UUID, claims: Sequence[Claim]) -> None:
        """A primary claim for each patient who lacks one and has one due, or the reason why there is none.

        Where a biller said why there is no claim, none is drafted.
        """
        exemptions = await ExemptionRepository(self._uow).list_all(self._uow.tenant_id, incident_id=incident_id)
        exempted = {one.patient_id for one in exemptions if one.origin is ExemptionOrigin.ENTERED}
        claimed = {claim.patient_id for claim in claims if claim.payer_sequence is PayerSequence.PRIMARY}
        gathered = await gather(self._uow, incident_id)
        if not gathered.charts.patients:
            reason = exemption_of_call(gathered.charts.call)
            if reason is not None:
                await exempt(self._uow, incident_id, None, reason)
            return
        for chart in gathered.charts.patients:
            if chart.patient.id in claimed or is_unsaid(chart) or exempted & {None, chart.patient.id}:
                continue
            coverages = await chart_coverages(self._uow, incident_id, chart)
            known = await gather_of(self._uow, gathered, chart, coverages=coverages)
            reason = exemption_of(gathered.reading(chart), known.context)
            if reason is None:
                await self._draft(gathered, chart, known)
            else:
                await exempt(self._uow, incident_id, chart.patient.id, reason)

    async def _draft(self, gathered: Gathered, chart: PatientChart, known: OfPatient) -> None:
        reading = gathered.reading(chart)
        values = derive(reading, known.context)
        effective = {value.name: value.effective for value in values}
        columns, wanted_lines = columns_of(effective), lines_of(effective)
        claim = Claim(
            tenant_id=self._uow.tenant_id,
            incident_id=chart.incident.id,
            patient_id=chart.patient.id,
            claim_number=await next_claim_number(self._uow),
            account_id=known.account_id,
            service_date=known.context.served_on,
            icd10_primary=next(iter(columns["diagnoses"]), None),
            charge_amount=total_charge(Decimal(line["charge"]) for line in wanted_lines),
            accepts_assignment=gathered.tenant.default_accepts_assignment,
            **{column: entity_value(column, value) for column, value in columns.items()},
        )
        await self._uow.create(claim, ClaimAction.DRAFTED, event=CLAIM_UPDATED)
        for number, line in enumerate(wanted_lines, start=1):
            await self._add_line(claim, number, line, known)
        await self._store(claim, chart, None, values, columns, wanted_lines, entries_of(reading))
        await self._lift_exemption(chart)

    async def _lift_exemption(self, chart: PatientChart) -> None:
        """A claim is due after all: the reason goes that the chart gave for none, for the patient or for the call."""
        exemptions = ExemptionRepository(self._uow)
        for patient_id in (chart.patient.id, None):
            found = await exemptions.find_of(self._uow.tenant_id, chart.incident.id, patient_id)
            if found is not None:
                async with self._uow.change(found, ExemptionAction.DELETED):
                    found.deleted_at = utcnow()


def _line_columns(values: Mapping[str, Any], known: OfPatient) -> dict[str, Any]:
    price = known.prices.get(values["hcpcs"])
    return {
        "hcpcs": values["hcpcs"],
        "modifiers": values["modifiers"],
        "units": Decimal(values["units"]),
        "charge": Decimal(values["charge"]),
        "diagnosis_pointers": values["diagnosis_pointers"],
        "fee_item_id": None if price is None else price.item_id,
    }


async def derivation_service(uow: Uow) -> DerivationService:
    return DerivationService(uow)


async def derivation_reader(uow: ReadUow) -> DerivationReader:
    return DerivationReader(uow)


Derivations = Annotated[DerivationService, Depends(derivation_service)]
DerivationReads = Annotated[DerivationReader, Depends(derivation_reader)]
