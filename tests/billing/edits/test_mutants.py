"""Faults of 837P files that no judge of files caught, or only one did: each is tried through the API, and is stopped.

The numbers are those of the labelled mutants of the reference material. README.md lists what stops each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.billing.edits.book import edit_of
from app.coding.public import CodeFault, Icd10Extract
from tests.billing.support.claims import (
    BASE_LINE,
    CLAIM,
    CLAIMS,
    EXPORTS,
    MILEAGE_LINE,
    approved_claim,
    claim_body,
    export,
    new_claim,
)
from tests.billing.support.evidence import Evidence
from tests.support.actors import Agency
from tests.support.charts import INCIDENT, PATIENT, locked_call

README = Path(__file__).parents[3] / "app" / "billing" / "README.md"
_TENANT = "tenants/current"


@dataclass(frozen=True)
class Mutant:
    """One fault. `stops` is the edit, or in words what stops a fault that no request can state."""

    number: str
    fault: str
    stops: str
    claim: dict[str, Any] = field(default_factory=dict)
    patient: dict[str, Any] = field(default_factory=dict)
    incident: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.number} {self.fault}"


def lines(base: dict[str, Any] | None = None, mileage: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"lines": [{**BASE_LINE, **(base or {})}, {**MILEAGE_LINE, **(mileage or {})}]}


APPROVED_NEVER = (
    Mutant("07", "billing ZIP of five digits", "E05", profile={"zip": "62701"}),
    Mutant("09", "no mileage in CR1", "E20", {**lines(mileage={"units": "0.1"}), "loaded_miles": "0"}),
    Mutant("11", "pick-up without drop-off", "E27", patient={"destination_street": None, "destination_city": None}),
    Mutant("15", "pointer to a diagnosis that is not there", "E45", lines({"diagnosis_pointers": [7]})),
    Mutant("23", "subscriber without birth date", "E09", patient={"date_of_birth": None}),
    Mutant("31", "line without day of service", "E44", incident={"depart_scene_time": None}),
    Mutant("32", "HCPCS code that does not exist", "E47", lines({"hcpcs": "A0427"}, {"hcpcs": "A0777"})),
    Mutant("35", "no diagnosis", "E45", {"diagnoses": []}),
    Mutant("39", "sign that X12 does not know", "E08", patient={"last_name": "\U0001f691"}),
)
REFUSED_AT_THE_DOOR = (
    Mutant("13", "line without pointer", "E45", lines({"diagnosis_pointers": []})),
    Mutant("17", "SBR without a filing code of the list", "E13", {"claim_filing_code": "QQ"}),
    Mutant("27", "five modifiers", "E33", lines({"modifiers": ["RH", "GM", "GY", "TQ", "76"]})),
    Mutant("34", "negative miles", "E20", {"loaded_miles": "-1"}),
    Mutant("34", "negative units", "E42", lines(mileage={"units": "-1"})),
    Mutant("37", "insured without member id", "E12", {"member_id": "1"}),
    Mutant("25", "code that is no ICD-10-CM code", "E46", {"diagnoses": ["ZZZ99"]}),
    Mutant("32", "HCPCS code of another shape", "E47", lines({"hcpcs": "AMBUL"})),
)
UNSAYABLE = (
    Mutant("01", "wrong count of segments", "the writer counts", {"segment_count": 7}),
    Mutant("03", "GE does not match GS", "the writer numbers", {"control_number": 7}),
    Mutant("19", "HI before CLM", "the writer orders", {"segments": ["HI", "CLM"]}),
    Mutant("21", "parent 9 of an HL", "the writer numbers", {"parent": 9}),
    Mutant("29", "weight without its unit", "the writer sends both or neither", {"weight_unit": None}),
    Mutant("38", "claim number over 20 characters", "the service gives the numbers", {"claim_number": "C" * 21}),
)
BY_THE_RECORD = (
    Mutant("05", "NPI with a wrong check digit", "E01", profile={"npi": "1467890128"}),
    Mutant("33", "state that does not exist", "E10", patient={"home_state": "XX"}),
)
ALL = (*APPROVED_NEVER, *REFUSED_AT_THE_DOOR, *UNSAYABLE, *BY_THE_RECORD)


async def _profile(agency: Agency, changes: dict[str, Any], status: int = 200) -> Any:
    tenant = await agency.admin.expect(200, "GET", _TENANT)
    return await agency.admin.expect(status, "PATCH", _TENANT, json={"version": tenant["version"], **changes})


@pytest.mark.parametrize("mutant", APPROVED_NEVER, ids=str)
async def test_approval_and_export_are_refused_and_name_the_edit(
    agency: Agency, evidence: Evidence, mutant: Mutant
) -> None:
    call = await locked_call(agency, patient=mutant.patient, **mutant.incident)
    claim = await new_claim(agency, call, **mutant.claim)
    if mutant.profile:
        await _profile(agency, mutant.profile)
    before = await evidence.digest(agency.tenant_id)
    body = {"action": "approve", "version": claim["version"]}
    refused = await agency.biller.expect(409, "POST", f"{CLAIMS}/{claim['id']}/transitions", json=body)
    problems = [one for guard in refused["error"]["details"]["failed_guards"] for one in guard["problems"]]
    assert mutant.stops in {problem["edit"] for problem in problems}
    assert (await export(agency, claim, status=409))["error"]["code"] == "CLAIMS_NOT_READY"
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("mutant", REFUSED_AT_THE_DOOR, ids=str)
async def test_the_claim_is_not_taken_and_the_refusal_names_the_edit(
    agency: Agency, evidence: Evidence, mutant: Mutant
) -> None:
    body = claim_body(await locked_call(agency), **mutant.claim)
    before = await evidence.digest(agency.tenant_id)
    refused = await agency.biller.expect(422, "POST", CLAIMS, json=body)
    problems = refused["error"]["details"]["problems"]
    told = " ".join(problem["message"] for problem in problems)
    # a list that is too short is refused in the words of lists, by the field of the edit
    assert f"({mutant.stops})" in told or edit_of(problems[0]["field"], problems[0]["code"]).id == mutant.stops
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("mutant", UNSAYABLE, ids=str)
async def test_no_request_can_say_it(agency: Agency, evidence: Evidence, mutant: Mutant) -> None:
    claim = await approved_claim(agency)
    body = claim_body(await locked_call(agency), **mutant.claim)
    before = await evidence.digest(agency.tenant_id)
    for path, sent in ((CLAIMS, body), (EXPORTS, {"claim_ids": [claim["id"]], **mutant.claim})):
        refused = await agency.biller.expect(422, "POST", path, json=sent)
        [problem] = refused["error"]["details"]["problems"]
        assert (problem["field"], problem["code"]) == (next(iter(mutant.claim)), "extra_forbidden")
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize("mutant", BY_THE_RECORD, ids=str)
async def test_the_record_itself_does_not_take_it(agency: Agency, evidence: Evidence, mutant: Mutant) -> None:
    """Agency and chart refuse the value. tests/billing/edits/cases.py shows that the edit would stop it, too."""
    before = await evidence.digest(agency.tenant_id)
    if mutant.profile:
        await _profile(agency, mutant.profile, 422)
    else:
        head = await agency.medic.expect(201, "POST", "ems/incidents", json=dict(INCIDENT))
        before = await evidence.digest(agency.tenant_id)
        path = f"ems/incidents/{head['id']}/patients"
        await agency.medic.expect(422, "POST", path, json={**PATIENT, **mutant.patient})
    assert await evidence.digest(agency.tenant_id) == before


async def test_an_invented_diagnosis_is_refused(
    agency: Agency, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the right shape. The code tables of this database are empty."""
    claim = await new_claim(agency, diagnoses=["Q99.99", "R47.01"])
    monkeypatch.setattr(Icd10Extract, "fault", lambda _self, _code, _day: CodeFault.UNKNOWN)
    before = await evidence.digest(agency.tenant_id)
    body = {"action": "approve", "version": claim["version"]}
    refused = await agency.biller.expect(409, "POST", f"{CLAIMS}/{claim['id']}/transitions", json=body)
    problems = [one for guard in refused["error"]["details"]["failed_guards"] for one in guard["problems"]]
    assert {problem["edit"] for problem in problems} == {"E46"}
    assert await evidence.digest(agency.tenant_id) == before


async def test_the_dot_of_a_diagnosis_is_not_sent(agency: Agency) -> None:
    """Mutant 24: what a person writes with a dot goes out without it."""
    made = await export(agency, await approved_claim(agency))
    file = await agency.biller.get(f"{EXPORTS}/{made['id']}/artifact")
    assert "HI*ABK:I639*ABF:R4701~" in file.text
    assert CLAIM["diagnoses"] == ["I63.9", "R47.01"]


def test_the_table_says_what_stops_each() -> None:
    rows = {*re.findall(r"^\| (\d\d) \| [^|]+ \| ([^|]+) \|", README.read_text(), re.MULTILINE)}
    assert rows == {*((one.number, one.stops) for one in ALL), ("24", "the writer takes the dot out")}
