"""Claims of many kinds from one seed: levels, payers, dependents, corrections and calls with several patients.

The same seed gives the same claims. They are made of the rows that the service reads, so that everything between a
chart and a file takes part.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from app.billing.claims.models import Claim, ClaimLine
from app.billing.x12.ambulance import billable_miles
from app.core.tenants.models import Tenant
from app.ems.public import PatientChart
from tests.billing.support.drafts import agency_profile, claim_with_lines, patient_chart

PAYERS = (
    ("Medicare Part B IL", "00952", "MB"),
    ("Illinois Medicaid", "37320", "MC"),
    ("Prairie Mutual", "00621", "CI"),
    ("Blue Cross", "00121", "BL"),
    ("Tricare East", "TREST", "CH"),
    ("County Workers' Fund", "WC001", "WC"),
)
_GROUND = ("A0428", "A0429", "A0426", "A0427", "A0433", "A0434", "A0432")
_LEVELS = (*((code, "A0425", "41") for code in _GROUND), ("A0430", "A0435", "42"), ("A0431", "A0436", "42"))
_ROUTES = ("RH", "SH", "HH", "HN", "NH", "HR", "RJ", "IH", "EH", "PH")
_NAMES = ("Rivers", "Müller", "O'Hara", "de la Cruz", "Łuczak", "Nguyễn", "Smith-Jones", "Ng", "Əliyev", "Björk")
_DIAGNOSES = ("I63.9", "R47.01", "R07.9", "S72.001A", "J96.01", "E11.649", "N18.6", "Z99.2", "R55", "T14.90XA")
_RELATIONS = ("01", "19", "20", "21", "53", "G8")


class Generated(NamedTuple):
    profile: Tenant
    chart: PatientChart
    claim: Claim
    lines: Sequence[ClaimLine]


def generated_claims(seed: int, how_many: int) -> Iterator[Generated]:
    """`how_many` claims of one agency, of calls with one to four patients."""
    dice, profile, made = random.Random(seed), agency_profile(), 0  # noqa: S311
    while made < how_many:
        incident_id, patients = uuid.UUID(int=dice.getrandbits(128)), dice.choice((1, 1, 1, 2, 4))
        for _ in range(min(patients, how_many - made)):
            made += 1
            chart = _chart(dice, incident_id)
            claim, lines = _claim(dice, made, patients)
            yield Generated(profile, chart, claim, lines)


def _chart(dice: random.Random, incident_id: uuid.UUID) -> PatientChart:
    born = dt.date(1930, 1, 1) + dt.timedelta(days=dice.randrange(33_000))
    return patient_chart(
        id=incident_id,
        location_street=f"{dice.randrange(1, 9999)} Main St",
        patient={
            "id": uuid.UUID(int=dice.getrandbits(128)),
            "last_name": dice.choice(_NAMES),
            "first_name": dice.choice(("Ana", "Zoë", "Max", None)),
            "date_of_birth": born,
            "gender": dice.choice(("female", "male", "unknown")),
        },
    )


def _claim(dice: random.Random, number: int, patients: int) -> tuple[Claim, list[ClaimLine]]:
    name, payer_id, filing_code = dice.choice(PAYERS)
    sequence = dice.choice("PPPPST")
    insurance_type = dice.choice(("12", "43", "47")) if filing_code == "MB" and sequence != "P" else None
    frequency = dice.choice("1111178")
    own: dict[str, Any] = {
        "payer_sequence": sequence,
        "insurance_type": insurance_type,
        "frequency": frequency,
        "payer_claim_control_number": None if frequency == "1" else f"ICN{number:08}",
        "delay_reason": dice.choice((None, None, "1", "11")),
        "note": dice.choice((None, None, "Corrected mileage")),
        "subscriber": None if filing_code == "MB" or dice.random() < 0.6 else _subscriber(dice),
    }
    diagnoses = dice.sample(_DIAGNOSES, dice.randrange(1, 5))
    base, mileage, place = dice.choice(_LEVELS)
    miles = billable_miles(Decimal(dice.randrange(1, 30_000)) / 100)
    route, pointers = dice.choice(_ROUTES), list(range(1, min(len(diagnoses), 4) + 1))
    claim, lines = claim_with_lines(
        payer_name=name,
        payer_id=payer_id,
        claim_filing_code=filing_code,
        member_id=f"M{dice.randrange(10**9):09}",
        group_number=dice.choice((None, "G-7")),
        prior_authorization=dice.choice((None, None, "UTN0001")),
        diagnoses=diagnoses,
        place_of_service=place,
        loaded_miles=str(miles),
        patient_count=patients,
        transport_reason=dice.choice("ABCDE"),
        certifications=dice.choice(({"yes": ["06", "09"], "no": ["12"]}, {"yes": ["01"], "no": []}, {})),
        lines=[
            _line(base, route, "1", Decimal(dice.randrange(30_000, 300_000)) / 100, pointers),
            _line(mileage, route, str(miles), Decimal(dice.randrange(100, 99_999)) / 100, pointers[:1]),
        ],
        **own,
    )
    claim.__dict__["claim_number"] = f"C{number:09}"
    return claim, lines


def _subscriber(dice: random.Random) -> dict[str, Any]:
    return {
        "relationship": dice.choice(_RELATIONS),
        "last_name": dice.choice(_NAMES),
        "first_name": "Pat",
        "middle_name": None,
        "name_suffix": None,
        "date_of_birth": "1980-02-29",
        "sex": "F",
        "street": "1 Elsewhere",
        "unit": None,
        "city": "Chicago",
        "state": "IL",
        "zip": "60601",
        "country": None,
    }


def _line(hcpcs: str, route: str, units: str, charge: Decimal, pointers: list[int]) -> dict[str, Any]:
    return {
        "hcpcs": hcpcs,
        "modifiers": [route],
        "units": units,
        "charge": str(charge),
        "diagnosis_pointers": pointers,
    }
