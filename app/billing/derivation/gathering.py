"""Reads what the rules ask for: a constant number of statements for a call, and for each of its patients."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from app.billing.accounts.service import account_of
from app.billing.als_acts.repository import AlsActRepository
from app.billing.als_acts.scope import Scope
from app.billing.claims.models import PayerSequence
from app.billing.coverages.models import Coverage, Relationship
from app.billing.coverages.service import coverages_of
from app.billing.derivation.context import Context, Notice, PayerFacts
from app.billing.derivation.reading import Reading
from app.billing.fee_schedules.prices import Price, prices
from app.billing.medicare import member_number
from app.billing.notices.service import notice_for
from app.billing.payers.models import PayerRecord
from app.billing.payers.service import find_payer
from app.billing.x12.ambulance import BASE_RATE_CODES, MILEAGE_BASES, OTHER_BASE_CODES
from app.coding.public import Icd10Extract, extract_icd10, list_ingredients
from app.core.clock import utcnow
from app.core.db.uow import ReadUnitOfWork
from app.core.tenants.public import Tenant, current_tenant
from app.ems.public import (
    Charts,
    PatientChart,
    SignatureRead,
    SignatureStatus,
    StatementCode,
    Transport,
    get_charts,
    list_signatures,
    service_date,
    transport_of,
)

_DIAGNOSES = ("eSituation.11", "eSituation.12", "eInjury.01")
_PAYER_TYPE, _METHOD = "ePayment.57", "ePayment.01"
_METHODS = {"2601003": "MC", "2601005": "MB"}
"""ePayment.01 where it tells the kind of payer: Medicaid and Medicare."""
_CODES = sorted(BASE_RATE_CODES | OTHER_BASE_CODES | MILEAGE_BASES.keys())
_SUBSCRIBER = (
    "last_name",
    "first_name",
    "middle_name",
    "name_suffix",
    "date_of_birth",
    "sex",
    "street",
    "unit",
    "city",
    "state",
    "zip",
    "country",
)


class Gathered(NamedTuple):
    """What was read of a call once, for all of its patients."""

    tenant: Tenant
    charts: Charts
    signatures: Sequence[SignatureRead]
    scope: Scope
    codes: Icd10Extract
    ingredients: dict[str, frozenset[str]]

    def chart_of(self, patient_id: uuid.UUID) -> PatientChart | None:
        return next((chart for chart in self.charts.patients if chart.patient.id == patient_id), None)

    def reading(self, chart: PatientChart) -> Reading:
        return Reading(chart, [other for other in self.charts.patients if other is not chart])


class OfPatient(NamedTuple):
    """What the rules know of one patient beside the chart, and the prices that the lines will name."""

    context: Context
    prices: dict[str, Price]
    account_id: uuid.UUID | None


async def gather(uow: ReadUnitOfWork, incident_id: uuid.UUID) -> Gathered:
    """Raises NotFound."""
    tenant, charts = await current_tenant(uow), await get_charts(uow, incident_id)
    acts = await AlsActRepository(uow).list_all(uow.tenant_id, state=tenant.state)
    dispatched = charts.call.incident.dispatch_time or utcnow()
    named = [code for chart in charts.patients for code in _charted_diagnoses(chart)]
    rxcuis = {act.rxcui for chart in charts.patients for act in chart.interventions if act.rxcui is not None}
    return Gathered(
        tenant,
        charts,
        await list_signatures(uow, incident_id),
        Scope.of(acts, tenant.state, dispatched.date()),
        await extract_icd10(uow, named),
        await list_ingredients(uow, sorted(rxcuis)),
    )


async def gather_of(
    uow: ReadUnitOfWork,
    gathered: Gathered,
    chart: PatientChart,
    sequence: PayerSequence = PayerSequence.PRIMARY,
    *,
    coverages: Sequence[Coverage] | None = None,
) -> OfPatient:
    """What the claim to the payer of `sequence` is derived from. `coverages` are the patient's, if already read."""
    if coverages is None:
        coverages = await coverages_of(uow, chart.patient.id)
    coverage = next((one for one in coverages if one.sequence == sequence.value), None)
    record = None
    if coverage is not None and coverage.payer_record_id is not None:
        record = await find_payer(uow, coverage.payer_record_id)
    account = await account_of(uow, chart.patient.id)
    loaded = transport_of(chart) is Transport.THIS_UNIT
    served_on = service_date(chart.incident, gathered.tenant.time_zone, loaded=loaded, of=chart)
    priced: dict[str, Price] = {}
    if served_on is not None:
        priced = await prices(uow, None if record is None else record.id, _CODES, served_on)
    context = Context(
        scope=gathered.scope,
        state=gathered.tenant.state,
        codes=gathered.codes,
        place_of_service=gathered.tenant.default_place_of_service,
        ingredients=gathered.ingredients,
        served_on=served_on,
        payer=None if coverage is None else _payer(coverage, record, chart),
        notice=await _notice(uow, chart),
        signed=_is_signed(gathered.signatures, chart.patient.id),
        prices={code: Decimal(price.amount) for code, price in priced.items()},
    )
    return OfPatient(context, priced, None if account is None else account.id)


