"""Coverages as the chart tells them (ePayment.InsuranceGroup), made once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.billing.coverages.service import chart_coverages, coverages_of
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.ems.public import get_patient_charts
from tests.architecture.queries import counted
from tests.billing.support.evidence import Evidence
from tests.billing.support.parties import COVERAGES, commercial, cover, insured_call, medicare
from tests.support.actors import Agency
from tests.support.charts import Call, locked_call

MEDICARE = {"09": "00952", "10": "Medicare", "11": "2611003", "18": "1EG4-TE5-MK73"}
AETNA = {"10": "Aetna", "11": "2611005", "17": "GRP1", "58": "Prairie Farms", "18": "W123", "22": "2622001"}
OF_MOTHER = {
    "10": "Aetna",
    "18": "W123",
    "19": "Berg",
    "20": "Erika",
    "21": "B",
    "22": "2622005",
    "60": "1988-02-17",
}


async def charted(agency: Agency, runtime: Runtime, call: Call) -> list[dict[str, Any]]:
    """What a handler does when the chart is locked; the patient's coverages in the order P, S, T."""
    incident_id = uuid.UUID(call.incident["id"])
    async with runtime.unit_of_work(Principal.system(agency.tenant_id)) as uow:
        for chart in await get_patient_charts(uow, incident_id):
            made = await chart_coverages(uow, incident_id, chart)
    async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
        found = await coverages_of(uow, uuid.UUID(call.patient["id"]))
    assert [coverage.id for coverage in made] == [coverage.id for coverage in found]
    return [await agency.biller.expect(200, "GET", f"{COVERAGES}/{coverage.id}") for coverage in found]


async def test_each_insurance_of_the_chart_makes_a_coverage(
    agency: Agency, runtime: Runtime, evidence: Evidence
) -> None:
    payer = await medicare(agency)
    call = await insured_call(agency, AETNA, MEDICARE)
    one, other = await charted(agency, runtime, call)
    assert (one["sequence"], one["payer_record_id"], one["member_id"]) == ("P", payer["id"], "1EG4TE5MK73")
    assert (one["origin"], one["charted_payer_name"], one["relationship"]) == ("charted", "Medicare", "18")
    assert (other["sequence"], other["payer_record_id"], other["charted_payer_name"]) == ("S", None, "Aetna")
    assert (other["group_number"], other["group_name"], other["member_id"]) == ("GRP1", "Prairie Farms", "W123")
    assert {each["patient_id"] for each in (one, other)} == {call.patient["id"]}
    [created] = await evidence.audit(one["id"])
    assert (created["action"], created["actor_user_id"]) == ("coverage.charted", None)
    assert [event["topic"] for event in await evidence.outbox(one["id"])] == ["coverage.updated"]


