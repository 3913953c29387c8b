"""A claim, its chart and its agency in memory: what the pure parts of billing work on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from app.billing.claims.models import Claim, ClaimLine
from app.billing.claims.schemas import ClaimCreate
from app.billing.claims.service import claim_defaults
from app.core.ids import TenantId, new_id
from app.core.tenants.models import Tenant
from app.ems.public import IncidentRead, IncidentStatus, PatientChart, PatientRead
from tests.billing.support.claims import CLAIM
from tests.support.actors import profile
from tests.support.charts import INCIDENT, PATIENT

TENANT_ID = TenantId(new_id())
OWN_COLUMNS = (
    "charge_amount",
    "delay_reason",
    "frequency",
    "insurance_type",
    "note",
    "payer_claim_control_number",
    "payer_sequence",
    "subscriber",
)
"""Columns of a claim that its creation does not take from a client."""
AT = dt.datetime(2026, 11, 20, 18, 0, tzinfo=dt.UTC)
_STANDARD = {"version": 1, "created_at": AT, "updated_at": AT, "elements": {}}


def agency_profile(**changes: Any) -> Tenant:
    return Tenant(id=TENANT_ID, tenant_id=TENANT_ID, **{**profile("t"), **changes})


def patient_chart(*, patient: dict[str, Any] | None = None, **incident: Any) -> PatientChart:
    """The chart that tests.support.charts charts over HTTP."""
    head = dict.fromkeys(IncidentRead.model_fields) | _STANDARD | {"id": new_id(), "created_by": new_id()}
    head |= {"status": IncidentStatus.LOCKED, "allowed_actions": []} | dict(INCIDENT) | incident
    person = dict.fromkeys(PatientRead.model_fields) | _STANDARD
    person |= {"id": new_id(), "incident_id": head["id"], "pcr_uuid": new_id()} | dict(PATIENT) | (patient or {})
    return PatientChart(
        incident=IncidentRead.model_validate(head),
        patient=PatientRead.model_validate(person),
        vitals=[],
        interventions=[],
        narratives=[],
        element_groups=[],
        crew=[],
    )


def claim_with_lines(**changes: Any) -> tuple[Claim, list[ClaimLine]]:
    """The claim that tests.billing.support.claims makes over HTTP; `changes` are of its body, or columns of its own."""
    own: dict[str, Any] = {name: changes.pop(name) for name in OWN_COLUMNS if name in changes}
    given = ClaimCreate.model_validate({"incident_id": new_id(), **CLAIM, **changes})
    values = {**given.values(), **claim_defaults(agency_profile(), given)}
    lines = values.pop("lines")
    for name in ("certifications", "accident"):
        if values[name] is not None:
            values[name] = values[name].model_dump(mode="json")
    charge = sum((line.charge for line in lines), Decimal("0.00"))
    columns: dict[str, Any] = {**values, "charge_amount": charge, **own, "patient_id": new_id()}
    claim = Claim(tenant_id=TENANT_ID, claim_number="C000000042", icd10_primary=given.diagnoses[0], **columns)
    return claim, [
        ClaimLine(tenant_id=TENANT_ID, claim_id=claim.id, line_number=number, **line.model_dump())
        for number, line in enumerate(lines, start=1)
    ]
