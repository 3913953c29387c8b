"""What an edit sees: a claim with its lines, its chart, its agency and its background. Frozen and pure."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from app.billing.edits.background import Background
from app.billing.medicare import is_medicare
from app.billing.x12.ambulance import (
    BASE_RATE_CODES,
    MILEAGE_BASES,
    OTHER_BASE_CODES,
    PRONOUNCED_DEAD_MODIFIER,
    is_origin_destination,
)
from app.core.errors import Problem
from app.core.tenants.public import Tenant
from app.ems.public import PatientChart, SignatureRead

NON_EMERGENCY_CODES = frozenset({"A0426", "A0428"})
EMERGENCY_CODES = frozenset({"A0427", "A0429"})


class JudgedLine(Protocol):
    """A service line, as stored."""

    id: Any
    version: Any
    hcpcs: Any
    modifiers: Any
    units: Any
    charge: Any
    diagnosis_pointers: Any


class JudgedClaim(Protocol):
    """A claim, as stored."""

    id: Any
    version: Any
    patient_id: Any
    payer_record_id: Any
    coverage_id: Any
    payer_id: Any
    payer_sequence: Any
    claim_filing_code: Any
    insurance_type: Any
    member_id: Any
    subscriber: Any
    prior_authorization: Any
    diagnoses: Any
    frequency: Any
    payer_claim_control_number: Any
    delay_reason: Any
    place_of_service: Any
    patient_count: Any
    loaded_miles: Any
    weight_lb: Any
    transport_reason: Any
    certifications: Any
    accident: Any
    note: Any


@dataclass(frozen=True, kw_only=True)
class ClaimView:
    """`problems` are those of the 837P writer, of the code tables and of the signatures, in the API's words.

    `served_on` is the agency-local day of the service. It is None if the chart does not tell.
    """

    profile: Tenant
    chart: PatientChart
    signatures: Sequence[SignatureRead]
    claim: JudgedClaim
    lines: Sequence[JudgedLine]
    problems: Sequence[Problem]
    background: Background
    served_on: dt.date | None
    at: dt.datetime

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.profile.time_zone)

    @cached_property
    def today(self) -> dt.date:
        return self.at.astimezone(self.zone).date()

    @cached_property
    def base(self) -> tuple[int, JudgedLine] | None:
        """The first line with a base code, and its index."""
        numbered = list(enumerate(self.lines))
        rated = [one for one in numbered if one[1].hcpcs in BASE_RATE_CODES]
        return next(iter(rated or [one for one in numbered if one[1].hcpcs in OTHER_BASE_CODES]), None)

    @property
    def base_code(self) -> str | None:
        return None if self.base is None else self.base[1].hcpcs

    @cached_property
    def route(self) -> str | None:
        """Origin and destination by the base's first modifier. None if it is no such pair."""
        first = self.base[1].modifiers[0] if self.base is not None and self.base[1].modifiers else ""
        return first if is_origin_destination(first) else None

    @property
    def is_medicare(self) -> bool:
        return is_medicare(self.claim.claim_filing_code)

    @property
    def is_non_emergency(self) -> bool:
        return self.base_code in NON_EMERGENCY_CODES

    @property
    def pronounced_dead(self) -> bool:
        """True if the claim says that the patient was pronounced dead before loading."""
        return any(PRONOUNCED_DEAD_MODIFIER in line.modifiers for line in self.lines)

    @cached_property
    def conditions(self) -> frozenset[str]:
        """The condition codes that the claim says apply (CRC03 to CRC07)."""
        return frozenset(self.claim.certifications["yes"])

    def mileage(self) -> Iterator[tuple[int, JudgedLine]]:
        """The mileage lines with their indexes."""
        return ((at, line) for at, line in enumerate(self.lines) if line.hcpcs in MILEAGE_BASES)

    def codes(self, element_id: str) -> list[str]:
        """The charted codes of an element: the patient's, else the incident's."""
        said = self.chart.patient.elements.get(element_id) or self.chart.incident.elements.get(element_id) or ()
        return [entry["value"] for entry in said if entry.get("value") is not None]

    def code(self, element_id: str) -> str | None:
        return next(iter(self.codes(element_id)), None)
