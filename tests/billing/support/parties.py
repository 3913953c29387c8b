"""Payers, billing accounts and coverages made over HTTP: the vocabulary of the tests about who pays."""

from __future__ import annotations

from typing import Any

from tests.core.reference.records import PAYER
from tests.support.actors import Agency
from tests.support.charts import Call, lock_call, locked_call, open_call

ACCOUNTS = "billing/accounts"
COVERAGES = "billing/coverages"
CHILD: dict[str, Any] = {"last_name": "Muster", "first_name": "Ida", "date_of_birth": "2019-05-02"}
MOTHER: dict[str, Any] = {
    "relationship": "19",
    "subscriber_last_name": "Muster",
    "subscriber_first_name": "Erika",
    "subscriber_date_of_birth": "1988-02-17",
    "subscriber_sex": "F",
    "subscriber_street": "100 Main St",
    "subscriber_city": "Springfield",
    "subscriber_state": "IL",
    "subscriber_zip": "62701",
}


async def medicare(agency: Agency, **fields: Any) -> Any:
    return await PAYER.add(agency.biller, **fields)


async def commercial(agency: Agency, **fields: Any) -> Any:
    return await PAYER.add(agency.biller, payer_id="60054", claim_filing_code="CI", **fields)


def coverage_body(call: Call, **fields: Any) -> dict[str, Any]:
    return {"incident_id": call.incident["id"], "patient_id": call.patient["id"], "member_id": "W123456789", **fields}


async def cover(agency: Agency, call: Call, *, status: int = 201, **fields: Any) -> Any:
    return await agency.biller.expect(status, "POST", COVERAGES, json=coverage_body(call, **fields))


async def new_account(agency: Agency, **fields: Any) -> Any:
    body = {"last_name": "Muster", "first_name": "Erika", "date_of_birth": "1948-02-17", **fields}
    return await agency.biller.expect(201, "POST", ACCOUNTS, json=body)


async def join(agency: Agency, account: dict[str, Any], call: Call, *, status: int = 201) -> Any:
    body = {"incident_id": call.incident["id"], "patient_id": call.patient["id"]}
    return await agency.biller.expect(status, "POST", f"{ACCOUNTS}/{account['id']}/patients", json=body)


async def matches(agency: Agency, call: Call) -> Any:
    params = {"incident_id": call.incident["id"], "patient_id": call.patient["id"]}
    return await agency.biller.expect(200, "GET", f"{ACCOUNTS}/matches", params=params)


async def insured_call(agency: Agency, *groups: dict[str, str], **patient: Any) -> Call:
    """A locked call with an ePayment.InsuranceGroup for each of `groups`, which are values by the element's number."""
    call = await open_call(agency, patient=patient)
    for values in groups:
        body = {
            "group_name": "ePayment.InsuranceGroup",
            "patient_id": call.patient["id"],
            "elements": {f"ePayment.{number}": [{"value": value}] for number, value in values.items()},
        }
        await agency.medic.expect(201, "POST", f"ems/incidents/{call.incident['id']}/element-groups", json=body)
    return await lock_call(agency, call)


def problems(answer: Any) -> list[tuple[str, str]]:
    return [(item["field"], item["code"]) for item in answer["error"]["details"]["problems"]]


async def call_of(agency: Agency, **patient: Any) -> Call:
    """A locked call of one patient."""
    return await locked_call(agency, patient=patient)