def charted_filing_code(chart: PatientChart) -> str | None:
    """SBR09 as the crew tells it: the type of payer, else the method of payment where it tells the type."""
    return _value(chart, _PAYER_TYPE) or _METHODS.get(_value(chart, _METHOD) or "")


def _payer(coverage: Coverage, record: PayerRecord | None, chart: PatientChart) -> PayerFacts:
    charted = charted_filing_code(chart) if coverage.sequence == PayerSequence.PRIMARY.value else None
    filing = charted if record is None else record.claim_filing_code
    columns: dict[str, Any] = {
        "payer_record_id": None if record is None else str(record.id),
        "coverage_id": str(coverage.id),
        "payer_name": coverage.charted_payer_name if record is None else record.name,
        "payer_id": None if record is None else record.payer_id,
        "claim_filing_code": filing,
        "insurance_type": coverage.insurance_type,
        "member_id": member_number(coverage.member_id, filing),
        "group_number": coverage.group_number,
        "subscriber": _subscriber(coverage),
    }
    return PayerFacts(filing, columns, matched=record is not None)


def _subscriber(coverage: Coverage) -> dict[str, Any] | None:
    """The subscriber as the claim keeps it. None: the patient."""
    if coverage.relationship is Relationship.SELF:
        return None
    said = {name: getattr(coverage, f"subscriber_{name}") for name in _SUBSCRIBER}
    born = said["date_of_birth"]
    return {
        "relationship": coverage.relationship.value,
        **said,
        "date_of_birth": None if born is None else born.isoformat(),
    }


async def _notice(uow: ReadUnitOfWork, chart: PatientChart) -> Notice | None:
    """The notice that the patient signed last."""
    signed = await notice_for(uow, chart.patient.id)
    if signed is None:
        return None
    return Notice.VOLUNTARY if signed.is_voluntary else Notice.REQUIRED


def _is_signed(signatures: Sequence[SignatureRead], patient_id: uuid.UUID) -> bool:
    return any(
        one.statement_code is StatementCode.ASSIGNMENT_OF_BENEFITS
        and one.status is SignatureStatus.SIGNED
        and one.patient_id == patient_id
        and one.covers_current_chart
        for one in signatures
    )


def _charted_diagnoses(chart: PatientChart) -> list[str]:
    charted = [entry.get("value") for name in _DIAGNOSES for entry in chart.patient.elements.get(name, ())]
    return [code for code in (*charted, chart.incident.primary_impression) if code is not None]


def _value(chart: PatientChart, element_id: str) -> str | None:
    entries: list[dict[str, str | None]] = chart.patient.elements.get(element_id) or [{}]
    return entries[0].get("value")
