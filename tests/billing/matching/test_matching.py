"""Which accounts are proposed for a patient, and what a confirmed match does."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from typing import Any

import asyncpg
import pytest

from app.billing.accounts.service import account_of
from app.billing.matching.guarantor import is_minor
from app.core.permissions import Principal
from app.core.runtime import Runtime
from app.ems.public import AgeUnit
from tests.architecture.queries import counted
from tests.billing.support.claims import CLAIMS, approved_claim, new_claim
from tests.billing.support.drafts import patient_chart
from tests.billing.support.evidence import Evidence
from tests.billing.support.parties import (
    ACCOUNTS,
    CHILD,
    MOTHER,
    call_of,
    cover,
    join,
    matches,
    new_account,
    problems,
)
from tests.support.actors import Agency
from tests.support.charts import Call, locked_call

GUARDIAN = {
    "ePayment.23": [{"value": "Berg"}],
    "ePayment.24": [{"value": "Erika"}],
    "ePayment.26": [{"value": "100 Main St."}],
    "ePayment.28": [{"value": "17"}],
    "ePayment.29": [{"value": "62701"}],
    "ePayment.30": [{"value": "US"}],
    "ePayment.31": [{"value": "217-555-0142"}],
    "ePayment.32": [{"value": "2632007"}],
}
_TRANSPORTED = {"eDisposition.30": [{"value": "4230001"}]}


async def proposed(agency: Agency, call: Call) -> list[tuple[str, int, list[str], list[str]]]:
    found = (await matches(agency, call))["proposals"]
    return [(each["account"]["id"], each["score"], each["reasons"], each["differs"]) for each in found]


async def test_an_account_of_the_same_person_is_proposed(agency: Agency, evidence: Evidence) -> None:
    """The names are written otherwise. Nobody is joined by that."""
    account = await new_account(agency, last_name="MÜSTER", first_name="erika")
    await new_account(agency, last_name="Somebody", first_name="Else", date_of_birth="1950-01-01")
    call = await call_of(agency, last_name="Muster", first_name="Erika")
    before = await evidence.digest(agency.tenant_id)
    found = await matches(agency, call)
    assert found["account_id"] is None
    [proposal] = found["proposals"]
    assert proposal["account"] == account
    assert (proposal["score"], proposal["differs"]) == (60, [])
    assert proposal["reasons"] == ["date_of_birth", "last_name", "first_name"]
    assert await evidence.digest(agency.tenant_id) == before


@pytest.mark.parametrize(
    ("account", "score", "reasons", "differs"),
    [
        ({}, 60, ["date_of_birth", "last_name", "first_name"], []),
        ({"last_name": "Berg"}, 40, ["date_of_birth", "first_name"], ["last_name"]),
        ({"first_name": "E"}, 45, ["date_of_birth", "last_name"], ["first_name"]),
        ({"date_of_birth": None}, 35, ["last_name", "first_name"], []),
        ({"date_of_birth": "1949-02-17"}, None, [], []),
        ({"last_name": "Berg", "first_name": "Ida"}, None, [], []),
    ],
)
async def test_what_a_match_is_worth(
    agency: Agency, account: dict[str, Any], score: int | None, reasons: list[str], differs: list[str]
) -> None:
    made = await new_account(agency, **account)
    expected = [] if score is None else [(made["id"], score, reasons, differs)]
    assert await proposed(agency, await locked_call(agency)) == expected


async def test_the_same_member_id_outweighs_another_name(agency: Agency) -> None:
    account = await new_account(agency, last_name="Berg", first_name="Eri", date_of_birth="1949-02-17")
    first, second = await call_of(agency, last_name="Berg", first_name="Eri"), await locked_call(agency)
    await join(agency, account, first)
    await cover(agency, first, member_id="W77")
    await cover(agency, second, member_id="W77")
    assert await proposed(agency, second) == [
        (account["id"], 30, ["member_id"], ["date_of_birth", "last_name", "first_name"])
    ]


async def test_a_childs_earlier_call_leads_to_the_guardians_account(agency: Agency) -> None:
    account = await new_account(agency, last_name="Berg", first_name="Erika", date_of_birth="1988-02-17")
    first, second = await call_of(agency, **CHILD), await call_of(agency, **CHILD)
    await join(agency, account, first)
    assert await proposed(agency, second) == [(account["id"], 60, ["date_of_birth", "last_name", "first_name"], [])]
    for call in (first, second):
        await cover(agency, call, member_id="W77", **MOTHER)
    assert await proposed(agency, second) == [
        (account["id"], 100, ["member_id", "date_of_birth", "last_name", "first_name"], [])
    ]


async def test_the_charted_guardian_of_a_minor(agency: Agency) -> None:
    account = await new_account(agency, last_name="Berg", first_name="Erika", date_of_birth="1988-02-17")
    call = await call_of(agency, **CHILD, elements=GUARDIAN | _TRANSPORTED)
    found = await matches(agency, call)
    assert [(each["account"]["id"], each["score"], each["reasons"]) for each in found["proposals"]] == [
        (account["id"], 35, ["guarantor"])
    ]
    suggestion = found["suggestion"]
    assert suggestion["guarantor"] is True
    given = {name: value for name, value in suggestion["account"].items() if value is not None}
    assert given == {
        "last_name": "Berg",
        "first_name": "Erika",
        "phone": "2175550142",
        "street": "100 Main St.",
        "city": "Springfield",
        "state": "IL",
        "zip": "62701",
    }
    opened = await agency.biller.expect(201, "POST", ACCOUNTS, json=suggestion["account"])
    assert opened["last_name"] == "Berg"


async def test_an_adult_pays_for_themselves(agency: Agency) -> None:
    """The relative of an adult is a contact, not a guarantor."""
    elements = {"ePatient.18": [{"value": "217-555-0177"}], "ePatient.24": [{"value": "spa"}]}
    call = await call_of(agency, elements=GUARDIAN | _TRANSPORTED | elements)
    suggestion = (await matches(agency, call))["suggestion"]
    assert suggestion["guarantor"] is False
    account = suggestion["account"]
    assert (account["last_name"], account["date_of_birth"], account["city"]) == ("Muster", "1948-02-17", "Springfield")
    assert (account["phone"], account["language"]) == ("2175550177", "spa")
    await agency.biller.expect(201, "POST", ACCOUNTS, json=account)


async def test_a_patient_without_a_name_has_no_suggestion(agency: Agency) -> None:
    await new_account(agency)
    call = await call_of(agency, last_name=None, first_name=None, date_of_birth=None)
    found = await matches(agency, call)
    assert (found["proposals"], found["suggestion"]) == ([], None)


@pytest.mark.parametrize(
    ("patient", "minor"),
    [
        ({"date_of_birth": dt.date(2008, 11, 2)}, True),
        ({"date_of_birth": dt.date(2008, 11, 1)}, False),
        ({"date_of_birth": None, "age": 17, "age_unit": AgeUnit.YEARS}, True),
        ({"date_of_birth": None, "age": 18, "age_unit": AgeUnit.YEARS}, False),
        ({"date_of_birth": None, "age": 30, "age_unit": AgeUnit.MONTHS}, True),
        ({"date_of_birth": None}, False),
    ],
)
def test_who_is_a_minor(patient: dict[str, Any], minor: bool) -> None:
    assert is_minor(patient_chart(patient=patient).patient, dt.date(2026, 11, 1)) is minor


async def test_a_join_is_confirmed_and_the_claims_follow(agency: Agency, runtime: Runtime, evidence: Evidence) -> None:
    account, call = await new_account(agency), await locked_call(agency)
    claim = await approved_claim(agency, call)
    unrelated = await new_claim(agency)
    joined = await join(agency, account, call)
    assert (joined["account_id"], joined["patient_id"]) == (account["id"], call.patient["id"])
    assert (await matches(agency, call))["account_id"] == account["id"]
    page = await agency.biller.expect(200, "GET", f"{ACCOUNTS}/{account['id']}/patients")
    assert page["items"] == [joined]
    async with runtime.read_unit_of_work(Principal.system(agency.tenant_id)) as uow:
        found = await account_of(uow, uuid.UUID(call.patient["id"]))
        assert found is not None and str(found.id) == account["id"]
    followed = await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}")
    assert (followed["account_id"], followed["status"]) == (account["id"], "ready_to_export")
    assert followed["version"] == claim["version"] + 1
    assert (await evidence.audit(claim["id"]))[-1]["action"] == "claim.account_changed"
    assert (await evidence.outbox(claim["id"]))[-1]["payload"]["changed"] == ["account_id"]
    assert await agency.biller.expect(200, "GET", f"{CLAIMS}/{unrelated['id']}") == unrelated
    await agency.biller.expect(
        204, "DELETE", f"{ACCOUNTS}/{account['id']}/patients/{joined['id']}", params={"version": 1}
    )
    assert (await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}"))["account_id"] is None
    assert (await matches(agency, call))["account_id"] is None
    assert [event["action"] for event in await evidence.audit(joined["id"])] == [
        "billing_account_patient.joined",
        "billing_account_patient.parted",
    ]
    other = await new_account(agency)
    await join(agency, other, call)
    assert (await agency.biller.expect(200, "GET", f"{CLAIMS}/{claim['id']}"))["account_id"] == other["id"]


async def test_a_patient_is_joined_to_one_account(agency: Agency, evidence: Evidence) -> None:
    accounts, call = [await new_account(agency) for _ in range(3)], await locked_call(agency)
    body = {"incident_id": call.incident["id"], "patient_id": call.patient["id"]}
    answers = await asyncio.gather(
        *(agency.biller.post(f"{ACCOUNTS}/{account['id']}/patients", json=body) for account in accounts)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    before = await evidence.digest(agency.tenant_id)
    for account in accounts:
        refused = await join(agency, account, call, status=409)
        assert (refused["error"]["code"], refused["error"]["details"]) == ("ALREADY_EXISTS", {"field": "patient_id"})
    assert await evidence.digest(agency.tenant_id) == before


async def test_what_is_not_there_is_not_joined_or_parted(agency: Agency, evidence: Evidence) -> None:
    account, other = await new_account(agency), await new_account(agency)
    call, stranger = await locked_call(agency), await locked_call(agency)
    joined = await join(agency, account, call)
    before = await evidence.digest(agency.tenant_id)
    mixed = {"incident_id": call.incident["id"], "patient_id": stranger.patient["id"]}
    path = f"{ACCOUNTS}/{account['id']}/patients"
    assert problems(await agency.biller.expect(422, "POST", path, json=mixed)) == [("patient_id", "unknown_patient")]
    refused = await agency.biller.expect(422, "GET", f"{ACCOUNTS}/matches", params=mixed)
    assert problems(refused) == [("patient_id", "unknown_patient")]
    await agency.biller.expect(404, "POST", path, json=mixed | {"incident_id": str(uuid.uuid4())})
    elsewhere = f"{ACCOUNTS}/{other['id']}/patients/{joined['id']}"
    await agency.biller.expect(404, "DELETE", elsewhere, params={"version": 1})
    await agency.biller.expect(409, "DELETE", f"{path}/{joined['id']}", params={"version": 2})
    assert await evidence.digest(agency.tenant_id) == before


async def test_proposals_cost_a_constant_number_of_statements(agency: Agency, runtime: Runtime) -> None:
    sent = []
    call = await locked_call(agency)
    await matches(agency, call)  # the driver asks a fresh connection about types it has not met
    for _ in range(2):
        async with counted(runtime.database) as statements:
            await matches(agency, call)
        sent.append(len(statements))
        for number in range(4):
            account = await new_account(agency, middle_name=str(number))
            await join(agency, account, await locked_call(agency))
    assert sent == [sent[0]] * 2
    assert len((await matches(agency, call))["proposals"]) == 8


async def test_who_was_shown_proposals_is_in_the_access_log(
    agency: Agency, admin_connection: asyncpg.Connection
) -> None:
    await new_account(agency)
    call = await locked_call(agency)
    await matches(agency, call)
    row = await admin_connection.fetchrow(
        "SELECT * FROM access_log WHERE tenant_id = $1 AND route LIKE '%/accounts/matches'", agency.tenant_id
    )
    assert row is not None
    assert str(row["incident_id"]) == call.incident["id"]
    assert row["categories"] == ["billing_account", "incident", "patient"]
