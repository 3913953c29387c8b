"""The table of transports is sound: its codes exist, its modifiers are legal, every value has a source or a reason."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from app.coding.lookup.shipped import DATA
from app.coding.procedures.snomed import is_concept
from app.core.facilities.models import BillingLetter, FacilityType
from app.ems.elements import TARGET_BUILD, Owner, check_elements, from_json, load_dictionary
from tests.billing.derivation.facts import (
    BASE_CODES,
    Abn,
    Body,
    Due,
    NoClaim,
    NoClaimBecause,
    PayerKind,
    Provider,
    Transport,
    Why,
)
from tests.billing.derivation.transports import TRANSPORTS

DICTIONARY = load_dictionary(TARGET_BUILD)
ORIGINS = {*BillingLetter} | {"R", "S"}
DESTINATIONS = {*BillingLetter} | {"R", "X"}
FURTHER = {"GM", "QL", "GA", "GX", "GY", "GZ"}
"""The other modifiers that a professional claim may carry (reference 2.3): QM and QN are the institutions'.

No row has GZ: that a denial is expected, and nobody was told, stands in no chart.
"""
TRANSPORT_REASONS, CONDITIONS = set("ABCDE"), {"01", "04", "05", "06", "07", "08", "09", "12"}
EDITS = {f"E{number:02}" for number in range(1, 61)}
RELATIONS = {"18", "01", "19", "20", "21", "39", "40", "53", "G8"}
with (DATA / "medications.csv").open(encoding="utf-8", newline="") as file:
    MEDICATIONS = {line["rxcui"] for line in csv.DictReader(file)}
each_row = pytest.mark.parametrize("row", TRANSPORTS, ids=lambda row: row.id)


def claims(row: Transport) -> Iterator[Due]:
    return (expected for expected in row.expected if isinstance(expected, Due))


def problems(elements: Body, **where: Any) -> list[str]:
    """What the chart would refuse of these elements."""
    found = check_elements(from_json(elements), dictionary=DICTIONARY, **where)
    return [f"{problem.path}: {problem.message}" for problem in found]


def test_there_are_more_than_sixty_rows_each_known_by_its_own_number() -> None:
    assert [row.id for row in TRANSPORTS] == [f"T{number:02}" for number in range(1, len(TRANSPORTS) + 1)]
    assert len(TRANSPORTS) >= 64 and len({row.name for row in TRANSPORTS}) == len(TRANSPORTS)


@each_row
def test_a_row_names_its_sources_and_expects_something_of_each_patient(row: Transport) -> None:
    assert row.source and all(source.strip() for source in row.source)
    assert len(row.expected) == max(1, len(row.patients))


@each_row
def test_the_chart_accepts_every_code(row: Transport) -> None:
    assert problems(row.incident["elements"], owner=Owner.INCIDENT) == []
    for column in ("location_type", "disposition"):
        element_id = {"location_type": "eScene.09", "disposition": "eDisposition.27"}[column]
        if row.incident[column] is not None:
            assert DICTIONARY.elements[element_id].type.violation(row.incident[column]) is None
    for level in row.crew:
        assert level in DICTIONARY.elements["eCrew.02"].type.codes
    for place in (row.origin, row.destination):
        if place is not None:
            assert place["facility_type"] in {*FacilityType} and place["billing_letter"] in {*BillingLetter}
    for charted in row.patients:
        assert problems(charted.body["elements"], owner=Owner.PATIENT) == []
        for group in charted.payer.groups:
            assert problems(group["elements"], group=group["group_name"]) == []
        for given in charted.interventions:
            _accepted(given)


def _accepted(given: Body) -> None:
    drug = given["type"] == "medication"
    owner = Owner.INTERVENTION_MEDICATION if drug else Owner.INTERVENTION_PROCEDURE
    columns = frozenset({"eMedications.03"} if drug else ())
    assert problems(given["elements"], owner=owner, columns=columns) == []
    assert given["rxcui"] in MEDICATIONS if drug else is_concept(given["procedure_code"])
    for column, element_id in (("route", "eMedications.04"), ("dose_unit", "eMedications.06")):
        assert given.get(column) is None or given[column] in DICTIONARY.elements[element_id].type.codes


@each_row
def test_expected_modifiers_are_legal_and_due(row: Transport) -> None:
    for charted, claim in zip(row.patients, row.expected, strict=bool(row.patients)):
        if not isinstance(claim, Due):
            continue
        if claim.pair is not None:
            assert claim.pair[0] in ORIGINS and claim.pair[1] in DESTINATIONS
        assert set(claim.further) <= FURTHER and len(claim.further) <= 3
        assert ("GM" in claim.further) == (claim.patients_transported > 1)
        noted = charted.abn is not None and charted.payer.kind is PayerKind.MEDICARE
        notice = {Abn.REQUIRED: ("GA",), Abn.VOLUNTARY: ("GX",), None: ()}[charted.abn if noted else None]
        assert tuple(each for each in claim.further if each in ("GA", "GX")) == notice


@each_row
def test_a_value_is_expected_or_the_reason_why_there_is_none(row: Transport) -> None:
    for claim in claims(row):
        missing = {name for name in ("level", "pair", "reason", "weight_lb") if getattr(claim, name) is None}
        if claim.miles is None and claim.mileage_due:
            missing.add("miles")
        assert missing == claim.why.keys() - {"coverage"}
        assert claim.miles is None or claim.mileage_due
        assert (claim.hcpcs is None) == (claim.level is None)
        assert (claim.pair is None) <= ("E33" in claim.blocks or claim.open_edits)


@each_row
def test_expected_miles_weight_reason_conditions_and_edits_are_well_formed(row: Transport) -> None:
    for claim in claims(row):
        for miles in (claim.miles, claim.beyond):
            if miles is not None:
                assert Decimal(miles) > 0 and Decimal(miles) % (1 if Decimal(miles) >= 100 else Decimal("0.1")) == 0
        assert claim.weight_lb is None or 1 <= Decimal(claim.weight_lb) <= 1500
        assert claim.reason is None or claim.reason in TRANSPORT_REASONS
        assert set(claim.conditions) <= CONDITIONS and len(claim.conditions) <= 5
        assert {*claim.blocks, *claim.flags} <= EDITS
        assert claim.relation in RELATIONS


def test_the_table_shows_each_thing_that_it_must_show() -> None:
    """Each level, each reason, each of the modifiers, and each kind of payer stands in some row."""
    due = [claim for row in TRANSPORTS for claim in claims(row)]
    assert {claim.level for claim in due} == {None, *BASE_CODES}
    assert {why for claim in due for why in claim.why.values()} == {*Why}
    because = {one.because for row in TRANSPORTS for one in row.expected if isinstance(one, NoClaim)}
    assert because == {*NoClaimBecause}
    assert {each for claim in due for each in claim.further} == FURTHER - {"GY", "GZ"}
    assert {charted.payer.kind for row in TRANSPORTS for charted in row.patients} == {*PayerKind}
    letters = {letter for claim in due if claim.pair for letter in claim.pair}
    assert letters == (ORIGINS | DESTINATIONS) - {"X"}
    assert {row.provider for row in TRANSPORTS} == {*Provider}
    assert {claim.reason for claim in due} == {None, *TRANSPORT_REASONS}