async def test_a_lock_that_is_repeated_makes_nothing_more(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    """A biller's corrections and deletions stand."""
    call = await insured_call(agency, MEDICARE, AETNA)
    one, other = await charted(agency, runtime, call)
    revised = {"version": 1, "member_id": "1EG4TE5MK74"}
    await agency.biller.expect(200, "PATCH", f"{COVERAGES}/{one['id']}", json=revised)
    await agency.biller.expect(204, "DELETE", f"{COVERAGES}/{other['id']}", params={"version": 1})
    before = await evidence.digest(agency.tenant_id)
    again = await charted(agency, runtime, call)
    assert [(each["id"], each["member_id"]) for each in again] == [(one["id"], "1EG4TE5MK74")]
    assert await evidence.digest(agency.tenant_id) == before


async def test_a_chart_without_insurance_makes_none(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    """Neither does a group that names neither payer nor number."""
    for call in (await locked_call(agency), await insured_call(agency, {"11": "2611003", "22": "2622001"})):
        before = await evidence.digest(agency.tenant_id)
        assert await charted(agency, runtime, call) == []
        assert await evidence.digest(agency.tenant_id) == before


async def test_a_dependent_by_the_chart(agency: Agency, runtime: Runtime) -> None:
    [made] = await charted(agency, runtime, await insured_call(agency, OF_MOTHER, first_name="Ida"))
    assert (made["relationship"], made["subscriber_date_of_birth"]) == ("19", "1988-02-17")
    assert [made[f"subscriber_{part}_name"] for part in ("last", "first", "middle")] == ["Berg", "Erika", "B"]


@pytest.mark.parametrize(
    ("insured", "relationship", "name"),
    [
        ({}, "18", None),
        ({"19": "MUSTER", "20": "erika"}, "18", None),
        ({"19": "Muster"}, "18", None),
        ({"19": "Berg", "20": "Erika"}, "21", "Berg"),
        ({"19": "Muster", "20": "Max"}, "21", "Muster"),
        ({"22": "2622003", "19": "Muster", "20": "Max"}, "01", "Muster"),
        ({"22": "2622005"}, "19", None),
        ({"22": "2622001", "19": "Berg"}, "18", None),
    ],
)
async def test_who_the_subscriber_is(
    agency: Agency, runtime: Runtime, insured: dict[str, str], relationship: str, name: str | None
) -> None:
    """The patient is Erika Muster. Nothing is invented: a child whose insured parent nobody named stays a child."""
    [made] = await charted(agency, runtime, await insured_call(agency, {"10": "Aetna", "18": "W123", **insured}))
    assert (made["relationship"], made["subscriber_last_name"]) == (relationship, name)


async def test_an_incomplete_charted_coverage_is_completed_when_it_is_changed(agency: Agency, runtime: Runtime) -> None:
    [made] = await charted(agency, runtime, await insured_call(agency, {"10": "Aetna", "22": "2622005"}))
    path = f"{COVERAGES}/{made['id']}"
    await agency.biller.expect(422, "PATCH", path, json={"version": 1, "group_number": "1"})
    body = {"version": 1, "group_number": "1", "subscriber_last_name": "Muster"}
    assert (await agency.biller.expect(200, "PATCH", path, json=body))["group_number"] == "1"


async def test_a_sequence_that_is_taken_leads_to_the_next(agency: Agency, runtime: Runtime) -> None:
    """Two primaries, one without priority, and one too many."""
    groups = [{"10": name, "18": f"M-{name}"} for name in ("None", "First", "Second", "Fourth")]
    groups[1]["11"] = groups[2]["11"] = "2611003"
    groups[3]["11"] = "2611009"
    made = await charted(agency, runtime, await insured_call(agency, *groups))
    assert [(each["sequence"], each["charted_payer_name"]) for each in made] == [
        ("P", "First"),
        ("S", "Second"),
        ("T", "None"),
    ]


async def test_what_a_biller_entered_first_stays_and_is_not_made_twice(agency: Agency, runtime: Runtime) -> None:
    payer, aetna = await medicare(agency), await commercial(agency, name="Aetna")
    call = await insured_call(agency, MEDICARE, AETNA)
    entered = await cover(agency, call, payer_record_id=payer["id"], member_id="1EG4TE5MK73")
    one, other = await charted(agency, runtime, call)
    assert one == entered
    assert (other["sequence"], other["payer_record_id"]) == ("S", aetna["id"])


async def test_statements_do_not_grow_with_the_payers(agency: Agency, runtime: Runtime) -> None:
    """The patient's coverages, those that were made before, the payers, and one for the new coverage."""
    calls = [await insured_call(agency, MEDICARE) for _ in range(2)]
    sent = []
    for call in calls:
        for _ in range(5):
            await commercial(agency)
        incident_id = uuid.UUID(call.incident["id"])
        async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
            [chart] = await get_patient_charts(uow, incident_id)
        system = Principal.system(agency.tenant_id)
        async with counted(runtime.database) as statements, runtime.unit_of_work(system) as uow:
            await chart_coverages(uow, incident_id, chart)
        sent.append(sum("coverages" in statement or "payers" in statement for statement in statements))
    assert sent == [4, 4]
